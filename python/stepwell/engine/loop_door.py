"""From the engine's thread to an event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Any

from .waiting import Deliver


class LoopDoor:
    """Brings answers from the engine's thread to the event loop: one wake-up for all that have come meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._come: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._rung = False

    def expect(self) -> tuple[asyncio.Future[Any], Deliver]:
        """A future, and what fulfils it from any thread."""
        future: asyncio.Future[Any] = self._loop.create_future()
        return future, partial(self._deliver, future)

    def _deliver(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._come.append((future, result, error))
        if not self._rung:
            self._rung = True
            try:
                self._loop.call_soon_threadsafe(self._hand_out)
            except RuntimeError:  # the loop is closed: nobody waits any more
                self._come.clear()

    def _hand_out(self) -> None:
        self._rung = False  # before the look: what comes after it rings again
        while self._come:
            future, result, error = self._come.popleft()
            if future.done():  # the wait was canceled
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
