"""The names that a JSONata expression reads from outside: variables, and fields of a context item that is not there.

A scan of the tokens, not a second parser: enough to tell which ``$name`` is free and which bare name stands at the
top level, where Step Functions has no context item (ASL A4.18). What it cannot judge it leaves alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+|/\*.*?(?:\*/|\Z))
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<quoted>`[^`]*`)
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<variable>\$\$|\$[^\W\d]\w*|\$)
      | (?P<name>[^\W\d]\w*)
      | (?P<mark>:=|\.\.|~>|!=|<=|>=|\*\*|\?\?|\?:|\^\(|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\n]|\\.)+/[a-z]*")
_OPERATOR_WORDS = frozenset({"and", "or", "in"})
_LITERALS = frozenset({"true", "false", "null"})
_FUNCTION_WORDS = frozenset({"function", "λ"})

_FUNCTION_LIST = """
    abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
    decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase
    formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge millis min not
    now number pad parse parseInteger partition power random range reduce replace reverse round shuffle sift single
    sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid
    zip
"""
FUNCTIONS = frozenset(_FUNCTION_LIST.split())


class Token(NamedTuple):
    """A piece of an expression: its kind (string, number, variable, name, mark) and text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Names:
    """What one expression reads from outside itself."""

    variables: frozenset[str]
    """Workflow variables, without ``$``; neither ``states`` nor names bound inside."""
    states_fields: frozenset[str]
    """The fields of ``$states`` read: ``input``, ``result``, ``errorOutput``, ``context``."""
    context_fields: tuple[str, ...]
    """Bare names at the top level, in order."""
    reads_root: bool
    """Whether ``$$`` is read."""


def tokens(expression: str) -> Iterator[Token]:
    """The tokens of an expression, without space and comments."""
    at, operand = 0, False
    while at < len(expression):
        if not operand and expression[at] == "/" and (regex := _REGEX.match(expression, at)):
            yield Token("string", regex.group())
            at, operand = regex.end(), True
            continue
        found = _TOKEN.match(expression, at)
        if found is None or found.lastgroup is None:
            return
        at = found.end()
        if found.lastgroup == "space":
            continue
        token = Token(found.lastgroup, found.group())
        yield token
        operand = _ends_operand(token, operand)


def names_of(expression: str) -> Names:
    """The names that ``expression`` (the text between ``{%`` and ``%}``) reads from outside itself."""
    scan = _Scan(list(tokens(expression)))
    scan.run()
    return Names(
        frozenset(scan.variables - scan.bound),
        frozenset(scan.states_fields),
        tuple(dict.fromkeys(scan.context_fields)),
        scan.reads_root,
    )


def _ends_operand(token: Token, after_operand: bool) -> bool:
    """Whether an operator may follow this token."""
    if token.kind == "mark":
        return token.text in (")", "]", "}") or (token.text in ("*", "**", "%") and not after_operand)
    return not (token.kind == "name" and token.text in _OPERATOR_WORDS and after_operand)


class _Scan:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._open = [(False, "")]  # whether a bracket gives a context item, and the mark that closes it
        self.variables: set[str] = set()
        self.bound: set[str] = set()
        self.states_fields: set[str] = set()
        self.context_fields: list[str] = []
        self.reads_root = False

    def run(self) -> None:
        operand, previous = False, Token("mark", "")
        for at, token in enumerate(self._tokens):
            self._visit(at, token, previous, operand)
            operand, previous = _ends_operand(token, operand), token

    def _visit(self, at: int, token: Token, previous: Token, operand: bool) -> None:
        if token.kind == "variable":
            self._variable(at, token.text[1:])
        elif token.kind in ("name", "quoted"):
            self._name(at, token, previous, operand)
        elif token.kind == "mark":
            self._mark(token.text, previous, operand)

    def _next(self, at: int) -> str:
        return self._tokens[at + 1].text if at + 1 < len(self._tokens) else ""

    def _variable(self, at: int, name: str) -> None:
        if name == "$":
            self.reads_root = True
        elif name == "states":
            if self._next(at) == "." and at + 2 < len(self._tokens):
                self.states_fields.add(self._tokens[at + 2].text.strip("`"))
        elif name:
            if self._next(at) == ":=" or self._is_parameter(at) or (at and self._tokens[at - 1].text in ("@", "#")):
                self.bound.add(name)
            elif name not in FUNCTIONS:
                self.variables.add(name)

    def _is_parameter(self, at: int) -> bool:
        """Whether the variable stands in the parameter list of ``function($a, $b)``."""
        while at > 0:
            at -= 1
            token = self._tokens[at]
            if token.text == "(":
                return at > 0 and self._tokens[at - 1].text in _FUNCTION_WORDS
            if token.kind != "variable" and token.text != ",":
                return False
        return False

    def _name(self, at: int, token: Token, previous: Token, operand: bool) -> None:
        if operand or previous.text == "." or self._open[-1][0] or self._next(at) == "(":
            return
        if token.kind == "name" and (token.text in _LITERALS or token.text in _FUNCTION_WORDS):
            return
        self.context_fields.append(token.text.strip("`"))

    def _mark(self, text: str, previous: Token, operand: bool) -> None:
        inherited = self._open[-1][0]
        if text == "(":
            self._open.append((inherited or previous.text == ".", ")"))
        elif text == "^(":
            self._open.append((True, ")"))
        elif text == "[":
            self._open.append((inherited or operand or previous.text == ".", "]"))
        elif text == "{":
            # After an operand it groups by fields of the item; after function(…) it is a body.
            self._open.append((inherited or operand or previous.text == ".", "}"))
        elif text == "|":
            if self._open[-1][1] == "|":
                self._open.pop()
            self._open.append((True, "|"))
        elif len(self._open) > 1 and text == self._open[-1][1]:
            self._open.pop()
