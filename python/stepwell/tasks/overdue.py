"""Overdue handlers, which still run although their task has ended: they are logged, counted and replaced.

A thread cannot be stopped. If its handler does not return soon after the end of its task, the pool may start another
thread in its place, so that hung handlers do not starve the others. The number of replaced threads is bounded,
because each of them costs memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from stepwell.logs import about, logger

from .alarms import Alarms
from .threads import HandlerThreads
from .work import Work

log = logger("stepwell.handlers")

OVERDUE_SECONDS = 1.0
"""How long a handler may run after the end of its task."""


class Overdue:
    """The overdue handlers. ``free`` makes the slot of a replaced one in its limit available to another call."""

    def __init__(
        self, threads: HandlerThreads, alarms: Alarms, most_replaced: int, free: Callable[[Work], None]
    ) -> None:
        self._threads, self._alarms, self._most_replaced, self._free = threads, alarms, most_replaced, free
        self._lock = threading.Lock()
        self._works: dict[str, Work] = {}
        self._replaced = 0

    def __len__(self) -> int:
        return len(self._works)

    def watch(self, works: list[Work]) -> None:
        """The tasks of these handlers have ended: check soon whether the handlers have returned."""
        self._alarms.after(OVERDUE_SECONDS, partial(self._check, works))

    def returned(self, work: Work) -> None:
        """A handler whose task has ended has returned."""
        with self._lock:
            if self._works.pop(work.id, None) is None:
                return
            self._replaced -= work.is_replaced
        log.warning("the handler of %r has returned, %.0f s after it was called", work.call.resource, _seconds(work))
        self._replace()

    def _check(self, works: list[Work]) -> None:
        with self._lock:
            overdue = [work for work in works if work.is_running]
            self._works.update([(work.id, work) for work in overdue])
            count = len(self._works)
        for work in overdue:
            call = work.call
            log.warning(
                "the handler of %r still runs, %.0f s after it was called, although its task has ended "
                "(state %r of %s, task %s); overdue handlers: %d",
                *(call.resource, _seconds(work), call.state_name, call.execution_id, call.id, count),
                extra=about(execution=call.execution_id, state=call.state_name, task=call.id),
            )
        if overdue:
            self._replace()

    def _replace(self) -> None:
        """Replace overdue handlers, up to the bound."""
        with self._lock:
            left = [work for work in self._works.values() if not work.is_replaced]
            chosen = left[: max(0, self._most_replaced - self._replaced)]
            for work in chosen:
                work.is_replaced = True
            self._replaced += len(chosen)
        for work in chosen:
            if not work.registration.is_async:
                self._threads.replace_one()
            self._free(work)
        if len(chosen) < len(left):
            log.error(
                "%d handlers still run although their tasks have ended; no more than %d are replaced",
                *(len(self._works), self._most_replaced),
            )


def _seconds(work: Work) -> float:
    return monotonic() - work.began
