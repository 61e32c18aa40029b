"""Checks that all parts of a definition share: required and unsupported fields, types, bounds, choices."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeGuard

from stepwell.asl.timestamps import parse_timestamp
from stepwell.asl.validate.diagnostic import Report

MAX_SECONDS = 99_999_999


def listed(names: Iterable[str]) -> str:
    """Field names as AWS lists them: ``[States, StartAt]``."""
    return f"[{', '.join(names)}]"


def require(value: dict[str, Any], names: Iterable[str], place: str, report: Report) -> bool:
    """Refuse an object without these fields; True if it has them."""
    missing = [name for name in names if name not in value]
    if missing:
        report.error(f"These fields are required: {listed(missing)}", place)
    return not missing


def refuse_unknown(value: dict[str, Any], known: Collection[str], place: str, report: Report) -> None:
    """Refuse every unknown field, reported at its object (ASL A2.7)."""
    for name in value:
        if name not in known:
            report.error(f"Field '{name}' is not supported", place)


def at_most_one(value: dict[str, Any], names: tuple[str, ...], place: str, report: Report) -> None:
    """Refuse two fields that exclude each other, ``MaxConcurrency`` and ``MaxConcurrencyPath``."""
    if sum(name in value for name in names) > 1:
        report.error(f"There should only be one of the following fields: {listed(names)}", place)


def exactly_one(value: dict[str, Any], names: tuple[str, ...], place: str, report: Report) -> None:
    """Refuse an object with none, or several, of these fields."""
    if not any(name in value for name in names):
        report.error(f"This object should have only one of the following fields: {listed(names)}", place)
    else:
        at_most_one(value, names, place, report)


def is_object(value: Any, place: str, report: Report) -> TypeGuard[dict[str, Any]]:
    """Refuse anything but an object."""
    if isinstance(value, dict):
        return True
    _wrong_type("OBJECT", place, report)
    return False


def is_array(value: Any, place: str, report: Report) -> TypeGuard[list[Any]]:
    """Refuse anything but an array."""
    if isinstance(value, list):
        return True
    _wrong_type("ARRAY", place, report)
    return False


def is_filled_array(value: Any, place: str, report: Report) -> TypeGuard[list[Any]]:
    """Refuse anything but a non-empty array."""
    if not is_array(value, place, report):
        return False
    if not value:
        report.error("Value cannot be empty", place)
        return False
    return True


def is_text(value: Any, place: str, report: Report) -> TypeGuard[str]:
    """Refuse anything but a string."""
    if isinstance(value, str):
        return True
    _wrong_type("STRING", place, report)
    return False


def is_boolean(value: Any, place: str, report: Report) -> bool:
    """Refuse anything but true or false."""
    if isinstance(value, bool):
        return True
    _wrong_type("BOOLEAN", place, report)
    return False


def is_integer(
    value: Any, place: str, report: Report, *, minimum: int | None = None, maximum: int | None = None
) -> TypeGuard[int]:
    """Refuse anything but an integer within the bounds."""
    if type(value) is not int:
        _wrong_type("INTEGER", place, report)
        return False
    return _within(value, place, report, minimum, maximum)


def is_number(
    value: Any, place: str, report: Report, *, minimum: float | None = None, maximum: float | None = None
) -> TypeGuard[int | float]:
    """Refuse anything but a number within the bounds, which are printed as doubles."""
    if type(value) not in (int, float):
        _wrong_type("NUMBER", place, report)
        return False
    return _within(value, place, report, minimum, maximum)


def one_of(value: Any, allowed: tuple[str, ...], place: str, report: Report) -> bool:
    """Refuse a string that is not one of these."""
    if not is_text(value, place, report):
        return False
    if value in allowed:
        return True
    report.error(f"Value should be one of the following: {listed(allowed)}", place)
    return False


def is_expression(value: Any) -> TypeGuard[str]:
    """Whether a value is JSONata: it starts with ``{%`` and ends with ``%}``, exactly (ASL A4.16)."""
    return isinstance(value, str) and len(value) >= 4 and value.startswith("{%") and value.endswith("%}")


def is_timestamp(text: str) -> bool:
    """Whether a text is an RFC 3339 timestamp with an uppercase T, and a Z or an offset (ASL A9.51)."""
    return parse_timestamp(text) is not None


def _within(value: float, place: str, report: Report, minimum: float | None, maximum: float | None) -> bool:
    if minimum is not None and value < minimum:
        report.error(f"Minimum value is {minimum}", place)
        return False
    if maximum is not None and value > maximum:
        report.error(f"Maximum value is {maximum}", place)
        return False
    return True


def _wrong_type(expected: str, place: str, report: Report) -> None:
    report.error(f"Expected value of type [{expected}]", place)
