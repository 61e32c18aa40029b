"""The functions at the end of a path: ``.length()``, ``.sum()`` and their like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from stepwell.asl.errors import runtime_error
from stepwell.asl.json import is_array, is_number, is_object

Values = list[Any]


def _length(value: Any, _: Values) -> int | None:
    return len(value) if is_array(value) or is_object(value) else None


def _keys(value: Any, _: Values) -> Values | None:
    return list(value) if is_object(value) else None


def _numbers(value: Any, arguments: Values) -> list[float]:
    candidates: Values = [*value] if is_array(value) else []
    for argument in arguments:
        candidates.extend(argument if is_array(argument) else [argument])
    numbers: list[float] = [item for item in candidates if is_number(item)]
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
    pieces = [item for item in value if isinstance(item, str)] if is_array(value) else []
    for argument in arguments:
        pieces.extend(map(str, argument if is_array(argument) else [argument]))
    return "".join(pieces)


def _append(value: Any, arguments: Values) -> Any:
    return [*value, *arguments] if is_array(value) else value


def _at(value: Any, position: int) -> Any:
    if not is_array(value) or not -len(value) <= position < len(value):
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
