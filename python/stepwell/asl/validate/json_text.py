"""Parses the text of a definition: syntax errors with the texts of AWS's parser (Jackson), repeated keys recorded."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from stepwell.asl.json import INT64_MAX, INT64_MIN

_SHOWN = 500
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r"(?:[^\W\d]|\$)(?:\w|\$)*")
_DIGITS = re.compile(r"-?([0-9]+)")
_NUMBERS = re.compile(r"[0-9]+")
_CHARACTERS = re.compile(r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_HEX_DIGITS = re.compile(r"\\u[0-9a-fA-F]*")
_NO_DIGIT = "expected digit (0-9) to follow minus sign, for valid numeric value"
_COMMENT = (
    "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
)
_ANY_VALUE = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


class JsonSyntaxError(ValueError):
    """Text that is not JSON. ``message`` is Jackson's, ``place`` its ``[Source: …; line: …, column: …]``."""

    def __init__(self, message: str, text: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.place = _place(text, offset)


class RepeatedKeys:
    """Which objects of a parsed text had a key more than once."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        # The object is kept too, because an id is unique only while its object lives.
        self._found: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def add(self, value: dict[str, Any], keys: list[str]) -> None:
        """Record that ``value`` was written with ``keys`` repeated."""
        self._found[id(value)] = (value, keys)

    def of(self, value: dict[str, Any]) -> list[str]:
        """The keys written more than once in this object, in order."""
        return self._found[id(value)][1] if id(value) in self._found else []


def parse(text: str) -> tuple[Any, RepeatedKeys]:
    """The value of a JSON text and its repeated keys. Raises JsonSyntaxError if it is not JSON."""
    repeated = RepeatedKeys()

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            keys = [key for key, _ in pairs if key in seen or seen.add(key)]
            repeated.add(value, list(dict.fromkeys(keys)))
        return value

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        value = json.loads(
            text, object_pairs_hook=build, parse_constant=refuse, parse_int=_integer, parse_float=_number
        )
    except RecursionError:
        raise JsonSyntaxError("The document is nested too deeply", text, 0) from None
    except ValueError:
        raise _Scanner(text).find_error() from None
    return value, repeated


def syntax_error(text: str) -> JsonSyntaxError | None:
    """Jackson's error for this text, None if it is JSON."""
    try:
        parse(text)
    except JsonSyntaxError as error:
        return error
    return None


def _integer(digits: str) -> int | float:
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 400:
        return _number(digits)
    value = int(digits)
    return value if INT64_MIN <= value <= INT64_MAX else _number(digits)


def _number(digits: str) -> int | float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(digits)
    return int(value) if value.is_integer() and INT64_MIN <= value < 2.0**63 else value


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    shown = f'"{text[:_SHOWN]}"'
    if len(text) > _SHOWN:
        shown += f"[truncated {len(text) - _SHOWN} chars]"
    return f"[Source: (String){shown}; line: {line}, column: {column}]"


class _Scanner:
    """Reads invalid JSON up to the place where Jackson stops."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0

    def find_error(self) -> JsonSyntaxError:
        try:
            self._value()
            self._skip()
            if self._at < len(self._text):
                self._value()  # what cannot be read there is refused first
                self._fail("Trailing token found after value")
        except JsonSyntaxError as error:
            return error
        except RecursionError:
            return JsonSyntaxError("The document is nested too deeply", self._text, 0)
        return JsonSyntaxError("A number in this text is too large", self._text, 0)

    def _value(self) -> None:
        self._skip()
        if self._at >= len(self._text):
            self._fail("No content to map due to end-of-input" if not self._text.strip() else "Unexpected end-of-input")
        first = self._text[self._at]
        if first == "{":
            self._members()
        elif first == "[":
            self._items()
        elif first == '"':
            self._string("string value", ": was expecting closing quote for a string value")
        elif first == "-" or first in "0123456789":
            self._digits()
        else:
            self._token()

    def _members(self) -> None:
        start = self._open("Object")
        if self._closes("}", "]", start):
            self._depth -= 1
            return
        while True:
            if self._text[self._at] != '"':
                self._fail_at_character("was expecting double-quote to start field name")
            self._string("name", " in field name")
            self._need_entry("Object")
            if self._text[self._at] != ":":
                self._fail_at_character("was expecting a colon to separate field name and value")
            self._at += 1
            self._need_entry("Object")
            if self._text[self._at] == "}":
                self._fail_at_character("expected a value")
            self._value()
            self._need(start, "Object")
            if self._closes("}", "]", start):
                self._depth -= 1
                return
            self._comma("Object")

    def _items(self) -> None:
        start = self._open("Array")
        if self._closes("]", "}", start):
            self._depth -= 1
            return
        while True:
            self._value()
            self._need(start, "Array")
            if self._closes("]", "}", start):
                self._depth -= 1
                return
            self._comma("Array")

    def _open(self, kind: str) -> int:
        start = self._at
        self._at += 1
        self._depth += 1
        self._need(start, kind)
        return start

    def _closes(self, mark: str, other: str, start: int) -> bool:
        found = self._text[self._at]
        if found == other:
            self._at += 1
            kind = "Object" if mark == "}" else "Array"
            opened = _place(self._text, start)
            self._fail(f"Unexpected close marker '{other}': expected '{mark}' (for {kind} starting at {opened})")
        if found != mark:
            return False
        self._at += 1
        return True

    def _comma(self, kind: str) -> None:
        if self._text[self._at] != ",":
            self._fail_at_character(f"was expecting comma to separate {kind} entries")
        self._at += 1
        self._need_entry(kind)

    def _need(self, start: int, kind: str) -> None:
        self._skip()
        if self._at >= len(self._text):
            opened = _place(self._text, start)
            self._fail(f"Unexpected end-of-input: expected close marker for {kind} (start marker at {opened})")

    def _need_entry(self, kind: str) -> None:
        self._skip()
        if self._at >= len(self._text):
            self._fail(f"Unexpected end-of-input within/between {kind} entries")

    def _string(self, what: str, at_end: str) -> None:
        found = _CHARACTERS.match(self._text, self._at + 1)
        self._at = len(self._text) if found is None else found.end()
        mark = self._text[self._at : self._at + 1]
        if mark == '"':
            self._at += 1
        elif mark == "\\":
            self._escape()
        elif mark:
            self._at += 1
            how = f"has to be escaped using backslash to be included in {what}"
            self._fail(f"Illegal unquoted character ({_described(mark)}): {how}")
        else:
            self._fail(f"Unexpected end-of-input{at_end}")

    def _escape(self) -> None:
        """Refuse what stands behind a backslash, and is no escape."""
        digits = _HEX_DIGITS.match(self._text, self._at)
        after = self._at + 1 if digits is None else digits.end()
        if after >= len(self._text):
            self._at = len(self._text)
            self._fail("Unexpected end-of-input in character escape sequence")
        self._at = after
        if digits is not None:
            self._fail_at_character("expected a hex-digit for character escape sequence")
        self._at += 1
        self._fail(f"Unrecognized character escape {_described(self._text[after])}")

    def _digits(self) -> None:
        found = _DIGITS.match(self._text, self._at)
        if found is None:
            self._at += 1
            if self._text.startswith("Infinity", self._at):
                self._fail_non_standard("-Infinity")
            self._fail_in_number("No digit following sign", _NO_DIGIT)
        self._at = found.end()
        if len(found[1]) > 1 and found[1][0] == "0":
            self._fail("Invalid numeric value: Leading zeroes not allowed")
        if self._text[self._at : self._at + 1] == ".":
            self._fraction()
        if self._text[self._at : self._at + 1] in ("e", "E"):
            self._exponent()
        if self._depth == 0 and self._at < len(self._text) and self._text[self._at] not in " \t\r\n":
            self._fail_at_character("Expected space separating root-level values")

    def _fraction(self) -> None:
        digits = _NUMBERS.match(self._text, self._at + 1)
        if digits is None:
            self._at = min(self._at + 1, len(self._text) - 1)
            self._fail_in_number("", "Decimal point not followed by a digit")
        self._at = digits.end()

    def _exponent(self) -> None:
        signed = self._text[self._at + 1 : self._at + 2] in ("+", "-")
        self._at += 2 if signed else 1
        digits = _NUMBERS.match(self._text, self._at)
        if digits is None:
            self._fail_in_number("expected a digit for number exponent", "Exponent indicator not followed by a digit")
        self._at = digits.end()

    def _token(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self._fail_at_character(_COMMENT if self._text[self._at] == "/" else f"expected a valid value {_ANY_VALUE}")
        self._at = found.end()
        token = found.group()
        if token in ("NaN", "Infinity"):
            self._fail_non_standard(token)
        if token not in ("null", "true", "false"):
            self._fail(f"Unrecognized token '{token}': was expecting {_ANY_VALUE}")

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        sign = self._text[self._at : self._at + 1]
        if sign and sign < " ":
            self._at += 1
            where = r"only regular white space (\r, \n, \t) is allowed between tokens"
            self._fail(f"Illegal character ({_described(sign)}): {where}")

    def _fail_non_standard(self, token: str) -> NoReturn:
        self._fail(f"Non-standard token '{token}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow")

    def _fail_in_number(self, at_end: str, expected: str) -> NoReturn:
        if self._at >= len(self._text):
            self._fail(f"Unexpected end-of-input{at_end}")
        character = self._text[self._at]
        self._at += 1
        self._fail(f"Unexpected character ({_described(character)}) in numeric value: {expected}")

    def _fail_at_character(self, expected: str) -> NoReturn:
        character = self._text[self._at]
        # Jackson has already read the character when it stops.
        self._at += 1
        self._fail(f"Unexpected character ({_described(character)}): {expected}")

    def _fail(self, message: str) -> NoReturn:
        raise JsonSyntaxError(message, self._text, self._at)


def _described(character: str) -> str:
    """A character as Jackson shows it."""
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code} / 0x{code:x})" if code > 0xFF else f"'{character}' (code {code})"
