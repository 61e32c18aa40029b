"""Times and durations, as tests write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from stepwell.engine.client.arguments import moment
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidInput

Duration: TypeAlias = float | str | timedelta
"""A number of seconds, a text such as ``"30d"`` or ``"1h30m"``, or a ``timedelta``."""
Time: TypeAlias = float | str | datetime
"""Seconds since 1970, a text such as ``"2026-03-29T01:30:00+01:00"``, or a ``datetime`` with a time zone."""

_MICROSECONDS = 1_000_000
_LAST = (1 << 32) * _MICROSECONDS
"""The hybrid logical clock ends in February 2106."""
_UNITS = {
    "ms": 1_000,
    "s": _MICROSECONDS,
    "m": 60 * _MICROSECONDS,
    "h": 3600 * _MICROSECONDS,
    "d": 86_400 * _MICROSECONDS,
    "w": 604_800 * _MICROSECONDS,
}
_TEXT = re.compile(r"(?:\s*\d+(?:\.\d+)?\s*(?:ms|s|m|h|d|w))+\s*", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.ASCII)


def duration_of(value: Duration) -> int:
    """A duration in microseconds. Raises ``InvalidInput`` for one that is negative, or is none."""
    if isinstance(value, str):
        micros = _text_duration(value)
    elif isinstance(value, timedelta):
        micros = value // timedelta(microseconds=1)
    elif isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"a duration is a number of seconds, a text such as '30d', or a timedelta: {shown(value)}")
    else:
        micros = round(min(max(value, -1), _LAST) * _MICROSECONDS)
    if micros < 0:
        raise InvalidInput(f"time does not go back: {shown(value)}")
    return micros


def _text_duration(text: str) -> int:
    if not _TEXT.fullmatch(text):
        raise InvalidInput(f"a duration is a text such as '30d', '1h30m' or '250ms', not {shown(text)}")
    return sum(round(float(number[:20]) * _UNITS[unit]) for number, unit in _PART.findall(text))


def time_of(value: Time) -> int:
    """A time in microseconds since 1970. Raises ``InvalidInput`` for one without a time zone, or that is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise InvalidInput(f"a time is a text such as '2026-03-29T01:30:00Z', not {shown(value)}") from error
    micros = moment("a time", value)
    return check_time(micros)


def check_time(micros: int) -> int:
    """Raise ``InvalidInput`` for a time that has no timestamp."""
    if micros >= _LAST:
        raise InvalidInput("the virtual clock ends in February 2106, as timestamps do")
    return micros


def datetime_of(micros: int) -> datetime:
    """A time in UTC."""
    return datetime.fromtimestamp(micros // _MICROSECONDS, UTC) + timedelta(microseconds=micros % _MICROSECONDS)
