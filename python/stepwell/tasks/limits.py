"""Limits of handlers: how many calls run at the same time, and how many begin in a period."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, NamedTuple, Protocol, TypeVar

from stepwell.errors import InvalidInput

MAX_CALLS = 100_000
"""The largest number of calls in a rate: a limit keeps the time of each."""
MAX_WINDOW = 64
"""The largest number of tasks that a partition hands out before their calls begin."""
_PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_RATE = re.compile(r"([1-9][0-9]*)/([smh])")


class Rate(NamedTuple):
    """At most ``calls`` begin within any ``seconds``."""

    calls: int
    seconds: float


def parse_rate(text: str) -> Rate:
    """A rate as a program writes it: ``100/s``, ``30/m``, ``5/h``. Raises ``InvalidInput``."""
    found = _RATE.fullmatch(text) if isinstance(text, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if found is None:
        raise InvalidInput(f"a rate is a number of calls a second, a minute or an hour, such as '100/s', not {text!r}")
    calls = int(found[1])
    if calls > MAX_CALLS:
        raise InvalidInput(f"a rate has at most {MAX_CALLS} calls, not {calls}: {_advice(calls, found[2])}")
    return Rate(calls, _PERIODS[found[2]])


def _advice(calls: int, unit: str) -> str:
    """What to write instead of a rate that is too large."""
    shorter = [each for each, seconds in _PERIODS.items() if seconds < _PERIODS[unit]]
    fitting = [each for each in shorter if 1 <= calls * _PERIODS[each] // _PERIODS[unit] <= MAX_CALLS]
    if not fitting:
        return "leave it out, for a handler cannot be called as often"
    return f"that is '{int(calls * _PERIODS[fitting[-1]] // _PERIODS[unit])}/{fitting[-1]}'"


def check_concurrency(concurrency: int | None) -> None:
    """Raise ``InvalidInput`` unless it is None or a number of calls."""
    if concurrency is None:
        return
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"a handler's concurrency is a whole number from 1, not {concurrency!r}")


class Limited(Protocol):
    """Work, as far as a limit needs it."""

    id: str
    is_called_up: bool
    has_slot: bool


W = TypeVar("W", bound=Limited)


class Limit(Generic[W]):
    """The limit of one handler. A few tasks beyond the limit wait here, all others on the log.

    Every method may be called from any thread. ``add`` takes work in; ``call_up`` returns work that may begin, with a
    slot reserved until its call ends or it is discarded. Work counts for the rate when its call begins.
    """

    def __init__(self, name: str, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._concurrency: int | None = None
        self._rate: Rate | None = None
        self._running = self._called_up = 0
        self._begun: deque[float] = deque()
        """When the calls of the last period began."""
        self._waiting: OrderedDict[str, W] = OrderedDict()
        self.is_watched = False
        """Whether an alarm is set for the rate's next call."""

    def change(self, concurrency: int | None, rate: Rate | None) -> None:
        """Set another limit; None and None: no limit."""
        with self._lock:
            self._concurrency, self._rate = concurrency, rate

    @property
    def window(self) -> int:
        """How many tasks a partition may hand out before their calls begin; 0: any number."""
        bounds = [self._concurrency, self._rate.calls if self._rate is not None else None]
        return min([MAX_WINDOW, *[bound for bound in bounds if bound is not None]]) if any(bounds) else 0

    @property
    def most(self) -> int:
        """How many tasks are of use here at a time; 0: any number."""
        return self._concurrency or self.window

    @property
    def has_waiting(self) -> bool:
        """Whether any work waits here."""
        return bool(self._waiting)

    def add(self, works: list[W]) -> None:
        """Let work wait for a slot."""
        with self._lock:
            self._waiting.update([(work.id, work) for work in works])

    def call_up(self) -> list[W]:
        """Remove and return the work that may begin now."""
        with self._lock:
            room = self._room(self._clock()) if self._waiting else 0
            found = [self._waiting.popitem(last=False)[1] for _ in range(min(max(0, room), len(self._waiting)))]
            for work in found:
                work.is_called_up = True
            self._called_up += len(found)
            return found

    def begin(self, work: W) -> None:
        """The call of work that was called up begins."""
        with self._lock:
            work.is_called_up, work.has_slot = False, True
            self._called_up -= 1
            self._running += 1
            if self._rate is not None:
                self._begun.append(self._clock())

    def ended(self, work: W) -> None:
        """A call has ended, or is not counted any longer; the second report of a call changes nothing."""
        with self._lock:
            self._running -= work.has_slot
            work.has_slot = False

    def discard(self, work: W) -> bool:
        """Remove work that waits, or was called up and has not begun; whether it was waiting."""
        with self._lock:
            self._called_up -= work.is_called_up
            work.is_called_up = False
            return self._waiting.pop(work.id, None) is not None

    def delay(self) -> float | None:
        """In how many seconds the rate lets the next call begin; None: nothing waits for the rate."""
        with self._lock:
            if not self._waiting or self._rate is None or self._places() < 1:
                return None
            now = self._clock()
            if self._room(now) > 0:
                return 0.0
            return self._begun[0] + self._rate.seconds - now if self._begun else None

    def _places(self) -> int:
        """How many more calls may run at the same time."""
        bound = self._concurrency
        return MAX_CALLS if bound is None else bound - self._running - self._called_up

    def _room(self, now: float) -> int:
        """How many more calls may begin now."""
        places, rate = self._places(), self._rate
        if rate is None:
            return places
        while self._begun and self._begun[0] <= now - rate.seconds:
            self._begun.popleft()
        return min(places, rate.calls - len(self._begun) - self._called_up)
