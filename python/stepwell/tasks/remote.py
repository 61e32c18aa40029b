"""Handlers that run in workers, which are other processes: their calls are handed out when a worker polls.

A worker holds what it was given until its result is recorded or its task has ended. One that is not heard of for
``LEASE_SECONDS`` holds nothing any more: others get its tasks. So a handler in a worker is called at least once for
each attempt, as one in this process. Nothing of this is on the log: when this process starts again, the tasks are
open, and workers say what they still hold.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from time import monotonic
from typing import Any

from msgspec import Struct, structs

from stepwell.errors import Closed, InvalidInput
from stepwell.logs import logger

from .calls import Call, CallHandler, Deferred
from .handlers import Handlers

log = logger("stepwell.workers")

LEASE_SECONDS = 15.0
LOOK_SECONDS = 0.5
"""How often leases are looked at, and polls that have waited long enough are answered."""
MOST_POLL_SECONDS = 10.0
AHEAD = 2
"""How many calls, for each that workers may run at a time, wait here rather than on the log."""


class Assigned(Struct, array_like=True):
    """What a worker is to do, and which of its tasks have ended."""

    calls: list[Call]
    ended: list[str]


Deliver = Callable[[Assigned], None]


class _Task:
    """A call that waits for a worker, or that a worker holds."""

    __slots__ = ("call", "finish", "handler", "is_over", "worker")

    def __init__(
        self, handler: str, call: Call, is_over: Callable[[], bool], finish: Callable[[BaseException | None], None]
    ) -> None:
        self.handler, self.call, self.is_over, self.finish = handler, call, is_over, finish
        self.worker: _Worker | None = None


class _Worker:
    """A worker that was heard of a short time ago."""

    __slots__ = ("capacity", "claims", "ended", "handlers", "holds", "name", "poll", "poll_until", "until")

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: tuple[str, ...] = ()
        self.capacity, self.until, self.poll_until = 0, 0.0, 0.0
        self.holds: set[str] = set()
        self.claims: frozenset[str] = frozenset()
        """What it says that it holds."""
        self.ended: list[str] = []
        self.poll: Deliver | None = None

    @property
    def free(self) -> int:
        return self.capacity - len(self.holds | self.claims)


class RemoteHandlers:
    """The workers of this process's engine. Every method may be called from any thread.

    ``register`` registers a handler with its concurrency; ``is_open`` says whether a task still waits for its handler.
    """

    def __init__(
        self,
        handlers: Handlers,
        register: Callable[[str, CallHandler, int], None],
        is_open: Callable[[str], bool],
    ) -> None:
        self._handlers, self._register, self._is_open = handlers, register, is_open
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._tasks: dict[str, _Task] = {}
        self._waiting: dict[str, OrderedDict[str, _Task]] = {}
        """The calls that no worker holds, by handler."""
        self._workers: OrderedDict[str, _Worker] = OrderedDict()
        self._capacities: dict[str, int] = {}
        self._watch: threading.Thread | None = None
        self._closed = threading.Event()

    # what workers say

    def poll(
        self,
        name: str,
        handlers: Iterable[str],
        capacity: int,
        holds: Iterable[str],
        seconds: float,
        deliver: Deliver,
    ) -> None:
        """Call ``deliver`` once there is something for a worker, or after some seconds.

        The worker has these handlers, runs ``capacity`` calls at a time, and holds these tasks. Raises
        ``InvalidInput`` for a handler that this process has itself.
        """
        if self._closed.is_set():
            raise Closed("the executor is being closed")
        given = tuple(dict.fromkeys(handlers))
        with self._replying() as replies, self._lock:
            worker = self._workers.get(name)
            if worker is None:
                worker = self._workers[name] = _Worker(name)
                log.info("worker %s has come: %d handlers, %d calls at a time", name, len(given), capacity)
            self._answer(worker, replies)  # a poll that it has given up
            worker.handlers, worker.capacity = given, max(0, capacity)
            worker.until = monotonic() + LEASE_SECONDS
        try:
            self._offer(worker)
        except BaseException:
            self.leave(name)
            raise
        lost = self._held_as(worker, frozenset(holds))
        with self._replying() as replies, self._lock:
            for task in lost:
                self._wait(task)
            worker.poll, worker.poll_until = deliver, monotonic() + min(max(0.0, seconds), MOST_POLL_SECONDS)
            self._serve(replies)
        self._begin_watch()

    def give_up(self, name: str, deliver: Deliver) -> None:
        """Nobody waits for the answer of a poll any more."""
        with self._lock:
            worker = self._workers.get(name)
            if worker is not None and worker.poll is deliver:
                worker.poll = None

    def settle(self, name: str, ids: list[str]) -> list[str]:
        """The results of these tasks are recorded, or nobody waits for them; returns those whose calls are not here.

        After a restart a worker may answer what the pool has not handed to it again.
        """
        unknown: list[str] = []
        with self._replying() as replies, self._lock:
            worker = self._workers.get(name)
            if worker is not None:
                worker.claims -= frozenset(ids)
            for id in ids:
                task = self._tasks.pop(id, None)
                if task is None:
                    unknown.append(id)
                    continue
                self._take_from_worker(task)
                self._forget(task)
                task.finish(None)
            self._serve(replies)
        return unknown

    def leave(self, name: str) -> None:
        """A worker has ended: others get what it holds."""
        with self._replying() as replies, self._lock:
            worker = self._workers.pop(name, None)
            if worker is not None:
                self._answer(worker, replies)
                for id in list(worker.holds):
                    self._wait(self._tasks[id])
                self._serve(replies)
        self._offer()

    def close(self) -> None:
        """Hand out nothing more. Tasks stay open; workers that finish them say so after the next opening."""
        self._closed.set()
        with self._replying() as replies, self._lock:
            for worker in self._workers.values():
                self._answer(worker, replies)
            for task in list(self._tasks.values()):
                task.finish(Closed("the executor was closed"))

    # calls

    async def call(self, handler: str, call: Call, is_over: Callable[[], bool]) -> Deferred:
        """Hand a call out to a worker, and return when its result is recorded; canceled when its task has ended."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def finish(error: BaseException | None) -> None:
            loop.call_soon_threadsafe(_resolve, future, error)

        task = _Task(handler, structs.replace(call, deadline=0, limit=""), is_over, finish)
        with self._lock:
            self._tasks[call.id] = task
            claiming = next((each for each in self._workers.values() if call.id in each.claims), None)
            if claiming is None:
                self._wait(task)
            else:
                self._give(task, claiming)
        loop.call_soon(self._serve_all)  # calls that begin together are handed out together
        try:
            await future
        finally:
            self._end(task)
        return Deferred(None, _nothing_follows)

    def _end(self, task: _Task) -> None:
        """A call has ended: if not by its worker, the worker is told."""
        with self._replying() as replies, self._lock:
            if self._tasks.get(task.call.id) is not task:
                return
            del self._tasks[task.call.id]
            worker = self._take_from_worker(task)
            self._forget(task)
            if worker is not None and not self._closed.is_set():
                worker.claims -= {task.call.id}
                worker.ended.append(task.call.id)
                self._serve(replies)

    # with the lock

    def _wait(self, task: _Task) -> None:
        """Let a call wait for a worker."""
        self._take_from_worker(task)
        self._waiting.setdefault(task.handler, OrderedDict())[task.call.id] = task

    def _give(self, task: _Task, worker: _Worker) -> None:
        self._forget(task)
        task.worker = worker
        worker.holds.add(task.call.id)

    def _forget(self, task: _Task) -> None:
        """A call waits no more."""
        waiting = self._waiting.get(task.handler)
        if waiting is not None:
            waiting.pop(task.call.id, None)

    def _take_from_worker(self, task: _Task) -> _Worker | None:
        worker, task.worker = task.worker, None
        if worker is not None:
            worker.holds.discard(task.call.id)
        return worker

    def _serve(self, replies: list[Callable[[], None]]) -> None:
        """Answer the polls for which there is something; those that wait longest first."""
        for worker in list(self._workers.values()):
            if worker.poll is None:
                continue
            calls = self._calls_for(worker)
            if calls or worker.ended:
                self._answer(worker, replies, calls)
                self._workers.move_to_end(worker.name)

    def _calls_for(self, worker: _Worker) -> list[Call]:
        calls: list[Call] = []
        if self._closed.is_set():
            return calls
        for handler in worker.handlers:
            waiting = self._waiting.get(handler)
            while waiting and worker.free > 0:
                task = next(iter(waiting.values()))
                if task.is_over():
                    del waiting[task.call.id]
                    continue
                self._give(task, worker)
                calls.append(task.call)
        return calls

    def _answer(self, worker: _Worker, replies: list[Callable[[], None]], calls: list[Call] | None = None) -> None:
        deliver, worker.poll = worker.poll, None
        if deliver is not None:
            ended, worker.ended = worker.ended, []
            replies.append(lambda: deliver(Assigned(calls or [], ended)))

    # without it

    def _serve_all(self) -> None:
        with self._replying() as replies, self._lock:
            self._serve(replies)

    @contextmanager
    def _replying(self) -> Generator[list[Callable[[], None]]]:
        """Collects replies, to be given when the lock is free."""
        replies: list[Callable[[], None]] = []
        try:
            yield replies
        finally:
            for reply in replies:
                reply()

    def _held_as(self, worker: _Worker, claims: frozenset[str]) -> list[_Task]:
        """What a worker should hold and does not; from now on it holds what it says.

        A task whose result is recorded is no longer open, though the worker may not be told of it yet.
        """
        with self._lock:
            missing = [self._tasks[id] for id in worker.holds - claims]
            unknown = [id for id in claims if id not in self._tasks]
        ended = [id for id in unknown if not self._is_open(id)]
        recorded = {task.call.id for task in missing if not self._is_open(task.call.id)}
        with self._lock:
            worker.claims = claims - frozenset(ended)
            worker.ended += ended
            for id in worker.claims:
                task = self._tasks.get(id)
                if task is not None and task.worker is None:
                    self._give(task, worker)
            for task in missing:
                if task.call.id in recorded and self._tasks.pop(task.call.id, None) is not None:
                    self._take_from_worker(task)
                    task.finish(None)
            return [task for task in missing if task.worker is worker and task.call.id in worker.holds]

    def _offer(self, new: _Worker | None = None) -> None:
        """Register the handlers of all workers, with what they can do at a time; refuse those of a new one."""
        with self._changing:
            with self._lock:
                workers = list(self._workers.values())
            capacities: dict[str, int] = {}
            for worker in workers:
                for handler in worker.handlers:
                    capacities[handler] = capacities.get(handler, 0) + worker.capacity
            for handler, capacity in capacities.items():
                if self._handlers.is_of_program(handler):
                    if new is not None and handler in new.handlers:
                        raise InvalidInput(f"the handler {handler!r} runs in the server: a worker cannot have it too")
                elif capacity and self._capacities.get(handler) != capacity:
                    self._capacities[handler] = capacity
                    self._register(handler, _Handler(self, handler), AHEAD * capacity)

    # leases

    def _begin_watch(self) -> None:
        with self._lock:
            if self._watch is None and not self._closed.is_set():
                self._watch = threading.Thread(target=self._look, name="stepwell-workers", daemon=True)
                self._watch.start()

    def _look(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            now = monotonic()
            with self._replying() as replies, self._lock:
                for worker in self._workers.values():
                    if worker.poll is not None and worker.poll_until < now:
                        self._answer(worker, replies)
                lost = [worker for worker in self._workers.values() if worker.until < now and worker.poll is None]
            for worker in lost:
                log.warning("worker %s is not heard of: others get the %d tasks it had", worker.name, len(worker.holds))
                self.leave(worker.name)


class _Handler(CallHandler):
    def __init__(self, remote: RemoteHandlers, name: str) -> None:
        self._remote, self._name = remote, name

    async def __call__(self, call: Call, is_over: Callable[[], bool]) -> Any:
        return await self._remote.call(self._name, call, is_over)


def _resolve(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _nothing_follows() -> None:
    """The worker's result is recorded already."""
