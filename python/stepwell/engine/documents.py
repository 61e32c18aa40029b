"""A JSON document on its way through the engine: its text and its value, each made at most once."""

from __future__ import annotations

from typing import Any

from stepwell.asl.json import dumps, loads

_UNSET: Any = object()


class Document:
    """A JSON document. A value is shared by all that hold the document: nobody may change it."""

    __slots__ = ("_text", "_value")

    def __init__(self, text: bytes | None = None, value: Any = _UNSET) -> None:
        self._text, self._value = text, value

    @property
    def text(self) -> bytes:
        """The document as JSON text."""
        text = self._text
        if text is None:
            text = self._text = dumps(self._value)
        return text

    @property
    def value(self) -> Any:
        """The document as a value."""
        value = self._value
        if value is _UNSET:
            value = self._value = loads(self._text or b"null")
        return value


NONE = Document(b"")
"""The absent document."""


def of_value(value: Any) -> Document:
    """A document that is known by its value."""
    return Document(None, value)
