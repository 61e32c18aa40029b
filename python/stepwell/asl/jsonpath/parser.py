"""Reads a JSONPath: text to steps."""

from __future__ import annotations

from stepwell.asl.jsonpath.filters import read_filter, read_operand
from stepwell.asl.jsonpath.functions import FUNCTIONS
from stepwell.asl.jsonpath.syntax import (
    Cursor,
    Filter,
    Find,
    Function,
    Index,
    Property,
    Scan,
    Slice,
    Step,
    Wildcard,
)

# A blank ends a name in dot notation; Jayway asks for brackets around such names.
_NAME_ENDS = frozenset(".[ \t\n\r(")
# In a filter an operator, a bracket or a comma ends the name too.
_NAME_ENDS_IN_FILTER = _NAME_ENDS | frozenset("=!<>&|),]}")
_INDEX_CHARACTERS = frozenset("-0123456789,: ")


def parse_steps(cursor: Cursor) -> tuple[Step, ...]:
    """The steps that follow the ``$`` of a path, to the end of the text."""
    return _steps(cursor, nested=False)


def parse_nested(cursor: Cursor) -> tuple[Step, ...]:
    """The steps that follow the ``$`` or ``@`` of a path within a filter, to the end of the path."""
    return _steps(cursor, nested=True)


def _steps(cursor: Cursor, *, nested: bool) -> tuple[Step, ...]:
    steps: list[Step] = []
    while not cursor.done:
        character = cursor.peek()
        if character == ".":
            if cursor.take(".."):
                steps.append(Scan())
                if cursor.peek() == ".":
                    cursor.fail("unexpected '.'")
            else:
                cursor.position += 1
            steps.append(_after_dot(cursor, nested))
            if _computes_a_bare_scan(steps):
                cursor.fail("expected what '..' looks for before the function")
        elif character == "[":
            steps.append(_bracket(cursor))
        elif nested:
            break
        elif cursor.text[cursor.position :].isspace():
            cursor.position = len(cursor.text)
        else:
            cursor.fail("expected '.' or '['")
    return tuple(steps)


def _computes_a_bare_scan(steps: list[Step]) -> bool:
    """``$..max()`` does not say what the scan looks for; ``$..length()`` counts all that there is."""
    match steps:
        case [Scan(), Function() as function] | [Scan(), *_, Scan(), Function() as function]:
            return function != Function("length", ())
        case _:
            return False


def _after_dot(cursor: Cursor, nested: bool) -> Step:
    if cursor.peek() == "[":
        return _bracket(cursor)
    if cursor.take("*"):
        return Wildcard()
    ends = _NAME_ENDS_IN_FILTER if nested else _NAME_ENDS
    name = cursor.take_while(lambda character: character not in ends)
    if not name:
        cursor.fail("expected a name")
    return _function(cursor, name) if cursor.peek() == "(" else Property((name,))


def _function(cursor: Cursor, name: str) -> Function:
    if name not in FUNCTIONS:
        cursor.fail(f"there is no function '{name}'")
    cursor.descend()
    cursor.expect("(")
    arguments: list[Find] = []
    cursor.blanks()
    while not cursor.take(")"):
        if arguments:
            cursor.expect(",")
            cursor.blanks()
        arguments.append(_argument(cursor))
        cursor.blanks()
    cursor.depth -= 1
    return Function(name, tuple(arguments))


def _argument(cursor: Cursor) -> Find:
    operand = read_operand(cursor, parse_nested)
    return lambda _, run: operand.find(run.root, run)  # the paths of arguments start at the document's root


def _bracket(cursor: Cursor) -> Step:
    cursor.expect("[")
    cursor.blanks()
    character = cursor.peek()
    if character in ("'", '"'):
        step: Step = _names(cursor)
    elif character == "?":
        step = _filter(cursor)
    elif cursor.take("*"):
        step = Wildcard()
    else:
        step = _indices(cursor)
    cursor.blanks()
    cursor.expect("]")
    return step


def _names(cursor: Cursor) -> Property:
    names = [cursor.quoted_name()]
    cursor.blanks()
    while cursor.take(","):
        cursor.blanks()
        if cursor.peek() not in ("'", '"'):
            cursor.fail("expected a quoted name")
        names.append(cursor.quoted_name())
        cursor.blanks()
    return Property(tuple(names))


def _filter(cursor: Cursor) -> Filter:
    cursor.expect("?")
    cursor.blanks()
    cursor.descend()
    predicate = read_filter(cursor, parse_nested)
    cursor.depth -= 1
    return Filter(predicate)


def _indices(cursor: Cursor) -> Index | Slice:
    text = cursor.take_while(lambda character: character in _INDEX_CHARACTERS)
    if ":" not in text:
        return Index(tuple(_integer(cursor, part) for part in text.split(",")))
    bounds = [_integer(cursor, part) if part.strip() else None for part in text.split(":")]
    # Jayway reads two bounds and lets a third, the step, pass unread.
    if bounds[0] is None and bounds[1] is None:
        return Slice(0, None)
    return Slice(bounds[0], bounds[1])


def _integer(cursor: Cursor, text: str) -> int:
    try:
        value = int(text.strip())
    except ValueError:
        cursor.fail("expected an index, a slice, '*', a quoted name or a filter")
    if not -(2**31) <= value < 2**31:
        cursor.fail(f"the index {value} is out of range")
    return value
