"""Numbers in the texts of filters: what Java's BigDecimal reads, and its texts for what it cannot read."""

from __future__ import annotations

import re
from decimal import Decimal

from stepwell.asl.jsonpath.errors import Impossible
from stepwell.asl.jsonpath.java import INT_MAX, INT_MIN

_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?)(\d+))?", re.DOTALL)
_LONGEST_COMPACT = 18
_LONGEST_EXPONENT = 10


def decimal(text: str) -> Decimal:
    """The number that a text spells. Raises Impossible with Java's text for any other."""
    if text.isascii() and text.isdigit():
        return Decimal(text)
    found = _read(text)
    if found is None:
        raise Impossible(_complaint(text))
    sign, whole, fraction, exponent_sign, exponent_digits = found.groups(default="")
    exponent = _exponent(exponent_sign, exponent_digits)
    scale = len(fraction) - exponent
    if not INT_MIN <= scale <= INT_MAX:
        raise Impossible("Scale out of range.")
    return Decimal(f"{sign}{whole or '0'}.{fraction or '0'}E{exponent}")


def is_number(text: str) -> bool:
    """Whether a text looks like a number, which may still be out of Java's range."""
    return _read(text) is not None


def _read(text: str) -> re.Match[str] | None:
    found = _NUMBER.fullmatch(text)
    return found if found and (found[2] or found[3]) else None


def _exponent(sign: str, digits: str) -> int:
    if len(digits.lstrip("0")) > _LONGEST_EXPONENT:
        raise Impossible("Too many nonzero exponent digits.")
    exponent = int(f"{sign}{digits or '0'}")
    if not INT_MIN <= exponent <= INT_MAX:
        raise Impossible("Exponent overflow.")
    return exponent


def _complaint(text: str) -> str:
    """Java's text for a text that is not a number. Java reads short and long texts with different loops."""
    number = text[1:] if text[:1] in ("+", "-") else text
    seen_point = seen_digit = False
    for at, character in enumerate(number):
        if character.isdecimal():
            seen_digit = True
        elif character == ".":
            if seen_point:
                return "Character array contains more than one decimal point."
            seen_point = True
        elif character in ("e", "E"):
            return _exponent_complaint(number[at + 1 :]) or "No digits found."
        elif len(number) <= _LONGEST_COMPACT:
            shown = character if character <= "\uffff" else "?"  # Java reads one half of the surrogate pair
            return (
                f'Character {shown} is neither a decimal digit number, decimal point, nor "e" notation '
                "exponential mark."
            )
        else:
            return 'Character array is missing "e" notation exponential mark.'
    # An empty text is read past its end; that exception has no text.
    return "No digits found." if text and not seen_digit else "null"


def _exponent_complaint(text: str) -> str | None:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits:
        return "null"
    significant = digits
    while len(significant) > _LONGEST_EXPONENT and significant[0].isdecimal() and int(significant[0]) == 0:
        significant = significant[1:]
    if len(significant) > _LONGEST_EXPONENT:
        return "Too many nonzero exponent digits."
    if not digits.isdecimal():
        return "Not a digit."
    return None if INT_MIN <= int(text) <= INT_MAX else "Exponent overflow."
