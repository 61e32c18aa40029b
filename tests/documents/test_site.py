"""The site of the documents is built without a warning, and its checks find what they should."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts" / "site"
PAGE = """<html><head><link rel="stylesheet" href="style.css"></head>
<body><h1 id="first">A page</h1><a href="other.html#there">other</a></body></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, which must be built without a complaint."""
    pytest.importorskip("zensical")
    pytest.importorskip("mkdocstrings_handlers.python")
    out = tmp_path_factory.mktemp("documents") / "site"
    command = [sys.executable, SCRIPTS / "make.py", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_the_site_has_a_page_for_each_document(site: Path) -> None:
    for name in ("index", "api", "project/architecture", "adr/index", "examples/order_service"):
        assert (site / f"{name}.html").is_file()


def test_the_texts_for_language_models_have_every_page_of_the_navigation(site: Path) -> None:
    index, full = ((site / name).read_text(encoding="utf-8") for name in ("llms.txt", "llms-full.txt"))
    linked = [line.split("](")[1].split(")")[0] for line in index.splitlines() if line.startswith("- [")]
    assert len(linked) > 20
    assert all((site / path).read_text(encoding="utf-8") in full for path in linked)


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import check  # type: ignore[import-not-found]

    found: Callable[[Path], list[str]] = check.problems
    return found


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("#there", "#nowhere", "leads to no heading"),
        ("other.html", "missing.html", "leads to no file"),
        ('href="style.css"', 'href="https://fonts.example.com/style.css"', "a request of https://fonts.example.com"),
        ('href="style.css"', 'href="missing.css"', "no file for missing.css"),
        ("other.html#there", "https://no_host/", "is no address"),
        ("<body>", "<body><p>Two:\n- one</p>", "not read as a list"),
    ],
)
def test_a_wrong_link_is_found(
    problems: Callable[[Path], list[str]], tmp_path: Path, was: str, now: str, said: str
) -> None:
    (tmp_path / "style.css").write_text("body { color: black }")
    (tmp_path / "other.html").write_text('<html><body id="there"></body></html>')
    (tmp_path / "page.html").write_text(PAGE)
    assert problems(tmp_path) == []
    (tmp_path / "page.html").write_text(PAGE.replace(was, now))
    (problem,) = problems(tmp_path)
    assert said in problem
