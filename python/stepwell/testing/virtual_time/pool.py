"""Handlers that run one at a time, when the driver lets them: the engine's pool, with other threads.

The pool finds handlers, decodes inputs, checks deadlines and keeps limits as ever. Only what calls the handlers is
replaced: a queue, of which the driver takes one call after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from stepwell.tasks.calls import Call
from stepwell.tasks.context import current_call
from stepwell.tasks.coroutines import Body, CoroutineRunner
from stepwell.tasks.dispatch import HandlerPool
from stepwell.tasks.threads import HandlerThreads
from stepwell.tasks.work import Work


class Job:
    """A call of a handler that waits to be made."""

    def __init__(self, id: str, call: Call, run: Callable[[], None], body: Body | None = None) -> None:
        self.id, self.call = id, call
        self.run = run
        """Calls a plain function, and gives its result to the engine."""
        self.body = body
        """Makes the coroutine of an async handler, which gives its result to the engine itself; None: it is none."""

    def __repr__(self) -> str:
        return f"<Job {self.call.state_name} of {self.call.execution_id}>"


class JobQueue:
    """The calls that wait, in the order in which the engine dispatched them."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self.added: Callable[[], object] | None = None
        """Called when there is one more: what drives the engine by itself hears of it."""

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Let a call wait."""
        self._jobs.append(job)
        if self.added is not None:
            self.added()

    @property
    def waiting(self) -> tuple[Job, ...]:
        """All of them."""
        return tuple(self._jobs)

    def take(self, index: int) -> Job:
        """Remove and return one of them."""
        return self._jobs.pop(index)

    def discard(self, id: str) -> bool:
        """Remove the call of a task; whether it was there."""
        kept = [job for job in self._jobs if job.id != id]
        found = len(kept) < len(self._jobs)
        self._jobs[:] = kept
        return found

    def clear(self) -> None:
        """Forget all of them."""
        self._jobs.clear()


class QueuedCalls(HandlerThreads):
    """In place of threads: there are none, and none is waited for."""

    queue: JobQueue

    def discard(self, work: Work) -> bool:
        """Remove a call from the queue; whether it was there."""
        return self.queue.discard(work.id)

    def wake_worker(self) -> None:
        """Does nothing: no thread waits."""

    def replace_one(self) -> None:
        """Does nothing: no thread is lost."""

    def stop(self) -> None:
        """Start no more calls."""
        self.queue.clear()


class Coroutines(CoroutineRunner):
    """Runs one coroutine at a time, to its end."""

    def run(self, id: str, body: Body) -> None:
        """Run a coroutine on a loop of our own, and wait for its end."""
        ended = threading.Event()

        async def ending() -> None:
            try:
                await body()
            finally:
                ended.set()

        if self._thread is threading.current_thread():
            raise RuntimeError("a coroutine of a handler waits for another one: use stepwell_async")
        self.start([(id, ending)])
        ended.wait()

    async def run_here(self, id: str, body: Body) -> None:
        """Run a coroutine on the running loop, which is the test's."""
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._started += 1
        self._spawn([(id, body)])
        await asyncio.wait([self._by_id[id]])


class DrivenPool(HandlerPool):
    """The pool of an engine on a virtual clock."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.queue = JobQueue()
        """The calls that wait."""
        super().__init__(*arguments, threads=self._no_threads, **options)
        self.coroutines = self.one_at_a_time = Coroutines()

    def _no_threads(self, *arguments: Any) -> QueuedCalls:
        threads = QueuedCalls(*arguments)
        threads.queue = self.queue
        return threads

    def _start(self, works: list[Work]) -> None:
        for work in works:
            if work.registration.takes_call:  # it is handed on to a worker, which is not waited for
                super()._start([work])
            else:
                body = partial(self._run_async, work) if work.registration.is_async else None
                self.queue.add(Job(work.id, work.call, partial(self._call, work), body))

    def add(self, work: Work, take: Callable[[], bool]) -> None:
        """Let a call wait that is made only if ``take`` then says so."""

        def call() -> None:
            if take():
                self._call(work)

        async def body() -> None:
            if take():
                await self._run_async(work)

        self.queue.add(Job(work.id, work.call, call, body if work.registration.is_async else None))

    def _call(self, work: Work) -> None:
        result = self._run(work)
        if result is None:
            return
        token = current_call.set(work.call)  # whose result it is: it may be lost, or late
        try:
            self._answer(work.results(result))
        finally:
            current_call.reset(token)
