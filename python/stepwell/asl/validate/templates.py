"""Payload templates: the user's own values with ``.$`` keys (JSONPath) or ``{% … %}`` strings (JSONata)."""

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
    """A JSONPath payload template: ``x.$`` is a path or an intrinsic call and has no ``x`` beside it (ASL A3.12)."""
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


def check_expressions(value: Any, place: str, report: Report, *, error_output: bool = False) -> None:
    """Every JSONata string within a value. ``error_output`` says that ``$states.errorOutput`` exists here."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            check_expressions(item, f"{place}/{key}", report, error_output=error_output)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            check_expressions(item, f"{place}[{index}]", report, error_output=error_output)
    elif is_expression(value):
        _check_expression(value[2:-2].strip(), place, report, error_output)
    elif isinstance(value, str) and value.startswith("{%"):
        report.error("JSONata string must start with {% and end with %}", place)


def _check_expression(text: str, place: str, report: Report, error_output: bool) -> None:
    expression = parse_jsonata(text)
    if isinstance(expression, str):
        report.error(expression, place, INVALID_JSONATA_EXPRESSION)
        return
    for problem in expression.unsupported_references():
        report.error(problem, place, UNSUPPORTED_JSONATA_EXPRESSION)
    if "errorOutput" in (expression.states_fields or ()) and not error_output:
        report.error("Field '$states.errorOutput' does not exist.", place, UNSUPPORTED_JSONATA_EXPRESSION)
