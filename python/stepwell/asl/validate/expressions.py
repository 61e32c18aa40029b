"""Whether a path, an intrinsic call or a JSONata expression can be compiled, and AWS's text where it cannot."""

from __future__ import annotations

import re
from functools import lru_cache

from stepwell.asl.jsonata_names import names_of

_REMEMBERED = 4096

jsonata_names = lru_cache(_REMEMBERED)(names_of)

_STRING_FUNCTIONS = frozenset(
    {"Format", "JsonToString", "ArrayGetItem", "Base64Encode", "Base64Decode", "Hash", "UUID"}
)
_REFERENCE = re.compile(
    r"""\$(?:[^\W\d]\w*)?(?:\.(?:[^.\[\]'"()*,:?@\s][^.\[\]'"()*,:?@]*)|\.?\[(?:-?\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\])*"""
)


def is_path_or_intrinsic(text: str) -> bool:
    """Whether a ``.$`` field may have this value."""
    return is_path(text) if text.startswith("$") else is_intrinsic(text)


@lru_cache(_REMEMBERED)
def is_path(text: str) -> bool:
    """Whether a text is a path of AWS's JSONPath dialect: ``$.a``, ``$$.Execution.Id``, ``$variable.b``."""
    return text.startswith("$")


@lru_cache(_REMEMBERED)
def is_intrinsic(text: str) -> bool:
    """Whether a text is a call of an intrinsic function."""
    return text.startswith("States.")


def returns_string(text: str) -> bool:
    """Whether an intrinsic call may stand in ErrorPath or CausePath (ASL A13.67)."""
    return text.removeprefix("States.").partition("(")[0] in _STRING_FUNCTIONS


def reference_path_error(text: str, *, context: bool = False) -> str | None:
    """What is wrong with a Reference Path: one that names exactly one place. ``context`` allows ``$$``."""
    if not text.startswith("$"):
        return "Value is not a Reference Path: Reference path didn't start with '$'"
    if text.startswith("$$"):
        return None if context and _REFERENCE.fullmatch(text[1:]) else "Value is not a Reference Path"
    return None if _REFERENCE.fullmatch(text) else "Value is not a Reference Path"


@lru_cache(_REMEMBERED)
def jsonata_error(text: str) -> str | None:
    """What is wrong with the syntax of a JSONata expression."""
    return None
