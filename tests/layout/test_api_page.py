"""The public API fits on a page: docs/api.md has every public name and every call of what a program holds."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import stepwell

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
LINES = 80


def members(kind: type) -> set[str]:
    """The calls and fields of a class that a program may use."""
    return {name for name in dir(kind) if not name.startswith("_")}


def row_of(name: str) -> str:
    """The row of a table that begins with a name."""
    (row,) = re.findall(rf"^\| `{name}\b.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return row


def table_of(name: str) -> str:
    """The table whose heading begins with a name."""
    (table,) = re.findall(rf"^\| `{name}\b[^\n]*\n\|---.*?(?=\n\n|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return table


def names_in(text: str) -> set[str]:
    """The names in backquotes."""
    return {name for code in re.findall(r"`([^`]+)`", text) for name in re.findall(r"\w+", code)}


def test_every_public_name_stands_on_the_page_and_the_page_is_short() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(stepwell.__all__) - names_in(text) == set()
    assert len(text.splitlines()) <= LINES


@pytest.mark.parametrize("kind", [stepwell.Executor, stepwell.Execution], ids=lambda kind: kind.__name__)
def test_every_call_of_a_class_stands_in_its_table_and_no_other(kind: type) -> None:
    rows = table_of(kind.__name__).splitlines()[2:]
    named = {name for row in rows for name in names_in(row.split("|")[1])} - {"with"}
    assert named == members(kind)


@pytest.mark.parametrize("function", [stepwell.Executor, stepwell.Executor.deploy, stepwell.Executor.start])
def test_every_argument_stands_on_the_page(function: Callable[..., object]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (section,) = re.findall(r"### Arguments of an executor(.*)\n\| `Execution`", text, re.DOTALL)
    assert set(inspect.signature(function).parameters) - {"self"} - names_in(section) == set()


@pytest.mark.parametrize("kind", [stepwell.HandlerContext, stepwell.Follower], ids=lambda kind: kind.__name__)
def test_every_call_of_a_class_stands_in_its_row(kind: type) -> None:
    assert members(kind) - names_in(row_of(kind.__name__)) == set()


@pytest.mark.parametrize(
    ("kind", "other"),
    [(stepwell.Executor, stepwell.AsyncExecutor), (stepwell.Execution, stepwell.AsyncExecution)],
)
def test_the_calls_for_event_loops_are_the_same(kind: type, other: type) -> None:
    assert members(other) >= members(kind) - {"restore", "run", "submit_start", "wait_execution_done"}
