"""Paths of a definition: over the input, the Context Object or a variable; and reference paths.

``$.a`` reads the state's input, ``$$.Execution.Id`` the Context Object (ASL A14), ``$total.net`` the workflow variable
``total`` (ASL A3.14). Paths are compiled once; evaluating one does no parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.json import is_array, is_object, rendered
from stepwell.asl.jsonpath import MISSING, Query, compile_query
from stepwell.asl.jsonpath.tokens import Index, Property
from stepwell.asl.path_errors import NotFound, invalid_path, null_input
from stepwell.asl.scope import Scope

__all__ = ["MISSING", "Path", "ReferencePath", "compile_path", "compile_reference_path"]

RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
_VARIABLE = re.compile(r"\$([^\W\d]\w*)")

Source = Literal["input", "context", "variable"]


class Path:
    """A compiled path.

    ``text`` is the text of the definition; ``reference`` is the text of most of AWS's messages, which have one ``$``
    for the Context Object's ``$$``. ``definite``: it finds one value or nothing, else a list. ``is_input``: it is
    ``$``.
    """

    __slots__ = ("_read", "definite", "is_input", "query", "reference", "source", "text", "variable")

    def __init__(self, text: str, source: Source, query: Query, variable: str | None) -> None:
        self.text, self.source, self.query, self.variable = text, source, query, variable
        self.reference = text[1:] if source == "context" else text
        self.definite = query.definite
        self.is_input = source == "input" and query.names == ()
        self._read = _reader(source, query, variable)

    def find(self, scope: Scope) -> Any:
        """The value, the list of values if the path is not definite, or MISSING."""
        return self._read(scope)

    def evaluate(self, scope: Scope) -> Any:
        """The value. If it is missing: States.Runtime, with the path library's text."""
        value = self._read(scope)
        if value is MISSING:
            raise self._missing(scope, invalid_path)
        return value

    def reader(self, not_found: NotFound) -> Callable[[Scope], Any]:
        """The function that returns the value; ``not_found`` makes the field's error if there is none.

        An input that is null is refused for every path: AWS reads no null document.
        """
        find = self._read
        reads_input = self.source == "input"

        def read(scope: Scope) -> Any:
            value = find(scope)
            if value is MISSING or (value is None and reads_input and scope.input is None):
                raise self._missing(scope, not_found)
            return value

        return read

    def _missing(self, scope: Scope, not_found: NotFound) -> AslError:
        if self.source == "input" and scope.input is None:
            return null_input()
        return not_found(self, scope)

    def root(self, scope: Scope) -> Any:
        """The value that the path starts from, or MISSING if the variable is not set."""
        if self.source == "input":
            return scope.input
        return scope.context if self.source == "context" else scope.variables.get(self.variable or "", MISSING)

    def finds_past_end(self, scope: Scope) -> bool:
        """Whether ``find`` returned null because an index is outside of its array; intrinsics treat that as missing."""
        return self.query.finds_past_end(self.root(scope))

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


def compile_path(text: str) -> Path:
    """Compile the path of a definition's text. Raises ExpressionSyntaxError."""
    _check_start(text)
    if text.startswith("$$"):
        return Path(text, "context", compile_query(text[1:]), None)
    variable = _VARIABLE.match(text)
    if variable is None:
        return Path(text, "input", compile_query(text), None)
    return Path(text, "variable", compile_query("$" + text[variable.end() :]), variable[1])


def _check_start(text: str) -> None:
    # The path library reads ``a`` as ``$.a``; AWS requires the dollar.
    if not text.startswith("$"):
        raise ExpressionSyntaxError(f"The path '{text}' does not start with '$'.")


def _reader(source: Source, query: Query, variable: str | None) -> Callable[[Scope], Any]:
    find = query.find
    if source == "context":
        return lambda scope: find(scope.context)
    if variable is not None:
        return _variable_reader(variable, find)
    return _input_reader(query)


def _variable_reader(variable: str, find: Callable[[Any], Any]) -> Callable[[Scope], Any]:
    def read(scope: Scope) -> Any:
        value = scope.variables.get(variable, MISSING)
        return value if value is MISSING else find(value)

    return read


def _input_reader(query: Query) -> Callable[[Scope], Any]:
    """Reads the input. ``$``, ``$.a`` and ``$.a.b``, which most paths are, have functions of their own."""
    match query.names:
        case ():
            return lambda scope: scope.input
        case (name,):
            return _name_reader(name)
        case (first, second):
            return _names_reader(first, second)
        case _:
            find = query.find
            return lambda scope: find(scope.input)


def _name_reader(name: str) -> Callable[[Scope], Any]:
    def read(scope: Scope) -> Any:
        try:
            return scope.input[name]
        except (KeyError, TypeError):
            return MISSING

    return read


def _names_reader(first: str, second: str) -> Callable[[Scope], Any]:
    def read(scope: Scope) -> Any:
        try:
            return scope.input[first][second]
        except (KeyError, TypeError):
            return MISSING

    return read


class ReferencePath:
    """A path that names one place: names and indices only (ASL A3.13)."""

    __slots__ = ("steps", "text")

    def __init__(self, text: str, steps: tuple[str | int, ...]) -> None:
        self.text, self.steps = text, steps

    @property
    def is_root(self) -> bool:
        """Whether it is ``$``."""
        return not self.steps

    def get(self, value: Any) -> Any:
        """The value at the place, or MISSING."""
        for step in self.steps:
            value = _child(value, step)
            if value is MISSING:
                return MISSING
        return value

    def set(self, root: Any, value: Any) -> Any:
        """``root`` with ``value`` at the place, as a new value that shares the unchanged parts.

        Missing objects on the way are created. Raises States.ResultPathMatchFailure if the place cannot exist: a name
        in what is not an object, an index in what is not an array, or past its end.
        """
        containers: list[Any] = []
        current = root
        for step in self.steps:
            container: Any = {} if current is MISSING and isinstance(step, str) else current
            if not _takes(container, step):
                raise self._mismatch(root)
            containers.append(container)
            current = _child(container, step)
        for container, step in zip(reversed(containers), reversed(self.steps), strict=True):
            value = _replaced(container, step, value)
        return value

    def _mismatch(self, root: Any) -> AslError:
        cause = f"Unable to apply ReferencePath {self.text} to input {rendered(root)}"
        return AslError(RESULT_PATH_MATCH_FAILURE, cause, interpreter=True)

    def __repr__(self) -> str:
        return f"ReferencePath({self.text!r})"


def compile_reference_path(text: str) -> ReferencePath:
    """The reference path of a text: ``$`` and then names and single indices. Raises ExpressionSyntaxError."""
    _check_start(text)
    steps: list[str | int] = []
    for step in compile_query(text).tokens[1:]:
        match step:
            case Property((name,)):
                steps.append(name)
            case Index(index):
                steps.append(index)
            case _:
                raise ExpressionSyntaxError(f"'{text}' is not a Reference Path: it must name exactly one place.")
    return ReferencePath(text, tuple(steps))


def _takes(container: Any, step: str | int) -> bool:
    """Whether a container can hold the step: an object any name, an array an existing index."""
    if isinstance(step, str):
        return is_object(container)
    return is_array(container) and -len(container) <= step < len(container)


def _replaced(container: Any, step: Any, value: Any) -> Any:
    """A copy of the container with ``value`` at the step."""
    copied = container.copy()
    copied[step] = value
    return copied


def _child(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, MISSING) if is_object(value) else MISSING
    return value[step] if is_array(value) and -len(value) <= step < len(value) else MISSING
