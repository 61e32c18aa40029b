"""The machine's clock, as the engine takes it: whole microseconds since 1970, whatever the machine says.

A clock that stands before 1970, as it may on a machine without a battery, is taken for one that began with 1970 when
the machine was started, so that timers go on; order comes from the counter of the hybrid logical clock. One that stands
after February 2106 is refused by that clock (``ClockError``), for its timestamps would leave no room for those that
come when the clock is set right.
"""

from __future__ import annotations

import time

from stepwell.errors import ClockError

_MICROSECONDS = 1_000_000
_END = 1 << 32
"""The seconds of a hybrid logical clock have 32 bits."""
_OUT_OF_RANGE = "is out of the range that timestamps have: set it right"


def now() -> int:
    """Microseconds since the Unix epoch. Raises ``ClockError`` where the clock is hundreds of years off."""
    try:
        nanoseconds = time.time_ns()
    except OverflowError as error:  # before 1678, or after 2262
        raise ClockError(f"the machine's clock {_OUT_OF_RANGE}") from error
    return (nanoseconds if nanoseconds >= 0 else time.monotonic_ns()) // 1000


def check() -> None:
    """Raise ``ClockError`` for a clock whose time no timestamp can have: before anything is made."""
    if seconds_of(now()) >= _END:
        raise ClockError(f"the machine's clock stands after February 2106, and {_OUT_OF_RANGE}")


def seconds_of(microseconds: int) -> int:
    """A time as the hybrid logical clock takes it, in seconds."""
    return max(0, microseconds) // _MICROSECONDS
