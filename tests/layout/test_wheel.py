"""The wheel: what is in it, and that it works in an empty environment with no compiler within reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel that `make wheel` has built; it builds nothing when the sources are older."""
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "wheel"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    return wheel


@pytest.mark.timeout(600)
def test_one_wheel_serves_all_pythons_from_3_11_on_and_is_typed(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = next(archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    assert {"stepwell/__init__.py", "stepwell/py.typed", "stepwell/_core.pyi"} <= names
    static = ROOT / "python" / "stepwell" / "console" / "static"
    assert {f"stepwell/console/static/{path.relative_to(static)}" for path in static.rglob("*.*")} <= names
    assert [name for name in names if name.endswith(".so")] == ["stepwell/_core.abi3.so"]
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert [line.split()[1].split(">")[0] for line in needed] == ["msgspec"]


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with nothing but the wheel, in which the quick start has run."""
    environment = tmp_path_factory.mktemp("wheel") / "venv"
    check = [sys.executable, ROOT / "scripts" / "check-package", wheel, "--environment", environment]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "the quick start runs" in checked.stdout
    return environment / "bin"


@pytest.mark.timeout(600)
def test_the_demo_runs_from_the_wheel_in_an_empty_environment(programs: Path, tmp_path: Path) -> None:
    bare = {"PATH": str(programs), "HOME": str(tmp_path)}
    demo = [programs / "python", ROOT / "examples" / "order_service" / "demo.py"]
    finished = subprocess.run(demo, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    assert "nothing was lost" in finished.stdout
    listed = subprocess.run([programs / "stepwell", "--version"], env=bare, capture_output=True, text=True, check=True)
    assert "stepwell" in listed.stdout


def test_the_sbom_names_what_is_linked_and_no_path() -> None:
    """Written twice, it is the same; `make wheels` puts it into the wheels."""
    make = [sys.executable, ROOT / "scripts" / "make-sbom"]
    texts = {subprocess.run(make, check=True, capture_output=True, text=True).stdout for _ in range(2)}
    (text,) = texts
    document = json.loads(text)
    urls = {each["purl"] for each in document["components"]}
    assert {"rocksdb", "lz4", "preact", "htm", "msgspec", "pyo3"} <= {each["name"] for each in document["components"]}
    assert not [each for each in urls if "proptest" in each or "bindgen" in each or "syn@" in each]
    assert all("licenses" in each for each in document["components"] if not each["purl"].startswith("pkg:pypi/"))
    assert {each["ref"] for each in document["dependencies"]} >= {url for url in urls if url.startswith("pkg:cargo/")}
    assert str(ROOT) not in text
    assert "file:" not in text
