"""Async handlers on an event loop: the program's own, or one in a thread that the first async handler starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

STOPPING_SECONDS = 1.0
"""How long a loop of our own may take to stop."""
Body = Callable[[], Coroutine[Any, Any, None]]


class CoroutineRunner:
    """Runs coroutines on ``loop``; with None, on a loop of its own, which the first coroutine starts.

    asyncio is imported only then, because a program without async handlers does not need it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._started = self._ended = 0
        self._closed = False

    def start(self, bodies: list[Body]) -> None:
        """Run coroutines; wakes the loop once for all of them."""
        if self._closed:
            return
        loop = self._loop or self._own_loop()
        self._started += len(bodies)
        try:
            loop.call_soon_threadsafe(self._spawn, bodies)
        except RuntimeError:  # the program closed its loop: what did not begin stays on the log
            self._ended += len(bodies)

    @property
    def is_idle(self) -> bool:
        """Whether everything that was started has ended."""
        return self._started == self._ended

    def stop(self) -> None:
        """Start nothing more."""
        self._closed = True

    def cancel(self) -> None:
        """Cancel what still runs; to be called on the loop."""
        import asyncio

        for task in self._running - {asyncio.current_task()}:
            task.cancel()

    async def drain(self, timeout: float) -> None:
        """Let coroutines on the program's loop end; cancel those that take longer than ``timeout`` seconds."""
        import asyncio

        deadline = monotonic() + timeout
        own = {asyncio.current_task()}
        while (running := self._running - own) and monotonic() < deadline:
            await asyncio.wait(running, timeout=deadline - monotonic())
        self.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def close(self, timeout: float) -> None:
        """Let coroutines on a loop of our own end; only the program runs its own loop."""
        self.stop()
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        deadline = monotonic() + timeout
        while not self.is_idle and monotonic() < deadline:
            sleep(0.002)
        loop.call_soon_threadsafe(self.cancel)
        loop.call_soon_threadsafe(loop.call_soon, loop.stop)  # one iteration later, so that canceled tasks can end
        thread.join(STOPPING_SECONDS)
        if not thread.is_alive():
            loop.close()

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        import asyncio

        self._loop = loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="stepwell-loop", daemon=True)
        self._thread.start()
        return loop

    def _spawn(self, bodies: list[Body]) -> None:
        import asyncio

        if self._closed:
            self._ended += len(bodies)
            return
        loop = asyncio.get_running_loop()
        for body in bodies:
            task = loop.create_task(body())
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._ended += 1


def is_being_canceled() -> bool:
    """Whether the running task was asked to stop from outside, not by something within it."""
    import asyncio

    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
