"""Assign: the names and values of workflow variables (ASL A5)."""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl.validate import values
from stepwell.asl.validate.diagnostic import INVALID_VARIABLE_NAME, RESERVED_VARIABLE_NAME, Report
from stepwell.asl.validate.scope import Place
from stepwell.asl.validate.templates import NOTHING, check_expressions, check_template

_RESERVED = frozenset({"states"})
MAX_NAME_CHARACTERS = 80


def check_assign(owner: dict[str, Any], at: Place, *, has: frozenset[str] = NOTHING) -> None:
    """The Assign of a state, a choice rule or a catcher; ``has`` as ``check_expressions`` takes it."""
    if "Assign" not in owner:
        return
    place = f"{at.path}/Assign"
    value: Any = owner["Assign"]
    if not values.is_object(value, place, at.report):
        return
    for key in value:
        _check_name(variable_name(key, jsonata=at.is_jsonata), f"{place}/{key}", at.report)
    if at.is_jsonata:
        check_expressions(value, place, at.report, has=has)
    else:
        check_template(value, place, at.report)


def variable_name(key: str, *, jsonata: bool) -> str:
    """The variable that a key of Assign sets: in JSONPath ``total.$`` sets ``total``."""
    return key.removesuffix(".$") if not jsonata else key


def assigned_names(owner: dict[str, Any], *, jsonata: bool) -> list[str]:
    """The variables that an Assign sets."""
    value: Any = owner.get("Assign")
    if not isinstance(value, dict):
        return []
    return [variable_name(key, jsonata=jsonata) for key in cast("dict[str, Any]", value)]


def _check_name(name: str, place: str, report: Report) -> None:
    if name in _RESERVED:
        report.error(f"Cannot assign to reserved variable '${name}'.", place, RESERVED_VARIABLE_NAME)
    elif not name.isidentifier():
        # A path into a variable, x.y or x[2], is not a name: variables are set as a whole (ASL A5.28).
        message = f"Invalid variable name '{name}': the variable name contains invalid characters."
        report.error(message, place, INVALID_VARIABLE_NAME)
    elif len(name) > MAX_NAME_CHARACTERS:
        message = f"Invalid variable name '{name}': the variable name is longer than {MAX_NAME_CHARACTERS} characters."
        report.error(message, place, INVALID_VARIABLE_NAME)
