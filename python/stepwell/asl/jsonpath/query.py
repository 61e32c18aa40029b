"""A compiled JSONPath."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from stepwell.asl.errors import ExpressionSyntaxError, runtime_error
from stepwell.asl.json import is_array
from stepwell.asl.jsonpath.definite import Find, compile_definite, find_names, plain_names
from stepwell.asl.jsonpath.errors import NoResult
from stepwell.asl.jsonpath.java import as_node
from stepwell.asl.jsonpath.reader import read_path
from stepwell.asl.jsonpath.run import MISSING, Run
from stepwell.asl.jsonpath.steps import Place, Step, compile_rest, compile_steps
from stepwell.asl.jsonpath.tokens import FromEnd, Index, Property, Token, fragments, is_definite

# Cached: a definition is read when it is validated and again when it is compiled; a query is immutable.
_REMEMBERED = 256


class Query:
    """A path from the root of a value.

    ``definite``: it finds one value or nothing; otherwise it returns a list. ``names`` are its steps if all of them are
    plain names (``$.a.b`` has ``("a", "b")``, ``$`` has ``()``), else None. ``tokens`` begin with the root. ``find``
    returns what the path finds in a value: a value, a list if the path is not definite, or MISSING.
    """

    __slots__ = ("definite", "find", "names", "text", "tokens")

    def __init__(self, text: str, tokens: tuple[Token, ...]) -> None:
        self.text, self.tokens = text, tokens
        self.definite = is_definite(tokens)
        self.names = plain_names(tokens)
        self.find: Find = compile_definite(tokens) if self.definite else _compile_list(text, tokens)

    def finds_past_end(self, value: Any) -> bool:
        """Whether a null was found only because an index is outside of its array."""
        last = self.tokens[-1]
        if not self.definite or not isinstance(last, Index | FromEnd):
            return False
        items = compile_definite(self.tokens[:-1])(value)
        if not is_array(items):
            return False
        index = last.index if isinstance(last, Index) else len(items) + last.offset
        return not 0 <= index < len(items)

    def problem(self, value: Any) -> str:
        """Why the path finds nothing in ``value``: Jayway's text."""
        try:
            compile_steps(self.tokens)(as_node(value), None, Run(value, explains=True))
        except NoResult as problem:
            return str(problem)
        return f"No results for path: {fragments(self.tokens)}"


@lru_cache(_REMEMBERED)
def compile_query(text: str) -> Query:
    """The query of a path. Raises ExpressionSyntaxError with Jayway's text."""
    if not text:
        raise ExpressionSyntaxError("json can not be null or empty")
    return Query(text, read_path(text))


def _compile_list(text: str, tokens: tuple[Token, ...]) -> Find:
    """The function that finds the list of a path's results."""
    names = _leading_names(tokens)
    find_start = find_names(names)
    rest = compile_rest(tokens, len(names) + 1 if names else 0)
    whole: Step | None = None  # compiled only if the names find nothing
    place: Place = None
    for name in names:
        place = (place, name)

    def find(value: Any) -> Any:
        nonlocal whole
        run = Run(value)
        start = find_start(value)
        try:
            if start is MISSING:
                whole = whole or compile_steps(tokens)
                whole(as_node(value), None, run)
            else:
                rest(start if names else as_node(value), place, run)
        except NoResult:
            return MISSING
        except RecursionError as error:
            raise runtime_error(f"The JSONPath '{text}' meets values that are nested too deeply.") from error
        return run.results

    return find


def _leading_names(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The plain names at the beginning of a path, which are looked up together."""
    names: list[str] = []
    for token in tokens[1:]:
        if not isinstance(token, Property) or len(token.names) != 1:
            break
        names.append(token.names[0])
    return tuple(names)


__all__ = ["MISSING", "Query", "compile_query"]
