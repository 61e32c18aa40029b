"""The wheel: what is in it, and that it works in an empty environment with no compiler within reach."""

from __future__ import annotations

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


@pytest.mark.timeout(600)
def test_the_demo_runs_from_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    programs = tmp_path / "venv" / "bin"
    bare = {"PATH": str(programs), "HOME": str(tmp_path)}
    bare |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LC_"))}
    install = [programs / "python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", wheel]
    subprocess.run(install, check=True, env=bare, cwd=tmp_path)

    demo = [programs / "python", ROOT / "examples" / "order_service" / "demo.py"]
    finished = subprocess.run(demo, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    assert "nothing was lost" in finished.stdout
    listed = subprocess.run([programs / "stepwell", "--version"], env=bare, capture_output=True, text=True, check=True)
    assert "stepwell" in listed.stdout
