"""Numbers that a state has as a literal, by path, or by expression: time limits, concurrency, tolerated failures.

Each becomes a function of the scope, with AWS's checks and texts at run time (ASL A6.35).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.errors import runtime_error
from stepwell.asl.flow import JSONATA, Read, within
from stepwell.asl.jsonata_template import query_error
from stepwell.asl.numbers import decimal_number, text_of, whole_number
from stepwell.asl.path_errors import no_input_value
from stepwell.asl.scope import Scope

# Larger than every map: the count limit of a map that tolerates failures only by percentage.
UNLIMITED_COUNT = 2**31 - 1
MAX_SECONDS = 99_999_999
_LONGS = range(-(2**63), 2**63)


def compile_seconds(definition: dict[str, Any], name: str, language: str, effective: Read | None) -> Read:
    """TimeoutSeconds or HeartbeatSeconds: a positive whole number, or None if the state has none."""

    def check(value: Any, problem: Callable[[str], Exception]) -> int:
        seconds = whole_number(value)
        if seconds is None or seconds not in _LONGS:
            raise problem(f"cannot be parsed as a long value: {text_of(value)}")
        if seconds <= 0:
            raise problem(f"references a value that is not positive: {seconds}")
        return min(seconds, MAX_SECONDS)

    if language == JSONATA:
        read = jsonata_flow.compile_typed_field(definition, name, "number")
        if read is None or isinstance(definition[name], int):
            return _constant(definition.get(name))
        return lambda scope: check(read(scope), lambda text: query_error(f"The {name} field {text}", name))
    path: str | None = definition.get(f"{name}Path")
    if path is None:
        return _constant(definition.get(name))
    read_path = within(effective, jsonpath_flow.compile_path(path, no_input_value(f"{name}Path")))
    return lambda scope: check(
        read_path(scope),
        lambda text: runtime_error(f"The {name}Path parameter {text.replace(': ', f': {path} == ', 1)}"),
    )


def compile_max_concurrency(definition: dict[str, Any], language: str, effective: Read | None) -> Read:
    """MaxConcurrency: 0, the default, means no limit."""
    return _compile_count(definition, "MaxConcurrency", language, effective, 0)


def compile_tolerated_count(definition: dict[str, Any], language: str, effective: Read | None) -> Read:
    """ToleratedFailureCount. Without it only the percentage applies; without both no failure is tolerated."""
    default = UNLIMITED_COUNT if tolerates_percentage(definition) else 0
    return _compile_count(definition, "ToleratedFailureCount", language, effective, default)


def compile_tolerated_percentage(definition: dict[str, Any], language: str, effective: Read | None) -> Read:
    """ToleratedFailurePercentage, 0 to 100. Without it only the count applies; without both no failure is tolerated."""
    name = "ToleratedFailurePercentage"
    read, path = _compile_number(definition, name, language, effective)
    if read is None:
        default = 100.0 if tolerates_count(definition) else 0.0
        return _constant(default)

    def percentage(scope: Scope) -> float:
        value = read(scope)
        number = decimal_number(value)
        if number is None:
            raise _not_a(name, "float", value, path)
        if not 0 <= number <= 100:
            raise _limit_error(f"{name} must be between 0 and 100.", name, language)
        return float(number)

    return percentage


def tolerates_count(definition: dict[str, Any]) -> bool:
    """Whether a Map state has a tolerated number of failures."""
    return "ToleratedFailureCount" in definition or "ToleratedFailureCountPath" in definition


def tolerates_percentage(definition: dict[str, Any]) -> bool:
    """Whether a Map state has a tolerated percentage of failures."""
    return "ToleratedFailurePercentage" in definition or "ToleratedFailurePercentagePath" in definition


def compile_number(
    definition: dict[str, Any], name: str, language: str, effective: Read | None, *, prefix: str
) -> Read:
    """A whole number of a reader or a batcher (MaxItems, MaxItemsPerBatch, …), of any sign; None if it has none.

    ``prefix`` is the place of ``definition`` in its state: ``ItemBatcher/``.
    """
    return _compile_count(definition, name, language, effective, None, prefix=prefix, checks_sign=False)


def _compile_count(
    definition: dict[str, Any],
    name: str,
    language: str,
    effective: Read | None,
    default: int | None,
    *,
    prefix: str = "",
    checks_sign: bool = True,
) -> Read:
    read, path = _compile_number(definition, name, language, effective, prefix)
    if read is None:
        return _constant(default)

    def count(scope: Scope) -> int:
        value = read(scope)
        number = whole_number(value)
        if number is None:
            raise _not_a(name, "integer", value, path, prefix)
        if checks_sign and number < 0:
            raise _limit_error(f"{name} cannot be negative.", name, language)
        return min(number, UNLIMITED_COUNT)

    return count


def _compile_number(
    definition: dict[str, Any], name: str, language: str, effective: Read | None, prefix: str = ""
) -> tuple[Read | None, str | None]:
    """The field as a function, or None; and the path if it is one."""
    if language == JSONATA:
        return jsonata_flow.compile_typed_field(definition, name, "number", prefix=prefix), None
    path: str | None = definition.get(f"{name}Path")
    if path is not None:
        return within(effective, jsonpath_flow.compile_path(path)), path
    return (_constant(definition[name]) if name in definition else None), None


def _not_a(name: str, kind: str, value: Any, path: str | None, prefix: str = "") -> Exception:
    if path is None:
        cause = f'The {name} field refers to value "{text_of(value)}" which is not a valid {kind}'
        return query_error(cause, prefix + name)
    return runtime_error(f'The {name}Path field refers to value "{text_of(value)}" which is not a valid {kind}: {path}')


def _limit_error(cause: str, name: str, language: str) -> Exception:
    return query_error(cause, name) if language == JSONATA else runtime_error(cause)


def _constant(value: Any) -> Read:
    return lambda scope: value
