"""Payload templates: values of the user with ``.$`` keys (JSONPath) or ``{% … %}`` strings (JSONata)."""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl.validate.diagnostic import (
    INVALID_JSONATA_EXPRESSION,
    UNSUPPORTED_JSONATA_EXPRESSION,
    Report,
)
from stepwell.asl.validate.expressions import is_path_or_intrinsic, parse_jsonata
from stepwell.asl.validate.values import is_expression


def check_template(value: Any, place: str, report: Report) -> None:
    """A JSONPath payload template: ``x.$`` is a path or an intrinsic call, without an ``x`` beside it (ASL A3.12)."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key.endswith(".$"):
                _check_computed(key, item, place, report)
                if key[:-2] in value:
                    report.error(f"The field '{key[:-2]}' cannot be specified twice: as it is and with '.$'", place)
            else:
                check_template(item, f"{place}/{key}", report)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            check_template(item, f"{place}[{index}]", report)


def _check_computed(key: str, item: Any, place: str, report: Report) -> None:
    if not isinstance(item, str) or not is_path_or_intrinsic(item):
        report.error(
            f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call", place
        )


NOTHING: frozenset[str] = frozenset()
RESULT = frozenset({"result"})
ERROR_OUTPUT = frozenset({"errorOutput"})
_SOMETIMES = RESULT | ERROR_OUTPUT


def check_expressions(value: Any, place: str, report: Report, *, has: frozenset[str] = NOTHING) -> None:
    """Every JSONata string within a value.

    ``has`` are the fields of ``$states`` here beside input and context: a result where a Task, Parallel or Map state
    has one (Output, Assign), an error output in its catchers.
    """
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            check_expressions(item, f"{place}/{key}", report, has=has)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            check_expressions(item, f"{place}[{index}]", report, has=has)
    elif is_expression(value):
        _check_expression(value[2:-2].strip(), place, report, has)
    elif isinstance(value, str) and value.startswith("{%"):
        report.error("JSONata string must start with {% and end with %}", place)


def _check_expression(text: str, place: str, report: Report, has: frozenset[str]) -> None:
    expression = parse_jsonata(text)
    if isinstance(expression, str):
        report.error(expression, place, INVALID_JSONATA_EXPRESSION)
        return
    for problem in expression.unsupported_references():
        report.error(problem, place, UNSUPPORTED_JSONATA_EXPRESSION)
    for name in sorted((expression.states_fields or NOTHING) & _SOMETIMES - has):
        report.error(f"Field '$states.{name}' does not exist.", place, UNSUPPORTED_JSONATA_EXPRESSION)
