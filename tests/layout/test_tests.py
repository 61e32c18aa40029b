"""Tests stand alone, in files that one can read at a sitting, and look at the package from outside."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MAX_LINES = 500

# What tests use of the package that is not public: the file, the name, and why no public way shows the same.
PRIVATE = {
    ("asl/test_jsonpath_short_ways.py", "_PLAIN_FILTER"): "whether a filter is read in one go shows in no result",
    ("asl/test_jsonpath_short_ways.py", "_bounds"): "the longer reading of what _PLAIN_FILTER reads",
    ("asl/test_jsonpath_short_ways.py", "_inside"): "the longer reading of what _PLAIN_FILTER reads",
    ("asl/test_jsonpath_short_ways.py", "_read_criterion"): "both readings of a criterion, of which a path takes one",
    (
        "asl/test_jsonpath_short_ways.py",
        "_read_any_criterion",
    ): "both readings of a criterion, of which a path takes one",
    ("cluster/test_dispatch.py", "_post"): "results that are lost on their way between nodes",
    ("cluster/test_snapshots.py", "_meta"): "an upload that ends between its parts and what makes it count",
    ("cluster/test_snapshots.py", "_write"): "a restore that ends between two of its steps",
    ("crash/test_followers.py", "_replica"): "a promotion that fails between two of its steps",
    ("engine/test_partition_messages.py", "_end"): "what is no frame can only be sent past the wire",
    ("engine/test_partition_messages.py", "_lock"): "a partition that stays without a process while it is asked",
    ("engine/test_partition_messages.py", "_receive"): "a bug in a thread of the engine's own",
    ("engine/test_partition_messages.py", "_wire"): "a partition that stays without a process while it is asked",
    ("server/test_history_log.py", "_listeners"): "that an engine without a log of its history listens to nothing",
    ("layout/test_public_names.py", "_ON_FIRST_USE"): "what is loaded late must be the same in two places of one file",
    ("engine/test_nested.py", "_is_child"): "which rows a list has read shows in no result",
}
OF_PYTHON = {"_exit", "_asdict", "_fields", "_make", "_replace", "_repr_mimebundle_"}
NATIVE = "_core"
"""The native module is private to the package as a whole, and has tests of its own in tests/core."""


def files() -> list[Path]:
    """The files that tests are written in."""
    return sorted(TESTS.rglob("*.py"))


def name_of(path: Path) -> str:
    """A file's path below tests/, as the table has it."""
    return path.relative_to(TESTS).as_posix()


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a file imports, and the names from them as if they were modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private_names(tree: ast.Module) -> Iterator[str]:
    """The underscored names that a file uses of others: as attributes, imports, or in texts (of programs, of patches).

    What an object uses of itself and of its base is its own affair.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls", "super()"):
            found = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("getattr", "setattr", "delattr")):
            found = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = re.findall(r"[\w)\]]\.(_\w+)|import (_\w+)", node.value)
            found = [attribute or name for attribute, name in found]
        else:
            continue
        yield from (name for name in found if re.match(r"_[^_]", name) and name not in OF_PYTHON | {NATIVE})


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_a_file_imports_no_tests(path: Path) -> None:
    tests = {".".join(each.relative_to(TESTS).with_suffix("").parts) for each in TESTS.rglob("test_*.py")}
    tests |= {each.rpartition(".")[2] for each in tests}
    assert not tests & set(imported(ast.parse(path.read_text(encoding="utf-8"))))


def test_no_file_is_long() -> None:
    rust = (TESTS.parent / "rust").glob("*/tests/**/*.rs")
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*files(), *rust]}
    assert not [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MAX_LINES]


def test_private_names_are_used_only_where_the_table_says_why() -> None:
    used = {
        (name_of(path), name)
        for path in files()
        if path != Path(__file__)
        for name in private_names(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert used == set(PRIVATE)


@pytest.mark.parametrize(
    "text",
    [
        "executor._client",
        "executor.client._host.x",
        "from stepwell.engine import _partition",
        "monkeypatch.setattr(partition, '_take', None)",
        "monkeypatch.setattr('stepwell.engine.partition.inbox._LARGE', 1)",
        "program = 'import stepwell\\nprint(stepwell.Executor()._client)'",
    ],
)
def test_private_names_are_found(text: str) -> None:
    assert len(list(private_names(ast.parse(text)))) == 1


@pytest.mark.parametrize("text", ["self._x", "super()._x", "x.__class__", "from stepwell import _core", "os._exit(1)"])
def test_what_is_no_other_s_private_name_is_let_be(text: str) -> None:
    assert list(private_names(ast.parse(text))) == []
