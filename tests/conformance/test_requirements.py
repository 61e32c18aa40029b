"""Every line of the language's checklist has a test that names it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("STEPWELL_SHARED") or Path(__file__).parents[3] / "shared")
CHECKLIST = SHARED / "design" / "ASL.md"
TESTS = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    not CHECKLIST.is_file(), reason=f"the checklist is not at {CHECKLIST}: set STEPWELL_SHARED"
)


def requirements() -> set[str]:
    """The numbered lines, with their section (``A7.38``), and the rows of the table of errors (``A6 States.ALL``)."""
    section, found = "", set[str]()
    for line in CHECKLIST.read_text().splitlines():
        if heading := re.match(r"## (A\d+)", line):
            section = heading[1]
        elif section and (numbered := re.match(r"(\d+b?)\. ", line)):
            found.add(f"{section}.{numbered[1]}")
        elif section == "A6" and (row := re.match(r"\| (States\.[\w.]+)", line)):
            found.add(f"A6 {row[1]}")
    return found


def covered() -> set[str]:
    """What tests say that they cover."""
    marks = (mark for path in TESTS.rglob("*.py") for mark in re.findall(r"covers\(([^)]*)\)", path.read_text()))
    return {name for mark in marks for name in re.findall(r'"(A\d+(?:\.\d+b?| States\.[\w.]+))"', mark)}


def test_no_line_is_without_a_test() -> None:
    assert sorted(requirements() - covered()) == []


def test_no_test_names_a_line_that_is_not_there() -> None:
    assert sorted(covered() - requirements()) == []
