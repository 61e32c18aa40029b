"""The operators of filters, with Jayway's rules for values of different types.

A string and a number compare equal where one reads as the other; nothing equals a path that finds nothing, so that
``!=`` is true of it; order exists between two numbers and between two strings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.json import is_array, is_number, is_object, number_text, number_value
from stepwell.asl.jsonpath.regex import Pattern
from stepwell.asl.jsonpath.syntax import MISSING, Run

Compare = Callable[[Any, Any, Run], bool]
Values = list[Any]
_NUMBER = frozenset("0123456789+-.eE")


def equal(left: Any, right: Any) -> bool:
    """``==``."""
    if left is MISSING or right is MISSING:
        return False
    if is_number(left):
        return left == right if is_number(right) else isinstance(right, str) and _reads_as(right) == left
    if isinstance(left, str):
        return left == (number_text(right) if is_number(right) else right)
    return _same(left, right)


def _reads_as(text: str) -> float | None:
    # Java's BigDecimal reads neither blanks nor underscores.
    return number_value(text) if text and all(character in _NUMBER for character in text) else None


def _same(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same; unlike Python, true is not 1."""
    if is_array(left) and is_array(right):
        return len(left) == len(right) and all(map(_same, left, right))
    if is_object(left) and is_object(right):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _strictly_equal(left: Any, right: Any) -> bool:
    same_kind = is_number(right) if is_number(left) else type(left) is type(right)
    return same_kind and equal(left, right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Compare:
    def test(left: Any, right: Any, _: Run) -> bool:
        comparable = (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return comparable and compare(left, right)

    return test


def _matches(left: Any, right: Any, run: Run) -> bool:
    if isinstance(right, Pattern):
        pattern, value = right, left
    elif isinstance(left, Pattern):
        pattern, value = left, right
    else:
        return False
    if is_array(value):
        return any(pattern.matches(_as_text(item), run) for item in value)
    return pattern.matches(_as_text(value), run)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if is_number(value) else ""


def _in(left: Any, right: Any, run: Run) -> bool:
    return is_array(right) and _contains(right, left, run)


def _contains(items: Values, wanted: Any, run: Run) -> bool:
    run.spend(len(items))
    return any(equal(item, wanted) for item in items)


def _has(left: Any, right: Any, run: Run) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    return is_array(left) and _contains(left, right, run)


def _has_all(left: Any, right: Any, run: Run) -> bool:
    return is_array(left) and is_array(right) and all(_contains(left, item, run) for item in right)


def _is_subset(left: Any, right: Any, run: Run) -> bool:
    return is_array(left) and is_array(right) and all(_contains(right, item, run) for item in left)


def _has_any(left: Any, right: Any, run: Run) -> bool:
    return is_array(left) and is_array(right) and any(_contains(right, item, run) for item in left)


def _has_none(left: Any, right: Any, run: Run) -> bool:
    return is_array(left) and is_array(right) and not _has_any(left, right, run)


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str) or is_array(value) or is_object(value) else None


def _has_size(left: Any, right: Any, _: Run) -> bool:
    return is_number(right) and _length(left) == int(right)


def _is_empty(left: Any, right: Any, _: Run) -> bool:
    return isinstance(right, bool) and _length(left) is not None and (not left) == right


OPERATORS: dict[str, Compare] = {
    "==": lambda left, right, _: equal(left, right),
    "!=": lambda left, right, _: not equal(left, right),
    "===": lambda left, right, _: _strictly_equal(left, right),
    "!==": lambda left, right, _: not _strictly_equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": _matches,
    "in": _in,
    "nin": lambda left, right, run: not _in(left, right, run),
    "contains": _has,
    "all": _has_all,
    "subsetof": _is_subset,
    "anyof": _has_any,
    "noneof": _has_none,
    "size": _has_size,
    "empty": _is_empty,
}
