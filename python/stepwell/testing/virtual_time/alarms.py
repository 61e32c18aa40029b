"""Callbacks after a delay of virtual time: rates of handlers, delays of mocks."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from stepwell.tasks.alarms import Alarms
from stepwell.testing.virtual import VirtualClock


class VirtualAlarms(Alarms):
    """Calls each function once its time has come: the driver asks for those that are due."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._alarms: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` in ``seconds`` of virtual time."""
        due = self._clock.now() + max(0, round(seconds * 1_000_000))
        heapq.heappush(self._alarms, (due, next(self._order), callback))

    def stop(self) -> None:
        """Call nothing more."""
        self._alarms.clear()

    def next_due(self) -> int | None:
        """When the next one is due, in microseconds."""
        return self._alarms[0][0] if self._alarms else None

    def fire(self) -> bool:
        """Call the first one that is due; whether there was one."""
        if not self._alarms or self._alarms[0][0] > self._clock.now():
            return False
        heapq.heappop(self._alarms)[2]()
        return True
