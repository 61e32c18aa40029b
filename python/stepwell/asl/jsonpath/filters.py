"""Reads the filter of ``[?(…)]`` and makes its test.

As in Jayway's reader, a filter is split at every ``&&`` and ``||``, parentheses around the parts are dropped, and the
parts are joined from the last to the first. A part is split at the first operator found. An operand that is neither a
path nor a text in single quotes nor a pattern is taken as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonpath.criteria import (
    Literal,
    Operand,
    Pattern,
    Reference,
    comparison,
    comparison_of_names,
    existence,
)
from stepwell.asl.jsonpath.java import characters, past_end, raise_java, shown, substring, trim
from stepwell.asl.jsonpath.tokens import Test, Token, is_definite

ReadPath = Callable[[str], tuple[Token, ...]]
"""Reads a path of a filter, which may have filters of its own."""

_PLAIN_FILTER = re.compile(r"\[\?\(([^][()'\\]*(?:'[^][()'\\]*'[^][()'\\]*)*)\)\]")
_PLAIN_CRITERION = re.compile(r"@\.([\w.-]+?) *([=!<>]=|[<>]) *(?:'([\w .:/-]*)'|([\w.-]+))", re.ASCII)
_MARKS = re.compile(r"[\[\]()]|(?<!\\)'")
_CUT = re.compile(r"(?<=&&)|(?<=\|\|)|(?=&&)|(?=\|\|)")
_JOINS = ("&&", "||")
_OPERATORS = ("==", ">=", "<=", "!=", "<", ">", "=~")  # searched in this order


def read_filter(component: str, position: int, read_path: ReadPath) -> Test:
    """The test of the filter in brackets whose ``?`` is at ``position``; an ExpressionSyntaxError has Jayway's text."""
    if plain := _PLAIN_FILTER.fullmatch(component):  # most filters, which Jayway's reader reads as they are meant
        inner = trim(plain[1])
    else:
        start, end = _bounds(component, position)
        inner = _inside(component[start:end])
    parts = [trim(part) for part in _cut(inner)]
    joins = [part for part in parts if part in _JOINS]
    tests = [_read_criterion(_clean(part), read_path) for part in parts if part not in _JOINS]
    return _joined(joins, tests, inner)


def _bounds(component: str, position: int) -> tuple[int, int]:
    """Where the filter whose ``?`` is at ``position`` begins and ends.

    It ends at a bracket outside of quotes and parentheses.
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


def _inside(text: str) -> str:
    text = trim(text)
    for opening, closing, start in (("[", "]", "'['"), ("?", "", "'[?'"), ("(", ")", "'[?('")):
        if not text.startswith(opening) or not text.endswith(closing):
            end = "')]'" if opening == "(" else "']'"
            raise ExpressionSyntaxError(f"Filter must start with {start} and end with {end}. {shown(text)}")
        text = trim(text[1 : len(text) - len(closing)])
    return text


def _cut(text: str) -> list[str]:
    """The parts of a text between all ``&&`` and ``||``, and these themselves."""
    # Java makes no empty part at the beginning or at the end.
    return [part for part in _CUT.split(text) if part] or [text]


def _clean(part: str) -> str:
    begin = len(part) - len(part.lstrip("[?( "))
    end = len(part.rstrip(") "))
    if begin == len(part):
        past_end(part, begin)
    if end == 0:
        past_end(part, -1)
    return substring(part, begin, end)


def _joined(joins: list[str], tests: list[Test], text: str) -> Test:
    """Joins the parts from the last to the first: ``a || b && c`` is ``c && b || a``."""
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


def _read_criterion(text: str, read_path: ReadPath) -> Test:
    plain = _PLAIN_CRITERION.fullmatch(text)  # most comparisons
    if plain and "" not in (names := plain[1].split(".")):
        _, symbol, quoted, bare = plain.groups()
        return comparison_of_names(names, symbol, bare if quoted is None else quoted)
    return _read_any_criterion(text, read_path)


def _read_any_criterion(text: str, read_path: ReadPath) -> Test:
    for operator in _OPERATORS:
        before, found, after = text.partition(operator)
        if found:
            left, right = trim(before), trim(after)
            break
    else:
        operator, left, right = "", trim(text), ""
    is_negated = left.startswith("!@")
    left_operand = _read_operand(left.removeprefix("!") if is_negated else left, read_path)
    if right.startswith("!@"):
        raise ExpressionSyntaxError("Invalid negation! Can only be used for existence check e.g [?(!@.foo)]")
    right_operand = _read_operand(right, read_path)
    if operator:
        return comparison(left_operand, operator, right_operand)
    if not isinstance(left_operand, Reference):
        raise_java("lang.UnsupportedOperationException", "CriteriaType  can not be parsed")
    return existence(left_operand, negated=is_negated)


def _read_operand(text: str, read_path: ReadPath) -> Operand:
    if text.startswith(("$", "@")):
        return _read_reference(text, read_path)
    if text.startswith("'") and text.endswith("'"):
        return Literal(characters(substring(text, 1, len(text) - 1)))
    if text.startswith("/") and (text.endswith("/") or text[-2:] == "/i"):
        last = text.rindex("/")
        return Pattern(characters(substring(text, 1, last)), "i" if text.endswith("i") else "")
    return Literal(characters(text))


def _read_reference(text: str, read_path: ReadPath) -> Reference:
    tokens = read_path(text)
    if not is_definite(tokens):
        raise ExpressionSyntaxError(f"the predicate path: {shown(text)} is not definite")
    return Reference(tokens, text, from_root=text.startswith("$"))
