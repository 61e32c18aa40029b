"""The machine's clock, as the engine takes it: whole microseconds since 1970, whatever the machine says.

A clock that stands before 1970, as it does on a machine without a battery, counts as 1970: order comes from the
counter of the hybrid logical clock. One that stands after February 2106 is refused by that clock (``ClockError``),
for its timestamps would leave no room for those that come when the clock is set right.
"""

from __future__ import annotations

import time

_MICROSECONDS = 1_000_000


def now() -> int:
    """Microseconds since the Unix epoch."""
    return max(0, time.time_ns() // 1000)


def seconds_of(microseconds: int) -> int:
    """A time as the hybrid logical clock takes it, in seconds."""
    return max(0, microseconds) // _MICROSECONDS
