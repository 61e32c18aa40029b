"""The example and the programs of docs/testing.md: they run as a user runs them, and find what they should."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from examples.recipes import recipes, write
from examples.support import EXAMPLES, ROOT

SECONDS = 110


def run(folder: Path) -> str:
    """What pytest says of the tests in a folder, which must pass."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-s",
        "-p",
        "stepwell.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
    ]
    found = subprocess.run(
        [*command, "--rootdir", "."], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert found.returncode == 0, found.stdout
    return found.stdout


def test_the_programs_of_the_page(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    names = [name for name in re.findall(r"^# (test_\w+\.py)$", text, re.MULTILINE) if name in recipes()]
    write(tmp_path, *names)
    said = run(tmp_path)
    assert "9 passed" in said
    printed = re.findall(r"^```text\n(seed .*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [block for block in printed if block not in said] == []


def test_the_suite_of_the_example(tmp_path: Path) -> None:
    copy = tmp_path / "suite"
    shutil.copytree(EXAMPLES / "testing", copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert "19 passed" in run(copy)
