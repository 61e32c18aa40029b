"""AWS's warnings: text that looks like a path, in a field that takes it literally."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from stepwell.asl.validate.diagnostic import Report
from stepwell.asl.validate.fields import JSONPATH
from stepwell.asl.validate.variables import inner_levels, states_of

NO_DOLLAR = "NO_DOLLAR"
NO_PATH = "NO_PATH"
PASS_RESULT_IS_STATIC = "PASS_RESULT_IS_STATIC"

_PATH = re.compile(r"\$(?:\$?[.\[]|[^\W\d]\w*(?:[.\[]|\Z))|States\.[A-Z]\w+\(")
_PAYLOADS = ("Parameters", "ResultSelector", "ItemSelector", "Assign")
_PLAIN = ("Error", "Cause", "Timestamp")


def warn(level: dict[str, Any], path: str, language: str, report: Report) -> None:
    """Add the warnings for one level of states and the levels within."""
    for name, state in states_of(level):
        place = f"{path}/States/{name}"
        if state.get("QueryLanguage", language) == JSONPATH:
            _warn_of_state(state, place, report)
        for inner in inner_levels(state, place):
            warn(inner.value, inner.path, language, report)


def _warn_of_state(state: dict[str, Any], place: str, report: Report) -> None:
    for field in _PAYLOADS:
        for key, where in _literal_paths(state.get(field), f"{place}/{field}"):
            report.warning(
                f"The value of '{key}' looks like a path or a call: name the field '{key}.$'", where, NO_DOLLAR
            )
    for field in _PLAIN:
        if isinstance(state.get(field), str) and _PATH.match(state[field]):
            report.warning(f"The value of '{field}' looks like a path: use '{field}Path'", f"{place}/{field}", NO_PATH)
    choices: Any = state.get("Choices")
    for index, rule in enumerate(cast("list[Any]", choices) if isinstance(choices, list) else ()):
        _warn_of_rule(rule, f"{place}/Choices[{index}]", report)
    if state.get("Type") == "Pass":
        for _, where in _static_paths(state.get("Result"), f"{place}/Result"):
            message = "The Result of a Pass state is given as it is: put the path into Parameters"
            report.warning(message, where, PASS_RESULT_IS_STATIC)


def _warn_of_rule(rule: Any, place: str, report: Report) -> None:
    if not isinstance(rule, dict):
        return
    for name, operand in cast("dict[str, Any]", rule).items():
        if name in ("And", "Or") and isinstance(operand, list):
            for index, nested in enumerate(cast("list[Any]", operand)):
                _warn_of_rule(nested, f"{place}/{name}[{index}]", report)
        elif name == "Not":
            _warn_of_rule(operand, f"{place}/Not", report)
        elif _is_plain_text(name, operand) and _PATH.match(operand):
            report.warning(f"The value of '{name}' looks like a path: use '{name}Path'", f"{place}/{name}", NO_PATH)


def _is_plain_text(operator: str, operand: Any) -> bool:
    return operator.startswith("String") and not operator.endswith("Path") and isinstance(operand, str)


def _literal_paths(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Members of a payload template that hold a path as plain text, with the object that has them."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if not isinstance(item, str):
                yield from _literal_paths(item, f"{place}/{key}")
            elif not key.endswith(".$") and _PATH.match(item):
                yield key, place
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _literal_paths(item, f"{place}[{index}]")


def _static_paths(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Members of a Result whose names end in ``.$``, as if a path were read."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key.endswith(".$"):
                yield key, place
            else:
                yield from _static_paths(item, f"{place}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _static_paths(item, f"{place}[{index}]")
