"""A request and its answer, for those that count and log them."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from time import perf_counter
from typing import Any


class Exchange:
    """One request, as far as it came: ``operation`` and ``key`` are None if it was refused before they were known."""

    __slots__ = ("answer", "began", "body", "key", "operation", "request_id", "scope", "seconds", "status")

    def __init__(self, scope: MutableMapping[str, Any], request_id: str) -> None:
        self.scope, self.request_id = scope, request_id
        self.operation: str | None = None
        self.key: str | None = None
        """The name of whose key it was."""
        self.body = self.answer = b""
        self.status, self.seconds = 0, 0.0
        self.began = perf_counter()

    def ended(self, status: int, answer: bytes) -> None:
        """It was answered."""
        self.status, self.answer = status, answer
        self.seconds = perf_counter() - self.began


Observer = Callable[[Exchange], None]
