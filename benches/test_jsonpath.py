"""The cost of JSONPath: ``make bench``, or ``pytest benches/test_jsonpath.py --benchmark-enable``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepwell.asl.jsonpath import compile_query

Benchmark = Callable[..., Any]

ROWS = [{"id": n, "name": f"n{n}", "size": {"w": n % 7, "h": n / 2}, "ok": n % 2 == 0} for n in range(1_000)]
TREE = [{"y": [{"id": i * 10 + j, "z": {"id": j}} for j in range(10)]} for i in range(100)]
DOCUMENT = {"a": {"b": {"c": 1}}, "items": ROWS, "tree": TREE}
FILTER = "$.items[?(@.size.w > 3 && @.name != 'n5')].id"
PATHS = [
    "$.a.b",
    "$.items[10].name",
    "$.items[*].id",
    "$.items[10:500].size.w",
    "$.items[?(@.id > 500)]",
    FILTER,
    "$.items[?(@.name =~ /n.*7/)]",
    "$.items[?(@.id == $.a.b.c)]",
    "$.tree..id",
    "$.tree..y[*].id",
]


@pytest.mark.benchmark(group="jsonpath")
@pytest.mark.parametrize("path", PATHS)
def test_find(benchmark: Benchmark, path: str) -> None:
    """1,000 items, and a tree of 2,200 objects and arrays."""
    benchmark(compile_query(path).find, DOCUMENT)


@pytest.mark.benchmark(group="jsonpath compile")
@pytest.mark.parametrize("path", ["$.a.b", FILTER])
def test_compile(benchmark: Benchmark, path: str) -> None:
    benchmark(compile_query.__wrapped__, path)
