"""Reads the filter of ``[?(…)]`` and makes it a test.

A filter is cut at ``&&`` and ``||`` wherever they stand, parentheses around the parts are dropped, and the parts are
joined from the last to the first. A part is cut at the first operator found; what is no path, no text in single quotes
and no pattern is text as it stands.
"""

from __future__ import annotations

import re

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonpath.criteria import Literal, Operand, Pattern, Reference, comparison, existence
from stepwell.asl.jsonpath.java import char_at, characters, past_end, raise_java, shown, substring, trim
from stepwell.asl.jsonpath.tokens import Test, is_definite

_MARKS = re.compile(r"[\[\]()]|(?<!\\)'")
_CUT = re.compile(r"(?<=&&)|(?<=\|\|)|(?=&&)|(?=\|\|)")
_JOINS = ("&&", "||")
_OPERATORS = ("==", ">=", "<=", "!=", "<", ">", "=~")  # in the order in which they are looked for


def filter_bounds(component: str, position: int) -> tuple[int, int]:
    """Where the filter begins whose ``?`` is at ``position``, and where it ends.

    That is at a bracket outside of quotes and parentheses.
    """
    start = component.rindex("[", 0, position)
    brackets = parentheses = 0
    in_quotes = False
    for mark in _MARKS.finditer(component, start):
        character = mark.group()
        if character == "'":
            in_quotes = not in_quotes
        elif not in_quotes:
            brackets += (character == "[") - (character == "]")
            parentheses += (character == "(") - (character == ")")
            if character == "]" and parentheses == 0:
                if brackets:
                    raise ExpressionSyntaxError("Filter brackets are not balanced")
                return start, mark.end()
    return past_end(component, len(component))


def read_filter(text: str, nesting: int) -> Test:
    """The test of a filter in brackets. Raises ExpressionSyntaxError with Jayway's text."""
    inner = _inside(text)
    parts = [trim(part) for part in _cut(inner)]
    joins = [part for part in parts if part in _JOINS]
    tests = [_read_criterion(_clean(part), nesting) for part in parts if part not in _JOINS]
    return _joined(joins, tests, inner)


def _inside(text: str) -> str:
    text = trim(text)
    for opening, closing, start in (("[", "]", "'['"), ("?", "", "'[?'"), ("(", ")", "'[?('")):
        if not text.startswith(opening) or not text.endswith(closing):
            end = "')]'" if opening == "(" else "']'"
            raise ExpressionSyntaxError(f"Filter must start with {start} and end with {end}. {shown(text)}")
        text = trim(text[1 : len(text) - len(closing)])
    return text


def _cut(text: str) -> list[str]:
    """The parts of a text between, and with, all places where a ``&&`` or ``||`` begins or ends."""
    # Java makes no part of the nothing before a cut at the beginning, nor of the nothing at the end.
    return [part for part in _CUT.split(text) if part] or [text]


def _clean(part: str) -> str:
    begin, end = 0, len(part) - 1
    while char_at(part, begin) in "[?( ":
        begin += 1
    while char_at(part, end) in ") ":
        end -= 1
    return substring(part, begin, end + 1)


def _joined(joins: list[str], tests: list[Test], text: str) -> Test:
    """The parts from the last to the first: ``a || b && c`` is ``c && b || a``, ``a && b || c`` is ``c || b && a``."""
    if not tests:
        raise_java("util.EmptyStackException")
    alternatives: list[list[Test]] = [[tests.pop()]]
    for join in reversed(joins):
        if not tests:
            if join == "&&":
                raise_java("util.EmptyStackException")
            raise ExpressionSyntaxError(f"Invalid operators {shown(text)}")
        if join == "&&":
            alternatives[-1].append(tests.pop())
        else:
            alternatives.append([tests.pop()])
    if tests:
        raise ExpressionSyntaxError(f"Invalid operators {shown(text)}")
    return _any([_all(group) for group in alternatives])


def _all(tests: list[Test]) -> Test:
    match tests:
        case [test]:
            return test
        case [first, second]:
            return lambda item, run: first(item, run) and second(item, run)
        case _:
            return lambda item, run: all(test(item, run) for test in tests)


def _any(tests: list[Test]) -> Test:
    match tests:
        case [test]:
            return test
        case [first, second]:
            return lambda item, run: first(item, run) or second(item, run)
        case _:
            return lambda item, run: any(test(item, run) for test in tests)


def _read_criterion(text: str, nesting: int) -> Test:
    for operator in _OPERATORS:
        before, found, after = text.partition(operator)
        if found:
            left, right = trim(before), trim(after)
            break
    else:
        operator, left, right = "", trim(text), ""
    is_negated = left.startswith("!@")
    left_operand = _read_operand(left.removeprefix("!") if is_negated else left, nesting)
    if right.startswith("!@"):
        raise ExpressionSyntaxError("Invalid negation! Can only be used for existence check e.g [?(!@.foo)]")
    right_operand = _read_operand(right, nesting)
    if operator:
        return comparison(left_operand, operator, right_operand)
    if not isinstance(left_operand, Reference):
        raise_java("lang.UnsupportedOperationException", "CriteriaType  can not be parsed")
    return existence(left_operand, negated=is_negated)


def _read_operand(text: str, nesting: int) -> Operand:
    if text.startswith(("$", "@")):
        return _read_reference(text, nesting)
    if text.startswith("'") and text.endswith("'"):
        return Literal(characters(substring(text, 1, len(text) - 1)))
    if text.startswith("/") and (text.endswith("/") or text[-2:] == "/i"):
        last = text.rindex("/")
        return Pattern(characters(substring(text, 1, last)), "i" if text.endswith("i") else "")
    return Literal(characters(text))


def _read_reference(text: str, nesting: int) -> Reference:
    from stepwell.asl.jsonpath.reader import read_path  # a path has filters that have paths

    tokens = read_path(text, nesting + 1)
    if not is_definite(tokens):
        raise ExpressionSyntaxError(f"the predicate path: {shown(text)} is not definite")
    return Reference(tokens, text, from_root=text.startswith("$"))
