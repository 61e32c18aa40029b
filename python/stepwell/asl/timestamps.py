"""RFC 3339 timestamps as instants, and back to text (ASL A9.51, A10.53).

Instants are whole numbers since the Unix epoch, so that two of them compare exactly: nanoseconds for comparisons of
timestamps, microseconds for everything else.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

MICROS_PER_SECOND = 1_000_000
_NANOS_PER_SECOND = 1_000_000_000

# Uppercase T and Z, as the specification asks; RFC 3339 §5.6 has the rest.
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_instant(text: str) -> int | None:
    """The nanoseconds since the epoch that ``text`` names, or None if it is not an RFC 3339 timestamp.

    Digits of a fraction after the ninth are dropped.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    if not (1 <= month <= 12 and 1 <= day <= _days_in(year, month) and hour < 24 and minute < 60 and second < 60):
        return None
    seconds = _days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    if match[8]:
        offset_hours, offset_minutes = int(match[9]), int(match[10])
        if offset_hours > 23 or offset_minutes > 59:
            return None
        offset = offset_hours * 3600 + offset_minutes * 60
        seconds -= offset if match[8] == "+" else -offset
    return seconds * _NANOS_PER_SECOND + int((match[7] or "0")[:9].ljust(9, "0"))


def parse_timestamp(text: str) -> int | None:
    """The microseconds since the epoch that ``text`` names, or None if it is not an RFC 3339 timestamp."""
    instant = parse_instant(text)
    return None if instant is None else instant // 1000


def format_timestamp(micros: int) -> str:
    """A time in the form of the Context Object: UTC, to the millisecond (``2024-07-15T10:30:01.500Z``).

    A whole second has no fraction (``2024-07-15T10:30:01Z``), as Java prints it.
    """
    seconds, rest = divmod(micros, MICROS_PER_SECOND)
    fraction = f".{rest // 1000:03d}" if rest >= 1000 else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _days_in(year: int, month: int) -> int:
    return 29 if month == 2 and _is_leap(year) else _MONTH_DAYS[month - 1]


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_since_epoch(year: int, month: int, day: int) -> int:
    # Howard Hinnant's days_from_civil: years that begin in March put the leap day last.
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
