"""A JSON document: its text and its value, each made at most once."""

from __future__ import annotations

import re
from typing import Any

from msgspec import UNSET, Struct

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


_LOOSE = re.compile(rb"[ \t\r\n\\.eE]")
"""A text with none of these is compact, unless it has a key twice."""
_FRACTION = re.compile(rb"\d[.eE]")
_TEXT_OR_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?\d[\d.eE+-]*)')


def compact(document: Document) -> Document:
    """A document whose text is compact: the same one, if it is. An input that came as text may be written otherwise."""
    if not document.is_encoded or (not document.is_parsed and not _LOOSE.search(document.text)):
        return document
    text = dumps(document.value)
    if _FRACTION.search(document.text):
        text = _with_numbers_of(document.text, text)
    return document if text == document.text else Document(text, document.value)


def _with_numbers_of(written: bytes, text: bytes) -> bytes:
    """The compact text, with its numbers as they were written: AWS passes ``0.0`` on, and not ``0`` (recorded).

    A text with a key twice has more numbers than its value: it gets the value's.
    """
    numbers = [found[1] for found in _TEXT_OR_NUMBER.finditer(written) if found[1]]
    if len(numbers) != sum(bool(found[1]) for found in _TEXT_OR_NUMBER.finditer(text)):
        return text
    rest = iter(numbers)
    return _TEXT_OR_NUMBER.sub(lambda found: next(rest) if found[1] else found[0], text)
