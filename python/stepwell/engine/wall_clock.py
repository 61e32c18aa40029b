"""The machine's clock, as the engine uses it: whole microseconds since 1970.

A clock before 1970, as a machine without a battery may have, is taken as 1970 plus the time since the machine was
started, so that timers continue; the counter of the hybrid logical clock keeps the order. A clock after February
2106 is refused by that clock (``ClockError``), because after such timestamps there would be none left for the right
time.
"""

from __future__ import annotations

import time

from stepwell.errors import ClockError

_MICROSECONDS = 1_000_000
_END = 1 << 32
"""The seconds of a hybrid logical clock have 32 bits."""
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
