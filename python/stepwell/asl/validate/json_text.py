"""Parses the text of a definition: syntax errors with the texts of AWS's parser (Jackson), repeated keys recorded."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from stepwell.asl.json import INT64_MAX, INT64_MIN

_SHOWN = 500
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r"\w+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
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
        self._text, self._at = text, 0

    def find_error(self) -> JsonSyntaxError:
        try:
            self._value()
            self._skip()
            if self._at < len(self._text):
                self._fail_at_character(f"was expecting {_ANY_VALUE}")
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
            self._string()
        elif first == "-" or first.isdigit():
            self._digits()
        else:
            self._token()

    def _members(self) -> None:
        start = self._open("Object")
        if self._closes("}"):
            return
        while True:
            self._need(start, "Object")
            if self._text[self._at] != '"':
                self._fail_at_character("was expecting double-quote to start field name")
            self._string()
            self._need(start, "Object")
            if self._text[self._at] != ":":
                self._fail_at_character("was expecting a colon to separate field name and value")
            self._at += 1
            self._need(start, "Object")
            self._value()
            self._need(start, "Object")
            if self._closes("}"):
                return
            self._comma("Object")

    def _items(self) -> None:
        start = self._open("Array")
        if self._closes("]"):
            return
        while True:
            self._need(start, "Array")
            self._value()
            self._need(start, "Array")
            if self._closes("]"):
                return
            self._comma("Array")

    def _open(self, kind: str) -> int:
        start = self._at
        self._at += 1
        self._need(start, kind)
        return start

    def _closes(self, mark: str) -> bool:
        if self._text[self._at] != mark:
            return False
        self._at += 1
        return True

    def _comma(self, kind: str) -> None:
        if self._text[self._at] != ",":
            self._fail_at_character(f"was expecting comma to separate {kind} entries")
        self._at += 1

    def _need(self, start: int, kind: str) -> None:
        self._skip()
        if self._at >= len(self._text):
            opened = _place(self._text, start)
            self._fail(f"Unexpected end-of-input: expected close marker for {kind} (start marker at {opened})")

    def _string(self) -> None:
        found = _STRING.match(self._text, self._at)
        if found is None:
            self._at = len(self._text)
            self._fail("Unexpected end-of-input: was expecting closing quote for a string value")
        self._at = found.end()

    def _digits(self) -> None:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            self._at += 1
            self._fail_at_character("expected digit (0-9) to follow minus sign, for valid numeric value")
        self._at = found.end()
        if self._at < len(self._text) and self._text[self._at] not in " \t\r\n,]}":
            self._fail_at_character("Expected space separating root-level values")

    def _token(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self._fail_at_character(f"expected a valid value {_ANY_VALUE}")
        if found.group() not in ("null", "true", "false"):
            self._at = found.end()
            self._fail(f"Unrecognized token '{found.group()}': was expecting {_ANY_VALUE}")
        self._at = found.end()

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _fail_at_character(self, expected: str) -> NoReturn:
        if self._at >= len(self._text):
            self._fail(f"Unexpected end-of-input: {expected}")
        character = self._text[self._at]
        # Jackson has already read the character when it stops.
        self._at += 1
        self._fail(f"Unexpected character ('{character}' (code {ord(character)})): {expected}")

    def _fail(self, message: str) -> NoReturn:
        raise JsonSyntaxError(message, self._text, self._at)
