"""The machine's clock, as the engine takes it: whole microseconds since 1970, whatever the machine says.

A clock that stands before 1970, as it may on a machine without a battery, is taken for one that began with 1970 when
the machine was started, so that timers go on; order comes from the counter of the hybrid logical clock. One that stands
after February 2106 is refused by that clock (``ClockError``), for its timestamps would leave no room for those that
come when the clock is set right.
"""

from __future__ import annotations

import time

_MICROSECONDS = 1_000_000


def now() -> int:
    """Microseconds since the Unix epoch."""
    nanoseconds = time.time_ns()
    return (nanoseconds if nanoseconds >= 0 else time.monotonic_ns()) // 1000


def seconds_of(microseconds: int) -> int:
    """A time as the hybrid logical clock takes it, in seconds."""
    return max(0, microseconds) // _MICROSECONDS
