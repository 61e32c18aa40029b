"""Java's part in the path language: how texts are read, how numbers and JSON values are printed, error texts."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.json import INT64_MAX, INT64_MIN, is_array, is_object, number_text

INT_MIN, INT_MAX = -(2**31), 2**31 - 1

_BLANKS = "".join(map(chr, range(0x21)))
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r'["\\\x00-\x1f]')


def code_units(text: str) -> str:
    """The text with one character for each UTF-16 code unit, which is what Java counts."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(data[at : at + 2], "little")) for at in range(0, len(data), 2))


def characters(text: str) -> str:
    """The text of code units, with one character for each code point again."""
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def shown(text: str) -> str:
    """The text of code units for a message: a lone surrogate does not exist in UTF-8, and Java writes ``?`` for it."""
    return _HALF_PAIR.sub("?", characters(text))


def trim(text: str) -> str:
    """The text without blanks and control characters around it."""
    return text.strip(_BLANKS)


def char_at(text: str, index: int) -> str:
    """The character at an index; past the end of the text the path is a syntax error."""
    return text[index] if 0 <= index < len(text) else past_end(text, index)


def past_end(text: str, index: int) -> NoReturn:
    """Raise the syntax error of a text that is read past its end."""
    # Java stores Latin-1 texts differently, and has another message for them.
    if all(character <= "\xff" for character in text):
        raise_java("lang.StringIndexOutOfBoundsException", f"String index out of range: {index}")
    raise_java("lang.StringIndexOutOfBoundsException", f"index {index}, length {len(text)}")


def substring(text: str, begin: int, end: int) -> str:
    """A part of a text; if it would end before it begins, the path is a syntax error."""
    if begin > end:
        message = f"begin {begin}, end {end}, length {len(text)}"
        raise_java("lang.StringIndexOutOfBoundsException", message)
    return text[begin:end]


def parse_int(text: str) -> int:
    """The 32-bit integer of a text of digits and signs."""
    digits = text.removeprefix("-")
    if digits.isdecimal() and len(digits) <= 400 and INT_MIN <= (value := int(text)) <= INT_MAX:
        return value
    return raise_java("lang.NumberFormatException", f'For input string: "{shown(text)}"')


def raise_java(name: str, message: str | None = None) -> NoReturn:
    """Raise the syntax error whose reason is a Java exception."""
    raise ExpressionSyntaxError(f"java.{name}" if message is None else f"java.{name}: {message}")


class Node:
    """A scalar that is a node of the JSON tree: an item of an array, or the document itself.

    A field's value is a Java value instead: its null is Java's null, and its text has no quotes in messages.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def as_node(value: Any) -> Any:
    """The value as a node; arrays and objects are always nodes."""
    return value if is_object(value) or is_array(value) else Node(value)


def as_value(model: Any) -> Any:
    """The JSON value of a node or a Java value."""
    return model.value if type(model) is Node else model


def java_text(model: Any) -> str:
    """The result of Java's toString."""
    if type(model) is Node:
        return _json(model.value)
    return model if isinstance(model, str) else _json(model)


def _json(value: Any) -> str:
    """The JSON text that Jackson writes. It does not recurse, because a document may be deep."""
    pieces: list[str] = []
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if type(item) is _Raw:
            pieces.append(item.text)
        elif is_object(item):
            pending.extend(_object_parts(item))
        elif is_array(item):
            pending.extend(_array_parts(item))
        else:
            pieces.append(_scalar(item))
    return "".join(pieces)


class _Raw:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_COMMA, _END_OF_ARRAY, _END_OF_OBJECT = _Raw(","), _Raw("]"), _Raw("}")


def _array_parts(items: list[Any]) -> list[Any]:
    parts: list[Any] = [_END_OF_ARRAY]
    for item in reversed(items):
        parts += (item, _COMMA)
    if items:
        parts.pop()
    parts.append(_Raw("["))
    return parts


def _object_parts(fields: dict[str, Any]) -> list[Any]:
    parts: list[Any] = [_END_OF_OBJECT]
    for name, item in reversed(fields.items()):
        parts += (item, _Raw(f"{_scalar(name)}:"), _COMMA)
    if fields:
        parts.pop()
    parts.append(_Raw("{"))
    return parts


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return double_text(value) if isinstance(value, float) else str(value)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04X}"


def double_text(value: float) -> str:
    """How Java prints a double: ``1.0``, ``1.0E20``, ``1.0E-4``."""
    magnitude = abs(value)
    if value == 0.0 or 1e-3 <= magnitude < 1e7:
        return repr(value)
    text = number_text(value)
    if "E" in text:
        return text
    # A whole double, which number_text would print as an integer, as AWS does.
    digits = text.lstrip("-")
    fraction = digits[1:].rstrip("0") or "0"
    return f"{'-' if value < 0 else ''}{digits[0]}.{fraction}E{len(digits) - 1}"


def java_class(value: Any) -> str:
    """The class of a Java value, as a field or a path in a filter returns it."""
    if isinstance(value, str):
        return "java.lang.String"
    if isinstance(value, bool):
        return "java.lang.Boolean"
    if isinstance(value, float):
        return "java.lang.Double"
    if isinstance(value, int):
        if INT_MIN <= value <= INT_MAX:
            return "java.lang.Integer"
        return "java.lang.Long" if INT64_MIN <= value <= INT64_MAX else f"{_NODES}.BigIntegerNode"
    return f"{_NODES}.ArrayNode" if is_array(value) else f"{_NODES}.ObjectNode"


_NODES = "com.fasterxml.jackson.databind.node"
