"""Reads a regular expression in Java's syntax, as far as it needs no backtracking."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NoReturn

from msgspec import Struct

from stepwell.asl.errors import ExpressionSyntaxError

MAX_DEPTH = 50
MAX_COUNT = 1_000

Accepts = Callable[[str], bool]


class Character(Struct, frozen=True):
    """One character."""

    accepts: Accepts


class Assertion(Struct, frozen=True):
    """A place: ``holds`` takes the characters before and after it, empty at the ends of the text."""

    holds: Callable[[str, str], bool]


class Sequence(Struct, frozen=True):
    """Parts, one after the other."""

    parts: tuple[Expression, ...]


class Alternatives(Struct, frozen=True):
    """One of several."""

    choices: tuple[Expression, ...]


class Repeat(Struct, frozen=True):
    """A part ``least`` to ``most`` times; ``most`` None: any number of times."""

    part: Expression
    least: int
    most: int | None


Expression = Character | Assertion | Sequence | Alternatives | Repeat

_LINE_ENDS = frozenset("\n\r\u0085\u2028\u2029")
_SPACES = frozenset(" \t\n\x0b\f\r")
_CLASSES: dict[str, Accepts] = {
    "d": lambda character: "0" <= character <= "9",
    "s": lambda character: character in _SPACES,
    "w": lambda character: character == "_" or (character.isascii() and character.isalnum()),
    "h": lambda character: character in " \t\xa0",
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_PROPERTIES: dict[str, Accepts] = {
    "Lower": lambda character: "a" <= character <= "z",
    "Upper": lambda character: "A" <= character <= "Z",
    "Alpha": lambda character: character.isascii() and character.isalpha(),
    "Digit": lambda character: "0" <= character <= "9",
    "Alnum": lambda character: character.isascii() and character.isalnum(),
    "Punct": lambda character: (
        character.isascii() and character.isprintable() and not character.isalnum() and character != " "
    ),
    "XDigit": lambda character: character in "0123456789abcdefABCDEF",
    "Space": lambda character: character in _SPACES,
    "ASCII": str.isascii,
    "IsAlphabetic": str.isalpha,
    "IsDigit": str.isdecimal,
}
_CATEGORY = re.compile(r"L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfosn]?")


def parse(text: str, flags: str) -> Expression:
    """The expression of a pattern. Raises ExpressionSyntaxError."""
    parser = _Parser(text, flags)
    expression = parser.alternatives()
    if not parser.done:
        parser.fail("unexpected ')'")
    return expression


def _is_word(character: str) -> bool:
    return character != "" and _CLASSES["w"](character)


def _not(accepts: Accepts) -> Accepts:
    return lambda character: not accepts(character)


def _any_of(tests: list[Accepts]) -> Accepts:
    return lambda character: any(test(character) for test in tests)


class _Parser:
    def __init__(self, text: str, flags: str) -> None:
        self.text, self.position, self.depth = text, 0, 0
        self.ignores_case = "i" in flags
        self.dot_is_all = "s" in flags
        self.has_lines = "m" in flags
        self.has_comments = "x" in flags

    @property
    def done(self) -> bool:
        return self.position >= len(self.text)

    def peek(self) -> str:
        return self.text[self.position] if self.position < len(self.text) else ""

    def next(self) -> str:
        character = self.peek()
        if not character:
            self.fail("it ends too early")
        self.position += 1
        return character

    def take(self, token: str) -> bool:
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def fail(self, problem: str) -> NoReturn:
        raise ExpressionSyntaxError(problem)

    def alternatives(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("it is nested too deeply")
        choices = [self._sequence()]
        while self.take("|"):
            choices.append(self._sequence())
        self.depth -= 1
        return choices[0] if len(choices) == 1 else Alternatives(tuple(choices))

    def _sequence(self) -> Expression:
        parts: list[Expression] = []
        self._skip_comments()
        while not self.done and self.peek() not in "|)":
            parts.append(self._quantified(self._atom()))
            self._skip_comments()
        return Sequence(tuple(parts))

    def _skip_comments(self) -> None:
        while self.has_comments and self.peek() and self.peek() in " \t\n\r\f#":
            if self.next() == "#":
                while not self.done and self.next() != "\n":
                    pass

    def _quantified(self, part: Expression) -> Expression:
        self._skip_comments()
        while (bounds := self._quantifier()) is not None:
            part = Repeat(part, *bounds)
            if self.take("+"):
                self.fail("possessive quantifiers are not supported")
            self.take("?")  # reluctant: a match of the whole text is the same
        return part

    def _quantifier(self) -> tuple[int, int | None] | None:
        for token, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(token):
                return bounds
        if not self.take("{"):
            return None
        least = self._count()
        most: int | None = least
        if self.take(","):
            most = None if self.peek() == "}" else self._count()
        if not self.take("}") or (most is not None and most < least):
            self.fail("a quantifier {…} is not well formed")
        return least, most

    def _count(self) -> int:
        start = self.position
        while self.peek().isdecimal():
            self.position += 1
        digits = self.text[start : self.position]
        if not digits or len(digits) > 4 or int(digits) > MAX_COUNT:
            self.fail(f"a quantifier needs numbers up to {MAX_COUNT}")
        return int(digits)

    def _atom(self) -> Expression:
        character = self.next()
        match character:
            case "(":
                return self._group()
            case "[":
                return Character(self._class())
            case ".":
                return Character((lambda _: True) if self.dot_is_all else _not(_LINE_ENDS.__contains__))
            case "^":
                return Assertion(self._line_start if self.has_lines else lambda before, _: before == "")
            case "$":
                return Assertion(self._line_end if self.has_lines else lambda _, after: after == "")
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                return self.fail(f"nothing stands before '{character}'")
            case _:
                return self._literal(character)

    @staticmethod
    def _line_start(before: str, after: str) -> bool:
        return before == "" or (before in _LINE_ENDS and after != "")

    @staticmethod
    def _line_end(_: str, after: str) -> bool:
        return after == "" or after in _LINE_ENDS

    def _group(self) -> Expression:
        if self.take("?"):
            self._group_kind()
        expression = self.alternatives()
        if not self.take(")"):
            self.fail("a group is not closed")
        return expression

    def _group_kind(self) -> None:
        if self.take(":"):
            return
        if self.take("<") and self.peek() not in ("=", "!"):
            while self.next() != ">":
                pass
            return
        start = self.position
        while self.peek() in "ims" and self.peek():
            self.position += 1
        flags = self.text[start : self.position]
        if not flags or not self.take(")"):
            self.fail("groups that look around, and flags of a group, are not supported")
        # Flags alone, "(?i)": they hold from here on. An empty group stays in their place.
        self.ignores_case = self.ignores_case or "i" in flags
        self.dot_is_all = self.dot_is_all or "s" in flags
        self.has_lines = self.has_lines or "m" in flags
        self.position -= 1

    def _literal(self, character: str) -> Character:
        if not self.ignores_case or character.lower() == character.upper():
            return Character(lambda other: other == character)
        folded = character.lower()
        return Character(lambda other: other.lower() == folded)

    def _escape(self) -> Expression:
        character = self.next()
        match character:
            case "b":
                return Assertion(lambda before, after: _is_word(before) != _is_word(after))
            case "B":
                return Assertion(lambda before, after: _is_word(before) == _is_word(after))
            case "A":
                return Assertion(lambda before, _: before == "")
            case "z" | "Z":
                return Assertion(lambda _, after: after == "")
            case "Q":
                return self._quoted()
            case _:
                known = self._escaped_class(character)
                return Character(known) if known is not None else self._literal(self._escaped_character(character))

    def _quoted(self) -> Expression:
        end = self.text.find("\\E", self.position)
        quoted = self.text[self.position : end if end >= 0 else len(self.text)]
        self.position += len(quoted) + (2 if end >= 0 else 0)
        return Sequence(tuple(self._literal(character) for character in quoted))

    def _escaped_class(self, character: str) -> Accepts | None:
        if character in "pP":
            accepts = self._property()
            return _not(accepts) if character == "P" else accepts
        accepts = _CLASSES.get(character.lower())
        if accepts is None or not character.isascii():
            return None
        return _not(accepts) if character.isupper() else accepts

    def _property(self) -> Accepts:
        name = self.next()
        if name == "{":
            end = self.text.find("}", self.position)
            if end < 0:
                self.fail("\\p{…} is not closed")
            name = self.text[self.position : end]
            self.position = end + 1
        if name in _PROPERTIES:
            return _PROPERTIES[name]
        category = name.removeprefix("Is")
        if _CATEGORY.fullmatch(category) is None:
            self.fail(f"there is no property \\p{{{name}}}")
        return lambda character: unicodedata.category(character).startswith(category)

    def _escaped_character(self, character: str) -> str:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in "xu":
            return self._coded(2 if character == "x" else 4)
        if character.isascii() and character.isalnum():
            self.fail(
                "back references are not supported" if character.isdigit() else f"there is no escape \\{character}"
            )
        return character

    def _coded(self, length: int) -> str:
        digits = self.text[self.position : self.position + length]
        self.position += length
        try:
            return chr(int(digits, 16))
        except ValueError:
            self.fail("\\x needs two hexadecimal digits, and \\u four")

    def _class(self) -> Accepts:
        """A class in brackets, after its ``[``; nested classes are unions, as in Java."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("it is nested too deeply")
        is_negated = self.take("^")
        tests: list[Accepts] = []
        while not tests or not self.take("]"):
            if self.take("&&"):
                self.fail("intersections of classes are not supported")
            tests.append(self._class() if self.take("[") else self._class_item())
        self.depth -= 1
        accepts = _any_of(tests)
        return _not(accepts) if is_negated else accepts

    def _class_item(self) -> Accepts:
        first = self.next()
        if first == "\\":
            escaped = self.next()
            known = self._escaped_class(escaped)
            if known is not None:
                return known
            first = self._escaped_character(escaped)
        if self.peek() != "-" or self.text[self.position + 1 : self.position + 2] in ("]", "[", ""):
            return self._literal(first).accepts
        self.position += 1
        last = self.next()
        if last == "\\":
            last = self._escaped_character(self.next())
        if last < first:
            self.fail(f"the range {first}-{last} is empty")
        if not self.ignores_case:
            return lambda character: first <= character <= last
        return lambda character: any(
            first <= each <= last for each in {character, character.lower(), character.upper()}
        )
