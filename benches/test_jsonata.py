"""The cost of JSONata: ``make bench``, or ``pytest benches/test_jsonata.py --benchmark-enable``.

A figure is one evaluation as a state makes it: Python values in, a Python value out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from stepwell.asl.jsonata import compile_expression

Benchmark = Callable[..., Any]

ORDER = {
    "id": "o-1",
    "type": "Public",
    "customer": {"name": "Ada", "address": {"city": "London", "zip": "N1"}},
    "lines": [{"sku": f"s{i}", "qty": i, "price": i * 1.5, "tags": ["a", "b"]} for i in range(20)],
}
"""1.3 KB of JSON."""

SMALL = {
    "constant": "1",
    "condition": "$states.input.type = 'Public'",
    "path": "$states.input.customer.address.city",
    "text": "'Hello ' & $states.input.customer.name & '!'",
    "variable": "$count + 1",
    "sum of 20 lines": "$sum($states.input.lines.(qty * price))",
    "map of 20 lines": "$map($states.input.lines, function($l) {{'sku': $l.sku, 'cost': $l.qty * $l.price}})",
    "filter of 20 lines": "$states.input.lines[qty > 10].sku",
}
MANY = {
    "map of 1,000 items": "$map($states.input.items, function($v) {{'id': $v.id, 'cost': $v.qty * $v.price}})",
    "long filter": "$states.input.items[qty > 10 and price < 900 and id != 'i7' and $contains(id, '5')].id",
    "sort of 1,000 items": "$states.input.items^(>price).id",
    "match of a long text": "$count($match($states.input.text, /[a-z]+(\\d)/))",
}
ITEMS = {
    "items": [{"id": f"i{i}", "qty": i % 50, "price": i * 1.5} for i in range(1_000)],
    "text": "order 66, item7 of box8, " * 200,
}


@pytest.mark.benchmark(group="expression")
@pytest.mark.parametrize("name", SMALL)
def test_expression(benchmark: Benchmark, name: str) -> None:
    benchmark(compile_expression(SMALL[name]).evaluate, {"input": ORDER}, {"count": 1, "order": ORDER})


@pytest.mark.benchmark(group="many")
@pytest.mark.parametrize("name", MANY)
def test_many(benchmark: Benchmark, name: str) -> None:
    benchmark(compile_expression(MANY[name]).evaluate, {"input": ITEMS}, {})


@pytest.mark.benchmark(group="input")
@pytest.mark.parametrize("orders", [1, 10, 100])
def test_whole_input(benchmark: Benchmark, orders: int) -> None:
    """The whole input as the result: the cost of converting values."""
    benchmark(compile_expression("$states.input").evaluate, {"input": [ORDER] * orders}, {})


@pytest.mark.benchmark(group="input")
@pytest.mark.parametrize("orders", [1, 10, 100])
def test_one_field_of_the_input(benchmark: Benchmark, orders: int) -> None:
    """Only the part that a path names is converted."""
    expression = compile_expression("$states.input.first.id")
    benchmark(expression.evaluate, {"input": {"first": ORDER, "rest": [ORDER] * orders}}, {})


@pytest.mark.benchmark(group="input")
@pytest.mark.parametrize("orders", [1, 10, 100])
def test_the_same_input_to_json_and_back(benchmark: Benchmark, orders: int) -> None:
    """For comparison: msgspec alone, without JSONata."""
    document = [ORDER] * orders
    benchmark(lambda: msgspec.json.decode(msgspec.json.encode(document)))


@pytest.mark.benchmark(group="compile")
def test_compile(benchmark: Benchmark) -> None:
    benchmark(compile_expression.__wrapped__, SMALL["map of 20 lines"])
