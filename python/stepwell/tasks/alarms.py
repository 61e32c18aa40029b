"""Callbacks after a delay, in one thread that lives while there are any."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count
from time import monotonic

from stepwell.logs import logger

log = logger("stepwell.tasks")

IDLE_SECONDS = 10.0
"""How long the thread waits for another alarm before it ends."""


class Alarms:
    """Calls each function once, after its delay."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._has_thread = self._stopped = False

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` in ``seconds``, from a thread of its own. It must not block."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._due, (monotonic() + max(0.0, seconds), next(self._numbers), callback))
            if self._has_thread:
                self._changed.notify()
                return
            self._has_thread = True
        threading.Thread(target=self._run, name="stepwell-alarms", daemon=True).start()

    def stop(self) -> None:
        """Call nothing more."""
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify()

    def _run(self) -> None:
        while (callback := self._next()) is not None:
            try:
                callback()
            except Exception:
                log.exception("a delayed callback has failed")

    def _next(self) -> Callable[[], None] | None:
        """The next alarm, once it is due; None: there are none any more."""
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - monotonic() if self._due else IDLE_SECONDS
                if self._due and wait <= 0:
                    return heapq.heappop(self._due)[2]
                if not self._changed.wait(wait) and not self._due:
                    break
            self._has_thread = False
            return None
