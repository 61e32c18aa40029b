"""The tasks that this node's handlers have, its own and those of other nodes' partitions, and results that may be lost.

A result is sent to the partition's leader, and may not arrive. Then the leader gives the task once more, to this node
first: so the results of the last tasks are kept, and the handler is not called again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from stepwell.engine.host.processes import messages as m
from stepwell.tasks.dispatch import Call, HandlerPool

from .offers import Given

RESULTS, RESULT_BYTES = 4096, 16 << 20
"""So many results are kept, of so many bytes in all."""


class Holding:
    """Any thread may call it."""

    def __init__(self, pool: HandlerPool, send: Callable[[list[m.TaskResult]], None]) -> None:
        self._pool, self._send = pool, send
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}
        """The handler of each task."""
        self._results: OrderedDict[str, m.TaskResult] = OrderedDict()
        self._bytes = 0

    def take(self, tasks: Iterable[Given]) -> None:
        """Begin tasks that a node gave, unless they are here already."""
        calls: list[Call] = []
        results: list[m.TaskResult] = []
        with self._lock:
            for handler, call in tasks:
                known = self._results.get(call.id)
                if known is not None:
                    results.append(known)
                elif call.id not in self._held:
                    self._held[call.id] = handler
                    calls.append(call)
        if calls:
            self._pool.dispatch(calls)
        if results:
            self._send(results)

    def finished(self, results: Iterable[m.TaskResult]) -> None:
        """Handlers have returned these results, which are about to be sent."""
        with self._lock:
            for result in results:
                if self._held.pop(result.id, None) is not None:
                    self._results[result.id] = result
                    self._bytes += _size(result)
            while self._results and (len(self._results) > RESULTS or self._bytes > RESULT_BYTES):
                self._bytes -= _size(self._results.popitem(last=False)[1])

    def over(self, ids: list[str]) -> None:
        """Tasks are not needed any longer."""
        with self._lock:
            for id in ids:
                self._held.pop(id, None)
        self._pool.ended(ids)

    def held(self) -> dict[str, list[str]]:
        """The tasks that are here, by their handlers."""
        found: dict[str, list[str]] = {}
        with self._lock:
            for id, handler in self._held.items():
                found.setdefault(handler, []).append(id)
        return found


def _size(result: m.TaskResult) -> int:
    return len(result.output or b"") + len(result.cause or "")
