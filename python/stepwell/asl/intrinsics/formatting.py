"""States.Format: a template with ``{}`` for each value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.intrinsics.functions import IntrinsicError
from stepwell.asl.json import is_array, is_object, number_text
from stepwell.asl.sizes import check_size

Values = list[Any]
_MATCHING = {"{": "}", "}": "{"}
_ESCAPABLE = ("'", "{", "}", "\\")


def compile_format(template: str) -> Callable[[Values], str]:
    """The function that fills the template, in which ``\\{``, ``\\}``, ``\\'`` and ``\\\\`` stand for themselves."""
    pieces = _pieces(template)
    count = len(pieces) - 1

    def fill(values: Values) -> str:
        if len(values) != count:
            raise IntrinsicError(f"States.Format has {count} {{}} in its template and {len(values)} values for them.")
        if len(values) > 1:
            check_size(values)
        parts = [pieces[0]]
        for value, piece in zip(values, pieces[1:], strict=True):
            parts.append(text_of(value))
            parts.append(piece)
        return "".join(parts)

    return fill


def _pieces(template: str) -> list[str]:
    """The texts around the placeholders, unescaped. A brace that is not escaped belongs to a placeholder."""
    pieces: list[str] = []
    piece: list[str] = []
    position = 0
    while position < len(template):
        character, following = template[position], template[position + 1 : position + 2]
        if character == "{" and following == "}":
            pieces.append("".join(piece))
            piece = []
            position += 2
            continue
        if character == "\\" and following in _ESCAPABLE:
            position += 1
        elif character in _MATCHING:
            raise IntrinsicError(
                f"Invalid template in States.Format: matching '{_MATCHING[character]}' not found for '{character}'."
            )
        piece.append(template[position])
        position += 1
    return [*pieces, "".join(piece)]


def text_of(value: Any) -> str:
    """A value as Format inserts it. Objects and arrays look like Java's maps and lists (AWS recording)."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_object(value):
        return "{" + ", ".join(f"{key}={text_of(item)}" for key, item in value.items()) + "}"
    if is_array(value):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return number_text(value)
