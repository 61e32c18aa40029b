"""Parses an intrinsic call into nodes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stepwell.asl.cursor import Cursor
from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.json import number_value

MAX_NESTING = 10
_ESCAPABLE = frozenset("'{}\\")
_NUMBER = frozenset("0123456789+-.eE")
_WORDS: tuple[tuple[str, Any], ...] = (("true", True), ("false", False), ("null", None))


class Literal(Struct, frozen=True):
    """A constant. ``raw`` is a string's text with its escapes: Format must distinguish ``{}`` from ``\\{``."""

    value: Any
    raw: str | None = None


class PathText(Struct, frozen=True):
    """A path as text."""

    text: str


class Call(Struct, frozen=True):
    """A call; ``name`` is without ``States.``."""

    name: str
    arguments: tuple[Literal | PathText | Call, ...]


Node = Literal | PathText | Call


def parse_call(text: str) -> Call:
    """Parse the call in a text. Raises ExpressionSyntaxError."""
    cursor = _IntrinsicCursor(text)
    cursor.blanks()
    call = _call(cursor)
    cursor.blanks()
    if not cursor.done:
        cursor.fail("nothing may follow the call")
    return call


class _IntrinsicCursor(Cursor):
    MAX_DEPTH = MAX_NESTING

    def fail(self, problem: str) -> Any:
        raise ExpressionSyntaxError(
            f"Invalid intrinsic function call '{self.text}': {problem} at character {self.position + 1}."
        )


def _call(cursor: Cursor) -> Call:
    cursor.expect("States.")
    name = cursor.take_while(str.isalnum)
    cursor.blanks()
    cursor.descend()
    cursor.expect("(")
    cursor.blanks()
    arguments: list[Node] = []
    while not cursor.take(")"):
        if arguments:
            cursor.expect(",")
            cursor.blanks()
        arguments.append(_argument(cursor))
        cursor.blanks()
    cursor.depth -= 1
    return Call(name, tuple(arguments))


def _argument(cursor: Cursor) -> Node:
    character = cursor.peek()
    if character == "'":
        return _string(cursor)
    if character == "$":
        return PathText(_path(cursor))
    if character == "S":
        return _call(cursor)
    for word, value in _WORDS:
        if cursor.take(word):
            return Literal(value)
    text = cursor.take_while(lambda each: each in _NUMBER)
    number = number_value(text)
    if number is None:
        cursor.fail("expected a string in single quotes, a number, true, false, null, a path or a call")
    return Literal(number)


def _string(cursor: Cursor) -> Literal:
    cursor.expect("'")
    start = cursor.position
    parts: list[str] = []
    while not cursor.take("'"):
        if cursor.done:
            cursor.fail("a string has no closing '")
        if cursor.take("\\") and cursor.peek() not in _ESCAPABLE:
            cursor.fail("a backslash may stand only before ', {, } and another backslash")
        parts.append(cursor.peek())
        cursor.position += 1
    return Literal("".join(parts), cursor.text[start : cursor.position - 1])


def _path(cursor: Cursor) -> str:
    """The text of a path, up to the comma or parenthesis that ends the argument."""
    start = cursor.position
    depth = 0
    while not cursor.done:
        character = cursor.peek()
        if character in "'\"" and depth:
            cursor.quoted_name()
            continue
        if not depth and (character in ",)" or character.isspace()):
            break
        depth += (character in "[(") - (character in "])")
        cursor.position += 1
    return cursor.text[start : cursor.position]
