"""Normalises what differs between two runs of the same: ids, UUIDs, times of the wall clock, task tokens."""

from __future__ import annotations

import re
from typing import Any

from stepwell.asl.json import is_array, is_object

UUID = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{60,}")
_ID = re.compile(r"/[^/\s\"]+/[^/\s\"]+/[et][0-9a-f]{7}/[0-9a-f]{8,16}(?:/[0-9a-z/]+)?")


class Normalizer:
    """Replaces texts that were not given: ``<uuid 1>``, ``<time 2>``; the same text gets the same number.

    ``sources`` are the definition, the input and the mocks: what stands there is left as it is.
    """

    def __init__(self, *sources: bytes, ids: list[str]) -> None:
        self._sources = "\n".join(source.decode() for source in sources)
        self._ids = ids
        self._numbers: dict[str, dict[str, int]] = {}

    def __call__(self, value: Any) -> Any:
        """The value, normalised."""
        if isinstance(value, str):
            return self._text(value)
        if is_object(value):
            return {self._text(key): self(item) for key, item in value.items()}
        return [self(item) for item in value] if is_array(value) else value

    def _text(self, text: str) -> str:
        if text in self._sources:
            return text
        for id in self._ids:
            text = text.replace(id, "<execution>")
        for kind, pattern in (("id", _ID), ("uuid", UUID), ("time", TIME), ("token", TOKEN)):
            text = pattern.sub(lambda found, kind=kind: self._named(kind, found[0]), text)
        return text

    def _named(self, kind: str, found: str) -> str:
        if found in self._sources:
            return found
        numbers = self._numbers.setdefault(kind, {})
        return f"<{kind} {numbers.setdefault(found, len(numbers) + 1)}>"
