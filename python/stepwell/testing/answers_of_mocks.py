"""The answers that a mock gives to calls: what each of them is, and for how many calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from stepwell.asl.json import dumps, loads
from stepwell.errors import InvalidInput

from .virtual_time.durations import Duration, duration_of

Kind: TypeAlias = Literal["returns", "fails", "answers", "accepts", "hangs", "passes"]
Function: TypeAlias = Callable[..., Any]


class Answer(Struct, frozen=True, kw_only=True):
    """One answer. ``times``: for how many calls (None: for one, and for all that follow where it is the last)."""

    kind: Kind
    value: Any = None
    error: str = ""
    cause: str | None = None
    function: Function | None = None
    times: int | None = None
    delay: int = 0
    """Microseconds of virtual time until the task has its result."""
    place: str = ""
    """Where it stands, for the texts of errors."""


def answer(kind: Kind, times: int | None, delay: Duration, **fields: Any) -> Answer:
    """An answer, checked. Raises ``InvalidInput``."""
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"times is a whole number from 1, not {times!r}")
    return Answer(kind=kind, times=times, delay=duration_of(delay), **fields)


def json_value(value: Any, place: str) -> Any:
    """A value as the engine would get it: after encoding as JSON. Raises ``InvalidInput``."""
    try:
        return loads(dumps(value))
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error


def answer_of(answers: list[Answer], number: int) -> Answer | None:
    """The answer of the call of this number, from 0; None: there is none any more."""
    for index, each in enumerate(answers):
        is_last = index == len(answers) - 1
        if each.times is None and is_last:
            return each
        number -= each.times or 1
        if number < 0:
            return each
    return None
