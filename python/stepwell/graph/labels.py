"""Texts in drawings: rules of Choice states in a line, names that are safe to show, wrapped lines and their widths."""

from __future__ import annotations

import unicodedata
from typing import Any

from stepwell.asl.json import dumps

_SYMBOLS = {
    "GreaterThanEquals": "≥",
    "LessThanEquals": "≤",
    "GreaterThan": ">",
    "LessThan": "<",
    "Equals": "=",
    "Matches": "~",
}
_KINDS = ("String", "Numeric", "Boolean", "Timestamp")
_HIDDEN = frozenset("\u200b\u200e\u200f\u061c\ufeff\u2028\u2029") | frozenset(
    chr(code) for first, last in ((0x202A, 0x202E), (0x2066, 0x2069)) for code in range(first, last + 1)
)
_NARROW = frozenset("ijl|!.,:;'I()[]{}ft`°·/\\ ")
_WIDE = frozenset("mwMW@%—…✓✕●◷■↷◐↻")


def visible(text: str) -> str:
    """The text with characters that cannot be drawn, or that change how others are read, as ``\\u202e``."""
    return "".join(_escaped(sign) if _is_hidden(sign) else sign for sign in text)


def _is_hidden(sign: str) -> bool:
    return sign in _HIDDEN or unicodedata.category(sign) in ("Cc", "Cs", "Cn", "Co")


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shortened(text: str, most: int) -> str:
    """The text with at most ``most`` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def rule_text(rule: dict[str, Any]) -> str:
    """A choice rule in a line: ``$.total > 100 and $.country = "CH"``."""
    if "Condition" in rule:
        condition = rule["Condition"]
        text = condition if isinstance(condition, str) else dumps(condition).decode()
        return text.strip().removeprefix("{%").removesuffix("%}").strip()
    for name, word in (("And", " and "), ("Or", " or ")):
        if name in rule:
            return word.join(_grouped(part) for part in rule[name])
    if "Not" in rule:
        return f"not ({rule_text(rule['Not'])})"
    variable = rule.get("Variable", "")
    operator = next((key for key in rule if key not in ("Variable", "Next", "Comment", "Assign", "Output")), "")
    return _comparison(variable, operator, rule.get(operator))


def _grouped(rule: dict[str, Any]) -> str:
    text = rule_text(rule)
    return f"({text})" if "And" in rule or "Or" in rule else text


def _comparison(variable: str, operator: str, operand: Any) -> str:
    if operator.startswith("Is"):
        word = "" if operand is True else "not "
        return f"{variable} is {word}{operator[2:].lower()}"
    of_path = operator.endswith("Path")
    name = operator.removesuffix("Path")
    kind = next((kind for kind in _KINDS if name.startswith(kind)), "")
    symbol = _SYMBOLS.get(name.removeprefix(kind), operator)
    return f"{variable} {symbol} {operand if of_path else dumps(operand).decode()}"


def text_width(text: str, size: float) -> float:
    """About the width of a text in a common sans-serif font of ``size`` pixels; rather too wide than too narrow."""
    return sum(_share(sign) for sign in text) * size


def _share(sign: str) -> float:
    if sign in _NARROW:
        return 0.37
    if sign in _WIDE or unicodedata.east_asian_width(sign) in "WF":
        return 1.02
    if unicodedata.combining(sign):
        return 0.0
    return 0.7 if sign.isupper() or not sign.isascii() else 0.62


def wrapped(text: str, size: float, width: float, most_lines: int) -> list[str]:
    """The text in lines of at most ``width`` pixels, broken at spaces where that is possible."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most_lines:
        fitting = _fitting(rest, size, width)
        if fitting < len(rest):
            space = rest.rfind(" ", 1, fitting + 1)
            fitting = space if space > fitting // 2 else fitting
        lines.append(rest[:fitting].strip())
        rest = rest[fitting:].lstrip()
    if rest:
        lines[-1] = lines[-1][:-1] + "…"
    return lines or [""]


def _fitting(text: str, size: float, width: float) -> int:
    used = 0.0
    for index, sign in enumerate(text):
        used += _share(sign) * size
        if used > width and index:
            return index
    return len(text)
