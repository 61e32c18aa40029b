"""Whether a path, an intrinsic call or a JSONata expression compiles, and AWS's text if it does not."""

from __future__ import annotations

import re
from functools import lru_cache

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.intrinsics import compile_intrinsic
from stepwell.asl.jsonata import Expression, compile_expression
from stepwell.asl.paths import compile_path, compile_reference_path
from stepwell.asl.template import INTRINSIC_PREFIX

_REMEMBERED = 4096
_NOT_A_REFERENCE = "Value is not a Reference Path"
_VARIABLE = re.compile(r"\$[^\W\d]\w*")
_JSONATA_CODE = re.compile(r"\A[A-Z]\d{4}: ")
# The parser names a token by its kind and value; AWS's parser shows its source text.
_TOKEN = re.compile(r"((?:Expected|symbol|got|error:) )([A-Z]\w+)(?:\((.*)\))?")
_MARKS = {
    "Plus": "+",
    "Minus": "-",
    "Star": "*",
    "StarStar": "**",
    "Slash": "/",
    "Percent": "%",
    "Equal": "=",
    "NotEqual": "!=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "And": "and",
    "Or": "or",
    "In": "in",
    "Ampersand": "&",
    "Dot": ".",
    "DotDot": "..",
    "Question": "?",
    "QuestionQuestion": "??",
    "QuestionColon": "?:",
    "Colon": ":",
    "ColonEqual": ":=",
    "TildeArrow": "~>",
    "LeftParen": "(",
    "RightParen": ")",
    "LeftBracket": "[",
    "RightBracket": "]",
    "LeftBrace": "{",
    "RightBrace": "}",
    "Comma": ",",
    "Semicolon": ";",
    "Caret": "^",
    "Pipe": "|",
    "Hash": "#",
    "At": "@",
    "Eof": "(end)",
}
_STRING_FUNCTIONS = frozenset(
    {"Format", "JsonToString", "ArrayGetItem", "Base64Encode", "Base64Decode", "Hash", "UUID"}
)


def is_path_or_intrinsic(text: str) -> bool:
    """Whether a ``.$`` field may have this value."""
    return is_path(text) if text.startswith("$") else is_intrinsic(text)


@lru_cache(_REMEMBERED)
def is_path(text: str) -> bool:
    """Whether a text is a path of AWS's JSONPath dialect: ``$.a``, ``$$.Execution.Id``, ``$variable.b``."""
    if not text.startswith("$"):
        return False
    try:
        compile_path(text)
    except ExpressionSyntaxError:
        return False
    return True


@lru_cache(_REMEMBERED)
def is_intrinsic(text: str) -> bool:
    """Whether a text is a call of an intrinsic function: from its first character on, as a path is."""
    if not text.startswith(INTRINSIC_PREFIX):
        return False
    try:
        compile_intrinsic(text)
    except ExpressionSyntaxError:
        return False
    return True


def returns_string(text: str) -> bool:
    """Whether an intrinsic call may stand in ErrorPath or CausePath (ASL A13.67)."""
    return text.removeprefix("States.").partition("(")[0].strip() in _STRING_FUNCTIONS


@lru_cache(_REMEMBERED)
def reference_path_error(text: str, *, context: bool = False) -> str | None:
    """What is wrong with a Reference Path: one that names exactly one place. ``context`` allows ``$$``."""
    if not text.startswith("$"):
        return f"{_NOT_A_REFERENCE}: Reference path didn't start with '$'"
    if text.startswith("$$"):
        if not context:
            return _NOT_A_REFERENCE
        text = text[1:]
    elif variable := _VARIABLE.match(text):
        text = "$" + text[variable.end() :]
    try:
        compile_reference_path(text)
    except ExpressionSyntaxError:
        return _NOT_A_REFERENCE
    return None


def parse_jsonata(text: str) -> Expression | str:
    """The expression between ``{%`` and ``%}``, or the parser's text of what is wrong, without its code."""
    try:
        return compile_expression(text)
    except ExpressionSyntaxError as error:
        return _TOKEN.sub(_as_written, _JSONATA_CODE.sub("", str(error), count=1))


def _as_written(found: re.Match[str]) -> str:
    before, kind, value = found.groups()
    if kind in _MARKS:
        return f'{before}"{_MARKS[kind]}"'
    if value is not None:
        return before + value.removesuffix(".0")
    return found.group()
