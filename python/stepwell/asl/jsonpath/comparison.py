"""The operators of filters, between values of any types.

A text in a filter has no type: it is compared with a number as a number, with a boolean as a boolean. ``null`` and the
text ``null`` are equal and come first in the order; values that cannot be compared make every operator false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from stepwell.asl.json import INT64_MAX, INT64_MIN
from stepwell.asl.jsonpath.decimals import decimal, is_number
from stepwell.asl.jsonpath.errors import Impossible
from stepwell.asl.jsonpath.java import code_units

Order = Callable[[Any], int | None]
"""How a fixed value compares with another: negative, 0, positive, or None if they cannot be compared."""

_EXACT = Decimal(2**53)


def order(expected: Any, model: Any) -> int | None:
    """How the right side of a comparison compares with its left side."""
    if expected is None or expected == "null":
        return 0 if model is None or model == "null" else -1
    if model is None or model == "null":
        return 1
    if isinstance(expected, str):
        return _text_order(expected, model)
    if isinstance(expected, bool):
        return expected - model if isinstance(model, bool) else None
    if _is_number(expected) and _is_number(model):
        return _sign(expected, model) if type(expected) is type(model) else _sign(_exact(expected), _exact(model))
    return None


def _text_order(expected: str, model: Any) -> int | None:
    if isinstance(model, str):
        # Two paths to one text of the document find it equal, though only one side is unescaped.
        return 0 if expected is model else _texts(_unescaped(expected), model)
    if isinstance(model, bool):
        return _is_true(expected) - model
    return _sign(decimal(expected), _exact(model)) if _is_number(model) else None


def _order_of(literal: str, number: Decimal | None) -> Order:
    """``order`` of a text in a filter, and of the number that it spells."""
    if literal == "null":
        return lambda model: 0 if model is None or model == "null" else -1
    text, truth = _unescaped(literal), _is_true(literal)

    def compare(model: Any) -> int | None:
        if isinstance(model, str):
            return _texts(text, model) if model != "null" else 1
        if isinstance(model, bool):
            return truth - model
        if _is_number(model):
            return _sign(decimal(literal) if number is None else number, _exact(model))
        return 1 if model is None else None

    return compare


def _number(literal: str) -> Decimal | None:
    """The number that a text spells. Java complains about any other text only when a number is compared with it."""
    if not is_number(literal):  # most texts: the complaint is made only when it is shown
        return None
    try:
        return decimal(literal)
    except Impossible:
        return None


def _nearest(number: Decimal) -> float | None:
    """The double that may replace a number in comparisons.

    It prints like the number, and both are so small that no integer lies between them.
    """
    if not -_EXACT < number < _EXACT:
        return None
    near = float(number)
    return near if Decimal(repr(near)) == number else None


def _exact(value: float) -> Decimal:
    """The number as Java prints it, because Java compares by that."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _is_number(value: Any) -> bool:
    """Whether Java treats it as a number; an integer beyond 64 bits is an object of the JSON tree."""
    if isinstance(value, float):
        return True
    return isinstance(value, int) and not isinstance(value, bool) and INT64_MIN <= value <= INT64_MAX


def _are_longs(left: int, right: int) -> bool:
    return INT64_MIN <= left <= INT64_MAX and INT64_MIN <= right <= INT64_MAX


def _is_true(text: str) -> bool:
    return text.lower() == "true"


def _unescaped(text: str) -> str:
    return text.replace("\\'", "'")


def _texts(left: str, right: str) -> int:
    if left == right:
        return 0
    if left.isascii() or right.isascii():
        return -1 if left < right else 1
    return -1 if code_units(left) < code_units(right) else 1


def _sign(left: Any, right: Any) -> int:
    return (left > right) - (left < right)


Holds = Callable[[Any], bool]
"""Whether an operator holds for a value on its left side and a fixed one on its right side."""

# For the left side. An order between null and another value is false, whatever ``order`` returns.
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def compare(symbol: str) -> Callable[[Any, Any], bool]:
    """The function of an operator: (left value, right value) → whether it holds."""
    test, is_order = OPERATORS[symbol], symbol not in ("==", "!=")

    def holds(model: Any, expected: Any) -> bool:
        if model.__class__ is int and expected.__class__ is int and _are_longs(model, expected):
            return test(model, expected)
        if is_order and (expected is None) != (model is None):
            return False
        sign = order(expected, model)
        return sign is not None and test(0, sign)

    return holds


def compare_with(symbol: str, literal: str) -> Holds:
    """The function of an operator with a text of the filter on its right side."""
    test, is_order, number = OPERATORS[symbol], symbol not in ("==", "!="), _number(literal)
    sign_of = _order_of(literal, number)
    by_type = _direct(literal, number, is_order=is_order)
    direct, near = by_type.get, by_type.get(int)

    def holds(model: Any) -> bool:
        expected = direct(model.__class__)
        # A large number is compared exactly; an integer beyond 64 bits cannot be compared.
        if expected is not None and (expected is not near or INT64_MIN <= model <= INT64_MAX):
            return test(model, expected)
        if model is None and is_order:
            return False
        sign = sign_of(model)
        return sign is not None and test(0, sign)

    return holds


def _direct(literal: str, number: Decimal | None, *, is_order: bool) -> dict[type, Any]:
    """The types whose values Python compares with the text as Java does, and what it compares them with."""
    direct: dict[type, Any] = {}
    # The text null comes before any other; beyond ASCII, texts are ordered by UTF-16 code units.
    if literal != "null" and not is_order:
        direct[str] = _unescaped(literal)
    near = None if number is None else _nearest(number)
    if near is not None:
        direct[int] = direct[float] = near
    return direct
