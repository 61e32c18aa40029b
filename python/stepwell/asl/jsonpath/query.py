"""A compiled JSONPath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepwell.asl.errors import runtime_error
from stepwell.asl.json import is_array, is_object, rendered
from stepwell.asl.jsonpath.parser import parse_steps
from stepwell.asl.jsonpath.selectors import compile_find, is_definite, item_at
from stepwell.asl.jsonpath.syntax import MISSING, Cursor, Function, Index, Property, Run, Scan, Step, Wildcard


class Query:
    """A path from the root of a value.

    ``definite``: it finds one value or nothing, else it gives a list. ``names`` are its steps where all are plain
    names (``$.a.b`` has ``("a", "b")``, ``$`` has ``()``), else None.
    """

    __slots__ = ("_find", "definite", "names", "steps", "text")

    def __init__(self, text: str, steps: Sequence[Step]) -> None:
        self.text, self.steps = text, tuple(steps)
        self.definite = is_definite(steps)
        self.names = _plain_names(steps)
        self._find = compile_find(steps)

    def find(self, value: Any) -> Any:
        """What the path finds in ``value``: a value, a list where it is not definite, or MISSING."""
        try:
            return self._find(value, Run(value))
        except RecursionError as error:
            raise runtime_error(f"The JSONPath '{self.text}' meets values that are nested too deeply.") from error

    def finds_past_end(self, value: Any) -> bool:
        """Whether a null was found only because an index lies outside of its array."""
        if not self.definite or not self.steps or not isinstance(self.steps[-1], Index):
            return False
        items = compile_find(self.steps[:-1])(value, Run(value))
        index = self.steps[-1].indices[0]
        return is_array(items) and not -len(items) <= index < len(items)

    def problem(self, value: Any) -> str:
        """Why the path finds nothing in ``value``, in the words of Jayway's library."""
        place = "$"
        for position, step in enumerate(self.steps):
            match step:
                case Property(names):
                    if not is_object(value):
                        return _not_an_object(step, place, value)
                    place += step.fragment
                    if names[0] not in value:
                        is_last = position == len(self.steps) - 1
                        return f"{'No results for path:' if is_last else 'Missing property in path'} {place}"
                    value = value[names[0]]
                case Index(indices):
                    if not is_array(value):
                        return _not_an_array(step, place, value)
                    place += step.fragment
                    value = item_at(value, indices[0])
                case Wildcard() | Scan() | Function():
                    break
                case _:
                    return _not_an_array(step, place, value)
        return f"No results for path: {place}"


def compile_query(text: str) -> Query:
    """The query of a path that starts with ``$``. Raises ExpressionSyntaxError."""
    cursor = Cursor(text)
    cursor.expect("$")
    return Query(text, parse_steps(cursor))


def _plain_names(steps: Sequence[Step]) -> tuple[str, ...] | None:
    names = tuple(step.names[0] for step in steps if isinstance(step, Property) and len(step.names) == 1)
    return names if len(names) == len(steps) else None


_JAVA_TYPES: dict[type, str] = {
    str: "TextNode",
    bool: "BooleanNode",
    int: "IntNode",
    float: "DoubleNode",
    list: "ArrayNode",
    dict: "ObjectNode",
}


def _not_an_object(step: Property, place: str, value: Any) -> str:
    found = "null" if value is None else f"com.fasterxml.jackson.databind.node.{_JAVA_TYPES[type(value)]}"
    return (
        f"Expected to find an object with property {step.fragment} in path {place} but found '{found}'. This is not a "
        "json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
    )


def _not_an_array(step: Step, place: str, value: Any) -> str:
    if value is None:
        return f"The path {place} is null"
    return f"Filter: {step.fragment} can only be applied to arrays. Current context is: {rendered(value)}"


__all__ = ["MISSING", "Query", "compile_query"]
