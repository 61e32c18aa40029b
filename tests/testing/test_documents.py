"""The programs of docs/testing.md, docs/testing-crashes.md and their example run, and find what the pages say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from examples.recipes import recipes, write
from examples.support import EXAMPLES, ROOT

SECONDS = 110
PAGES = ("testing.md", "testing-crashes.md")


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


def test_the_programs_of_the_pages(tmp_path: Path) -> None:
    text = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in PAGES)
    names = [name for name in re.findall(r"^# (test_\w+\.py)$", text, re.MULTILINE) if name in recipes()]
    write(tmp_path, *names)
    said = run(tmp_path)
    assert "10 passed" in said
    printed = re.findall(r"^```text\n(seed .*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(printed) == 1
    assert printed[0] in said


def test_the_suite_of_the_example(tmp_path: Path) -> None:
    copy = tmp_path / "suite"
    shutil.copytree(EXAMPLES / "testing", copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert "19 passed" in run(copy)
