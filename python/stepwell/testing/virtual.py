"""A clock that advances only when a test says so."""

from __future__ import annotations

_MICROSECONDS = 1_000_000


class VirtualClock:
    """Time in microseconds since the Unix epoch; waiting costs nothing."""

    def __init__(self, start: int = 1_700_000_000_000_000) -> None:
        self._now = start

    def now(self) -> int:
        """The time."""
        return self._now

    def seconds(self) -> float:
        """The time in seconds."""
        return self._now / _MICROSECONDS

    def advance_to(self, micros: int) -> None:
        """Advance to ``micros``; a time that is over changes nothing."""
        self._now = max(self._now, micros)

    def has_been(self, seconds: int) -> None:
        """It was that late once, before the folder was opened: it does not go back behind that."""
        self.advance_to(seconds * _MICROSECONDS)
