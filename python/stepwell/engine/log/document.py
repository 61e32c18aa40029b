"""A JSON document: its text and its value, each made at most once."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct

from stepwell._core import json_compact
from stepwell.asl.json import dumps, loads

_UNSET: Any = UNSET


class Document(Struct, eq=False):
    """A JSON document. All holders of the document share its value, so it must not be changed."""

    _text: bytes | None = None
    _value: Any = _UNSET

    @property
    def text(self) -> bytes:
        """The document as JSON text."""
        text = self._text
        if text is None:
            text = self._text = dumps(self._value)
        return text

    @property
    def is_encoded(self) -> bool:
        """Whether its text exists already."""
        return self._text is not None

    @property
    def is_parsed(self) -> bool:
        """Whether its value exists already."""
        return self._value is not _UNSET

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
    """A document with a value, not encoded yet."""
    return Document(None, value)


def compact(document: Document) -> Document:
    """A document whose text is compact: the same one, if it is. An input that came as text may be written otherwise.

    Numbers stay as they were written: AWS passes ``0.0`` on, and not ``0`` (recorded).
    """
    if not document.is_encoded:
        return document
    written = document.text
    text = json_compact(written)
    if text is written:
        return document
    return Document(text, document.value) if document.is_parsed else Document(text)
