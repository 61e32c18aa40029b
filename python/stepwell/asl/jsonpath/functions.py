"""The functions at the end of a path: ``.length()``, ``.sum()`` and their like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from stepwell.asl.errors import runtime_error

Values = list[Any]


def _length(value: Any, _: Values) -> int | None:
    return len(value) if isinstance(value, list | dict) else None


def _keys(value: Any, _: Values) -> Values | None:
    return list(value) if isinstance(value, dict) else None


def _numbers(value: Any, arguments: Values) -> list[float]:
    candidates: Values = list(value) if isinstance(value, list) else []
    for argument in arguments:
        candidates.extend(argument if isinstance(argument, list) else [argument])
    numbers = [item for item in candidates if isinstance(item, int | float) and not isinstance(item, bool)]
    if not numbers:
        raise runtime_error("Aggregation function attempted to calculate value using empty array")
    return numbers


def _aggregation(compute: Callable[[list[float]], float]) -> Callable[[Any, Values], float]:
    def aggregate(value: Any, arguments: Values) -> float:
        result = compute(_numbers(value, arguments))
        if not math.isfinite(result):
            raise runtime_error("The result of an aggregation function is not a finite number.")
        return int(result) if float(result).is_integer() and abs(result) < 2**63 else result

    return aggregate


def _mean(numbers: list[float]) -> float:
    return math.fsum(numbers) / len(numbers)


def _deviation(numbers: list[float]) -> float:
    mean = _mean(numbers)
    return math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / len(numbers))


def _concat(value: Any, arguments: Values) -> str:
    pieces = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    for argument in arguments:
        pieces.extend(map(str, argument if isinstance(argument, list) else [argument]))
    return "".join(pieces)


def _append(value: Any, arguments: Values) -> Any:
    return [*value, *arguments] if isinstance(value, list) else value


def _at(value: Any, position: int) -> Any:
    if not isinstance(value, list) or not -len(value) <= position < len(value):
        raise runtime_error("Aggregation function attempted to calculate value using empty array")
    return value[position]


def _index(value: Any, arguments: Values) -> Any:
    if len(arguments) != 1 or type(arguments[0]) is not int:
        raise runtime_error("The JSONPath function index() needs one whole number.")
    return _at(value, arguments[0])


def _first(value: Any, _: Values) -> Any:
    return _at(value, 0)


def _last(value: Any, _: Values) -> Any:
    return _at(value, -1)


FUNCTIONS: dict[str, Callable[[Any, Values], Any]] = {
    "length": _length,
    "size": _length,
    "keys": _keys,
    "min": _aggregation(min),
    "max": _aggregation(max),
    "sum": _aggregation(math.fsum),
    "avg": _aggregation(_mean),
    "stddev": _aggregation(_deviation),
    "concat": _concat,
    "append": _append,
    "index": _index,
    "first": _first,
    "last": _last,
}
