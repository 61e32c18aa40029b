"""Async handlers on an event loop: the program's own, or one in a thread that the first async handler starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from stepwell.logs import logger

if TYPE_CHECKING:
    import asyncio

log = logger("stepwell.handlers")

STOPPING_SECONDS = 1.0
"""How long canceled coroutines may take to end: the last second of the time to close."""
LEAST_SECONDS = 0.1
"""How long a loop of our own may take to stop when no time is left."""
POLL_SECONDS = 0.002
Body = Callable[[], Coroutine[Any, Any, None]]


class CoroutineRunner:
    """Runs coroutines on ``loop``; with None, on a loop of its own, which the first coroutine starts.

    asyncio is imported only then, because a program without async handlers does not need it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None
        self._running: dict[asyncio.Task[Any], str] = {}
        self._by_id: dict[str, asyncio.Task[Any]] = {}
        self._canceled: set[asyncio.Task[Any]] = set()
        """Those that were canceled from here."""
        self._started = self._ended = 0
        self._closed = self._stopping = False

    def start(self, bodies: list[tuple[str, Body]]) -> None:
        """Run coroutines, each with the id of its task; wakes the loop once for all of them."""
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

    def cancel(self, ids: list[str]) -> None:
        """Cancel the coroutines of these tasks."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the program closed its loop
                loop.call_soon_threadsafe(self._cancel, ids)

    def _cancel(self, ids: list[str]) -> None:
        for id in ids:
            task = self._by_id.get(id)
            if task is not None:
                self._canceled.add(task)
                task.cancel()

    def _cancel_all(self) -> set[asyncio.Task[Any]]:
        """Cancel what still runs, and return it; to be called on the loop."""
        import asyncio

        running = self._running.keys() - {asyncio.current_task()}
        self._canceled.update(running)
        for task in running:
            task.cancel()
        return running

    def is_being_canceled(self) -> bool:
        """Whether the running coroutine was canceled from here, or by the program whose loop it runs on.

        On a loop of our own nobody else cancels it but itself, or what it has called.
        """
        import asyncio

        return is_being_canceled() if self._thread is None else asyncio.current_task() in self._canceled

    async def drain(self, timeout: float) -> None:
        """Let coroutines on the program's loop end; cancel those that take longer than ``timeout`` seconds.

        Canceled coroutines have the last second to end. One that ignores its cancellation is left alone.
        """
        import asyncio

        deadline = monotonic() + timeout - STOPPING_SECONDS
        own = {asyncio.current_task()}
        while (running := self._running.keys() - own) and monotonic() < deadline:
            await asyncio.wait(running, timeout=deadline - monotonic())
        if running := self._cancel_all():
            await asyncio.wait(running, timeout=STOPPING_SECONDS)

    def close(self, timeout: float) -> None:
        """Let coroutines on a loop of our own end; only the program runs its own loop."""
        self.stop()
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        deadline = monotonic() + timeout
        while not self.is_idle and monotonic() < deadline - STOPPING_SECONDS:
            sleep(POLL_SECONDS)
        if not self.is_idle:
            loop.call_soon_threadsafe(self._cancel_all)
        while not self.is_idle and monotonic() < deadline:
            sleep(POLL_SECONDS)
        self._stopping = True
        loop.call_soon_threadsafe(loop.stop)
        thread.join(max(deadline - monotonic(), LEAST_SECONDS))

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        import asyncio

        self._loop = loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="stepwell-loop", daemon=True)
        self._thread.start()
        return loop

    def _spawn(self, bodies: list[tuple[str, Body]]) -> None:
        import asyncio

        if self._closed:
            self._ended += len(bodies)
            return
        loop = asyncio.get_running_loop()
        for id, body in bodies:
            task = loop.create_task(body())
            self._running[task] = id
            self._by_id[id] = task
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        id = self._running.pop(task)
        self._canceled.discard(task)
        if self._by_id.get(id) is task:
            del self._by_id[id]
        self._ended += 1

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run a loop of our own, and close it when it stops, which can be after ``close`` has returned.

        Handlers share it: one that stops it, or what it has begun that ends the program, must not end the others.
        """
        try:
            while not self._stopping:
                try:
                    loop.run_forever()
                except BaseException as error:  # SystemExit, KeyboardInterrupt of a task or a callback
                    log.error("something on the loop of async handlers has raised", exc_info=error)
        finally:
            loop.close()


def is_being_canceled() -> bool:
    """Whether the running task was asked to stop, and what asked has not taken that back."""
    import asyncio

    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
