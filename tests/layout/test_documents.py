"""ARCHITECTURE.md and CONTRIBUTING.md name files, folders and make targets that exist; links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = ("ARCHITECTURE.md", "CONTRIBUTING.md")
BASES = ("", "python", "python/stepwell", "python/stepwell/engine", "rust/core/src")
"""A path in these documents is below one of these folders."""
MADE_BY_RECIPES = {"cli/count.py", "docs/guides/name.md", "tests/cli/test_count.py"}
IN_DATA_FOLDERS = {"storage/", "p0/", "p1/"}
MADE_BY_MAKE = {"release/"}
SOURCES = ("python", "rust", "tests", "fuzz")
NO_SOURCES = {"target", "__pycache__", "corpus"}


def code_in(text: str) -> list[str]:
    """What stands in backquotes, and the blocks of code; diagrams apart."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return blocks + re.findall(r"`([^`\n]+)`", prose)


def paths_in(text: str) -> Iterator[str]:
    """The paths of ours in a document's code."""
    for word in " ".join(code_in(text)).split():
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/|([\w.-]+/)*[\w-]+\.(py|rs|md|toml)", word) and not word.startswith("."):
            yield word


def file_names() -> set[str]:
    """The names of all files of ours, without their folders."""
    found: set[str] = set()
    folders = [ROOT / name for name in SOURCES]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_dir() and path.name not in NO_SOURCES:
                folders.append(path)
            found.add(path.name)
    return found


@pytest.mark.parametrize("document", NAMED)
def test_every_path_exists(document: str) -> None:
    words = (
        set(paths_in((ROOT / document).read_text(encoding="utf-8"))) - MADE_BY_RECIPES - IN_DATA_FOLDERS - MADE_BY_MAKE
    )
    names = file_names()
    missing = [
        word
        for word in sorted(words)
        if not any((ROOT / base / word).exists() for base in BASES) and not ("/" not in word and word in names)
    ]
    assert len(words) > 50
    assert missing == []


@pytest.mark.parametrize("document", NAMED)
def test_every_make_target_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join(code_in((ROOT / document).read_text(encoding="utf-8")))
    assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) <= targets


@pytest.mark.parametrize(
    "document",
    [str(path.relative_to(ROOT)) for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])],
)
def test_every_link_leads_to_a_file_or_a_heading(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    without_code = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    wrong: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code):
        target, _, heading = link.partition("#")
        if "://" in link:
            continue
        file = (ROOT / document).parent / target if target else ROOT / document
        if not file.exists() or (heading and heading not in headings(file)):
            wrong.append(link)
    assert wrong == []


def headings(file: Path) -> set[str]:
    """The anchors of a document's headings."""
    titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
