"""Timers in memory: the next ones of those in storage.

A million waiting executions have a million rows. Memory has only the timers that are due before ``horizon``. The
others are read from storage, a window at a time, when they are next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

from stepwell.engine.storage.contexts import TimerContext

START: Final = 1
WAIT: Final = 2
RETRY: Final = 3
TASK_TIMEOUT: Final = 4
HEARTBEAT: Final = 5
EXECUTION_TIMEOUT: Final = 6
RETENTION: Final = 8

_FOREVER: Final = 1 << 63
Key = tuple[int, int, str]
Timer = tuple[int, int, str, str]
"""Due time, kind, target and execution."""


class TimerQueue:
    """Timers by due time.

    ``scan(limit)`` returns the first rows of storage in due order. Memory has every timer that is due before
    ``horizon``, and some of those that are due at it. Later ones are only in storage.
    """

    def __init__(self, scan: Callable[[int], list[TimerContext]], window: int = 10_000) -> None:
        self._scan, self._window = scan, window
        self._heap: list[Timer] = []
        self._live: set[Key] = set()
        self._horizon = _FOREVER

    def __len__(self) -> int:
        """How many timers are in memory, including canceled ones that are skipped later."""
        return len(self._heap)

    def load(self) -> None:
        """Read the first window from storage, which must have everything that was applied."""
        rows = self._scan(self._window)
        self._heap = [(row.due, row.kind, row.target, row.execution_id) for row in rows]
        heapq.heapify(self._heap)
        self._live = {(row.due, row.kind, row.target) for row in rows}
        self._horizon = rows[-1].due if len(rows) == self._window else _FOREVER

    def add(self, due: int, kind: int, target: str, execution_id: str) -> None:
        """A timer was created."""
        if due > self._horizon:
            return
        self._live.add((due, kind, target))
        heapq.heappush(self._heap, (due, kind, target, execution_id))
        if len(self._live) > 2 * self._window:
            self._shrink()
        elif len(self._heap) > 4 * self._window:  # most of them are canceled
            self._keep(self._still_live())

    def discard(self, due: int, kind: int, target: str) -> None:
        """A timer was triggered or canceled."""
        self._live.discard((due, kind, target))

    def next_due(self) -> int | None:
        """When the next timer is due; the horizon if later ones must be read then; None without timers."""
        self._pass_over()
        if self._heap:
            return self._heap[0][0]
        return self._horizon if self._horizon != _FOREVER else None

    def pop_due(self, now: int, limit: int) -> list[Timer]:
        """Remove and return the timers that are due, the earliest first. Each is returned once."""
        due: list[Timer] = []
        heap = self._heap
        while heap and heap[0][0] <= now and len(due) < limit:
            timer = heapq.heappop(heap)
            if timer[:3] in self._live:
                self._live.discard(timer[:3])
                due.append(timer)
        return due

    def needs_load(self, now: int) -> bool:
        """Whether the timers beyond the horizon must be read. Storage must have everything that was applied."""
        self._pass_over()
        return not self._heap and self._horizon <= now

    def _pass_over(self) -> None:
        """Drop canceled timers from the head."""
        heap = self._heap
        while heap and heap[0][:3] not in self._live:
            heapq.heappop(heap)

    def _shrink(self) -> None:
        """Drop the later half; storage has it."""
        kept = heapq.nsmallest(self._window, self._still_live())
        self._keep(kept)
        self._horizon = kept[-1][0]

    def _still_live(self) -> list[Timer]:
        return list({timer[:3]: timer for timer in self._heap if timer[:3] in self._live}.values())

    def _keep(self, timers: list[Timer]) -> None:
        self._heap = timers
        heapq.heapify(timers)
        self._live = {timer[:3] for timer in timers}
