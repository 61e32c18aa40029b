"""The machine's clock, as the engine uses it: whole microseconds since 1970.

A clock before 1970, as a machine without a battery may have, is taken as 1970 plus the time since the machine was
started, so that timers continue; the counter of the hybrid logical clock keeps the order. A clock after February
2106 is refused by that clock (``ClockError``), because after such timestamps there would be none left for the right
time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from stepwell.errors import ClockError
from stepwell.logs import logger

log = logger("stepwell.engine")

_MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = 1 << 32
"""The seconds of a hybrid logical clock have 32 bits."""
BACK_MICROSECONDS = 60_000_000
"""How far the machine's clock may go back without a warning: small corrections are usual."""
_OUT_OF_RANGE = "is out of the range that timestamps have: set it right"


def now() -> int:
    """Microseconds since the Unix epoch. Raises ``ClockError`` if the clock is wrong by hundreds of years."""
    try:
        nanoseconds = time.time_ns()
    except OverflowError as error:  # before 1678, or after 2262
        raise ClockError(f"the machine's clock {_OUT_OF_RANGE}") from error
    return (nanoseconds if nanoseconds >= 0 else time.monotonic_ns()) // 1000


def check() -> None:
    """Raise ``ClockError`` for a time that has no timestamp, before anything is created."""
    if seconds_of(now()) >= _END:
        raise ClockError(f"the machine's clock stands after February 2106, and {_OUT_OF_RANGE}")


def seconds_of(microseconds: int) -> int:
    """A time in seconds, for the hybrid logical clock."""
    return max(0, microseconds) // _MICROSECONDS


def utc(microseconds: int) -> datetime:
    """A time as programs read it; exact, as a float of seconds would not be."""
    return _EPOCH + timedelta(microseconds=microseconds)


class Clock(Protocol):
    """The physical time that a host works with."""

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        ...

    def has_been(self, seconds: int) -> None:
        """It was that late once, in this process or in one before."""
        ...


class SystemClock:
    """The machine's clock. It logs a warning if it goes back, because timers depend on it."""

    def __init__(self) -> None:
        self._latest = 0

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        moment = now()
        if moment > self._latest:
            self._latest = moment
        elif self._latest - moment > BACK_MICROSECONDS:
            self._went_back(moment)
        return moment

    def has_been(self, seconds: int) -> None:
        """It was that late once, in this process or in one before."""
        self._latest = max(self._latest, seconds * _MICROSECONDS)
        self.now()

    def _went_back(self, moment: int) -> None:
        seconds = (self._latest - moment) // _MICROSECONDS
        self._latest = moment
        log.warning(
            "the machine's clock has gone back by %d seconds, to %d seconds after 1970: timers go by it, and those "
            "that were set before fire that much later",
            seconds,
            moment // _MICROSECONDS,
        )
