"""Reads a JSONPath into tokens.

As in Jayway, the reader first splits the text into components (``$``, ``..``, ``.name``, ``[…]``) by dots, blanks and
brackets, and ignores quotes. Then it reads each component from its first significant character: a ``?``, a quote, or
the beginning of an index. It ignores what stands before that character, and most of what follows the end.
"""

from __future__ import annotations

import re

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonpath.filters import read_filter
from stepwell.asl.jsonpath.indices import begins_index, read_indices
from stepwell.asl.jsonpath.java import char_at, characters, code_units, past_end, shown, trim
from stepwell.asl.jsonpath.tokens import Filter, Property, Root, Scan, Token, Wildcard

MAX_NESTING = 32
"""How deeply filters may be nested in filters; reading them recurses."""
MAX_TOKENS = 200
"""How many tokens a path may have; evaluating one that is not definite recurses."""

_ROOT = Root()
_PLAIN = re.compile(r"[$@](\.[A-Za-z0-9_-]+)+")
_PLAIN_NAME = re.compile(r"\.([A-Za-z0-9_-]+)(?=[.\[ ]|\Z)")
_ONE_NAME = re.compile(r"\['([^'\]]*)'\]")
_NAME_ENDS = re.compile(r"[.\[ ]")
_BRACKET = re.compile(r"[\[\]]")
_FILTERS_OF_CODE = re.compile(r"\[[ \t\n\v\f\r]*\?[, \t\n\v\f\r*?]*\]")


def read_path(text: str, nesting: int = 0) -> tuple[Token, ...]:
    """The tokens of a path; the first is the root. Raises ExpressionSyntaxError with Jayway's text."""
    if nesting > MAX_NESTING:
        raise ExpressionSyntaxError("The path is nested too deeply.")
    if _PLAIN.fullmatch(text):  # most paths, which Jayway's reader reads as they are meant
        tokens: tuple[Token, ...] = (_ROOT, *[Property((name,)) for name in text.split(".")[1:]])
    else:
        tokens = tuple(_read(_normalized(text), nesting))
    if len(tokens) > MAX_TOKENS:
        raise ExpressionSyntaxError(f"The path has more than {MAX_TOKENS} steps.")
    return tokens


def _normalized(text: str) -> str:
    """The path without blanks around it, and with a ``$`` at its beginning: for an ``@``, or if there is none."""
    path = trim(code_units(text))
    if path.endswith(".."):
        raise ExpressionSyntaxError("A path can not end with a scan.")
    first = char_at(path, 0)
    if first == "@":
        path = "$" + path[1:]
    elif first != "$":
        path = "$." + path
    if len(path) > 1 and path[1] not in ".[":
        raise ExpressionSyntaxError(f"Invalid path {shown(path)}")
    return path


def _read(path: str, nesting: int) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(path):
        if plain := _PLAIN_NAME.match(path, position):
            tokens.append(Property((plain[1],)))
            position = plain.end()
        else:
            component, position = _component(path, position)
            if component:
                tokens.append(_analyze(component, nesting))
    return tokens


def _component(path: str, start: int) -> tuple[str, int]:
    """The component at a position, as if it stood in brackets, and where it ends; it may be empty."""
    match path[start]:
        case " ":
            raise ExpressionSyntaxError("Space not allowed in path")
        case "$":
            return "$", start + 1
        case "[":
            end = _after_bracket(path, start)
            return path[start:end], end
        case ".":
            if char_at(path, start + 1) == ".":
                return "..", start + 2
            end = _after_name(path, start + 1)
            return _named(path[start + 1 : end]), end
        case "*":
            return "[*]", start + 1
        case _:
            end = _after_name(path, start)
            return f"['{path[start:end]}']", end


def _named(name: str) -> str:
    if not name:  # ``$.['a']``: a dot without a name
        return ""
    return "[*]" if name == "*" else f"['{name}']"


def _after_name(path: str, start: int) -> int:
    found = _NAME_ENDS.search(path, start)
    return found.start() if found else len(path)


def _after_bracket(path: str, start: int) -> int:
    """The position after the bracket that closes the one at ``start``, or the end of the text."""
    open_brackets = 0
    for bracket in _BRACKET.finditer(path, start):
        open_brackets += 1 if bracket.group() == "[" else -1
        if open_brackets == 0:
            return bracket.end()
    return len(path)


def _analyze(component: str, nesting: int) -> Token:
    match component:
        case "$":
            return _ROOT
        case "..":
            return Scan()
        case "[*]":
            return Wildcard()
        case _:
            pass
    if one_name := _ONE_NAME.fullmatch(component):
        return Property((characters(one_name[1]),))
    if _FILTERS_OF_CODE.fullmatch(component):
        return Filter(None, component.count("?"))
    for position, character in enumerate(component):
        if character == "?":
            return Filter(read_filter(component, position, lambda path: read_path(path, nesting + 1)))
        if character == "'":
            return Property(_names(component, position))
        if begins_index(character):
            return read_indices(component, position)
    raise ExpressionSyntaxError(f"Could not analyze path component: {shown(component)}")


def _names(component: str, start: int) -> tuple[str, ...]:
    """The texts in quotes up to the first ``]``, even one in quotes; there are no escapes."""
    end = component.find("]", start)
    if end < 0:
        past_end(component, len(component))
    # Every second part is in quotes; the last one only if its quote is not closed.
    parts = component[start:end].split("'")[1:]
    if len(parts) % 2:
        parts.pop()
    return tuple(characters(name) for name in parts[::2])
