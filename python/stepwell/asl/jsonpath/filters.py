"""Reads the filter of ``[?(…)]`` and makes it a predicate.

The grammar is Jayway's: ``||`` over ``&&`` over ``!``, parentheses, comparisons, and a bare path as a test that
something is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from stepwell.asl.json import number_value
from stepwell.asl.jsonpath.comparison import OPERATORS
from stepwell.asl.jsonpath.regex import compile_pattern
from stepwell.asl.jsonpath.selectors import compile_find
from stepwell.asl.jsonpath.syntax import MISSING, Cursor, Find, Predicate, Step

ReadPath = Callable[[Cursor], tuple[Step, ...]]

_SYMBOLS = ("===", "!==", "==", "!=", "<=", ">=", "=~", "<", ">")
_NUMBER = frozenset("0123456789+-.eE")


class Operand(Struct, frozen=True):
    """One side of a comparison: ``find`` gives its value."""

    find: Find
    is_path: bool = False


def read_filter(cursor: Cursor, read_path: ReadPath) -> Predicate:
    """The predicate of the parenthesised filter at the cursor; ``read_path`` reads the steps of the paths in it."""
    cursor.expect("(")
    predicate = _any(cursor, read_path)
    cursor.blanks()
    cursor.expect(")")
    return predicate


def read_operand(cursor: Cursor, read_path: ReadPath) -> Operand:
    """A literal, a pattern or a path."""
    character = cursor.peek()
    if character in ("@", "$"):
        return _path(cursor, read_path)
    if character == "/":
        pattern = _pattern(cursor)
        return Operand(lambda _, run: pattern)
    value = _literal(cursor)
    return Operand(lambda _, run: value)


def _any(cursor: Cursor, read_path: ReadPath) -> Predicate:
    tests = [_all(cursor, read_path)]
    cursor.blanks()
    while cursor.take("||"):
        tests.append(_all(cursor, read_path))
        cursor.blanks()
    return tests[0] if len(tests) == 1 else lambda item, run: any(test(item, run) for test in tests)


def _all(cursor: Cursor, read_path: ReadPath) -> Predicate:
    tests = [_test(cursor, read_path)]
    cursor.blanks()
    while cursor.take("&&"):
        tests.append(_test(cursor, read_path))
        cursor.blanks()
    return tests[0] if len(tests) == 1 else lambda item, run: all(test(item, run) for test in tests)


def _test(cursor: Cursor, read_path: ReadPath) -> Predicate:
    cursor.blanks()
    if cursor.peek() == "!" and cursor.peek(1) != "=":
        cursor.position += 1
        cursor.descend()
        inner = _test(cursor, read_path)
        cursor.depth -= 1
        return lambda item, run: not inner(item, run)
    if cursor.peek() == "(":
        cursor.descend()
        inner = read_filter(cursor, read_path)
        cursor.depth -= 1
        return inner
    return _comparison(cursor, read_path)


def _comparison(cursor: Cursor, read_path: ReadPath) -> Predicate:
    left = read_operand(cursor, read_path)
    cursor.blanks()
    operator = _operator(cursor)
    if operator is None:
        if not left.is_path:
            cursor.fail("expected a comparison")
        return lambda item, run: left.find(item, run) is not MISSING
    cursor.blanks()
    right = read_operand(cursor, read_path)
    compare = OPERATORS[operator]
    return lambda item, run: compare(left.find(item, run), right.find(item, run), run)


def _operator(cursor: Cursor) -> str | None:
    for symbol in _SYMBOLS:
        if cursor.take(symbol):
            return symbol
    start = cursor.position
    word = cursor.take_while(str.isalpha).lower()
    if not word:
        return None
    if word not in OPERATORS:
        cursor.position = start
        cursor.fail(f"there is no operator '{word}'")
    return word


def _path(cursor: Cursor, read_path: ReadPath) -> Operand:
    is_absolute = cursor.peek() == "$"
    cursor.position += 1
    cursor.descend()
    find = compile_find(read_path(cursor))
    cursor.depth -= 1
    return Operand(_from_root(find) if is_absolute else find, is_path=True)


def _from_root(find: Find) -> Find:
    return lambda _, run: find(run.root, run)


def _pattern(cursor: Cursor) -> Any:
    cursor.expect("/")
    start = cursor.position
    while not cursor.done and cursor.peek() != "/":
        cursor.position += 2 if cursor.peek() == "\\" else 1
    text = cursor.text[start : cursor.position]
    cursor.expect("/")
    flags = cursor.take_while(lambda character: character in "idmsuxU")
    return compile_pattern(text, flags, cursor)


_WORDS = {"true": True, "false": False, "null": None}


def _literal(cursor: Cursor) -> Any:
    character = cursor.peek()
    if character in ("'", '"'):
        return cursor.quoted()
    if character == "[":
        return _array(cursor)
    if character == "{":
        return _object(cursor)
    if character.isalpha() or character == "_":
        # A bare word is a string to AWS: AWS's own samples have [?(@.Name==Receipt)].
        word = cursor.take_while(lambda character: character.isalnum() or character in "_-")
        return _WORDS.get(word, word)
    text = cursor.take_while(lambda character: character in _NUMBER)
    value = number_value(text)
    if value is None:
        cursor.fail("expected a path, a string, a number, true, false, null, an array or a pattern")
    return value


def _array(cursor: Cursor) -> list[Any]:
    cursor.expect("[")
    cursor.descend()
    items: list[Any] = []
    cursor.blanks()
    while not cursor.take("]"):
        if items:
            cursor.expect(",")
            cursor.blanks()
        items.append(_literal(cursor))
        cursor.blanks()
    cursor.depth -= 1
    return items


def _object(cursor: Cursor) -> dict[str, Any]:
    cursor.expect("{")
    cursor.descend()
    fields: dict[str, Any] = {}
    cursor.blanks()
    while not cursor.take("}"):
        if fields:
            cursor.expect(",")
            cursor.blanks()
        if cursor.peek() not in ("'", '"'):
            cursor.fail("expected a quoted name")
        name = cursor.quoted()
        cursor.blanks()
        cursor.expect(":")
        cursor.blanks()
        fields[name] = _literal(cursor)
        cursor.blanks()
    cursor.depth -= 1
    return fields
