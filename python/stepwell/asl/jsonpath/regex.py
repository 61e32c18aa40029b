"""The patterns of ``=~``."""

from __future__ import annotations

import re

from stepwell.asl.jsonpath.syntax import Cursor, Run

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "d": 0, "u": 0, "U": 0}


class Pattern:
    """A pattern that a whole text must match."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: re.Pattern[str]) -> None:
        self._compiled = compiled

    def matches(self, text: str, run: Run) -> bool:
        """Whether the whole of ``text`` matches."""
        run.spend(len(text))
        return self._compiled.fullmatch(text) is not None


def compile_pattern(text: str, flags: str, cursor: Cursor) -> Pattern:
    """The pattern of ``/text/flags``."""
    options = re.RegexFlag(0)
    for flag in flags:
        options |= _FLAGS[flag]
    try:
        return Pattern(re.compile(text, options))
    except (re.error, RecursionError, OverflowError) as error:
        cursor.fail(f"the pattern /{text}/ is not valid: {error}")
