"""A clock that advances only when a test says so."""

from __future__ import annotations


class VirtualClock:
    """Time in microseconds since the Unix epoch; waiting costs nothing."""

    def __init__(self, start: int = 1_700_000_000_000_000) -> None:
        self._now = start

    def now(self) -> int:
        """The time."""
        return self._now

    def advance_to(self, micros: int) -> None:
        """Advance to ``micros``."""
        self._now = max(self._now, micros)
