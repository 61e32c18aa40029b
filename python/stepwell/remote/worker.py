"""A worker: runs handlers in a process of its own, for the engine of a server.

It polls for calls, runs a number of them at a time in a pool like the engine's own, and sends their results, again and
again until the server has acknowledged that they are durable. It says in each poll what it holds: so a server that has
started again knows, and one that does not hear of a worker gives its tasks to others.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

import msgspec

from stepwell.engine.control import messages as m
from stepwell.errors import Closed, StepwellError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call, HandlerPool, Result
from stepwell.tasks.handlers import Handler, Handlers
from stepwell.tasks.remote import Assigned

from .activities import Activities, is_activity
from .connection import HttpConnection

log = logger("stepwell.worker")

POLL_SECONDS = 5.0
SEND_SECONDS = 60.0
"""How long a server may take to record results."""
PAUSE_SECONDS = 1.0
"""The pause after a request that the server could not answer."""
HEARTBEAT_SECONDS = 0.2
"""How long heartbeats of handlers are collected."""
MAX_RESULTS = 256
MAX_BYTES = 4 << 20
"""How many bytes of results are sent together; a larger one is sent alone."""

_decode = msgspec.msgpack.Decoder(Assigned).decode


class Worker:
    """``concurrency`` calls run at a time. Functions take threads; coroutines run on an event loop of the worker's."""

    def __init__(
        self, channel: HttpConnection, handlers: Mapping[str, Handler], concurrency: int, name: str | None = None
    ) -> None:
        self.name = f"{name or socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._channel = channel
        self._names = [resource for resource in handlers if not is_activity(resource)]
        self._concurrency = concurrency
        self._pool = HandlerPool(
            Handlers(handlers),
            self._answered,
            self._alive_now,
            concurrency,
            traceback_characters=channel.server.limits.traceback_characters,
        )
        self._held: dict[str, Call] = {}
        """What it was given, until the results are recorded."""
        self._results: dict[str, m.TaskResult] = {}
        """What is to be sent."""
        self._alive: set[str] = set()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._has_ended = False
        self._failure: StepwellError | None = None
        arns = [resource for resource in handlers if is_activity(resource)]
        self._activities = Activities(channel, arns, self.name, self._room, self._begin)

    def run(self, stopping: threading.Event, grace: float) -> None:
        """Work until ``stopping`` is set; then finish what is held, for ``grace`` seconds, and give back the rest.

        Raises what the server says where it refuses the worker.
        """
        self._stopping = stopping
        loops = [("poll", self._poll_always)] if self._names else []
        threads = [
            threading.Thread(target=run, name=f"stepwell-worker-{name}", daemon=True)
            for name, run in (*loops, ("results", self._send_always))
        ] + self._activities.threads()
        for thread in threads:
            thread.start()
        stopping.wait()
        self._finish(grace)
        self._channel.close()
        for thread in threads:
            thread.join(PAUSE_SECONDS)
        if self._failure is not None:
            raise self._failure

    def _finish(self, grace: float) -> None:
        """Let the handlers end, send what they returned, and leave."""
        deadline = monotonic() + grace
        self._wait_until(deadline, lambda: not self._held)
        self._pool.close(max(0.0, deadline - monotonic()))
        self._wait_until(monotonic() + PAUSE_SECONDS, lambda: not self._results)
        left = len(self._held)
        self._has_ended = True
        with self._changed:
            self._changed.notify_all()
        if self._failure is None:
            try:
                self._channel.ask(lambda number: m.Leave(number, self.name), PAUSE_SECONDS)
            except StepwellError as error:
                log.warning("the server does not hear that worker %s ends: %s", self.name, error)
        if left:
            log.warning("worker %s gives back %d tasks, which are begun again elsewhere", self.name, left)

    def _wait_until(self, deadline: float, is_done: Any) -> None:
        with self._changed:
            while not is_done() and self._failure is None and (left := deadline - monotonic()) > 0:
                self._changed.wait(left)

    # polls

    def _poll_always(self) -> None:
        while not self._has_ended:
            try:
                self._poll()
            except StorageError as error:
                log.warning("worker %s: %s", self.name, error)
                self._pause()
            except Closed:
                if self._has_ended:
                    return
                self._pause()  # the server is being closed, and may come back
            except StepwellError as error:
                self._fail(error)
                return

    def _poll(self) -> None:
        holds = [call.id for call in list(self._held.values()) if not is_activity(call.resource)]
        capacity = 0 if self._stopping.is_set() else self._concurrency - (len(self._held) - len(holds))
        reply = self._channel.ask(
            lambda number: m.Poll(number, self.name, self._names, capacity, holds, POLL_SECONDS), 4 * POLL_SECONDS
        )
        if not isinstance(reply, bytes):  # the server stops
            self._pause()
            return
        assigned = _decode(reply)
        if assigned.ended:
            self._pool.ended(assigned.ended)
            with self._changed:
                for id in assigned.ended:
                    self._held.pop(id, None)
                    self._results.pop(id, None)
                self._changed.notify_all()
        if self._stopping.is_set():
            return  # the next poll does not name the calls: others get them
        calls = [call for call in assigned.calls if call.id not in self._held]
        self._held.update({call.id: call for call in calls})
        self._pool.dispatch(calls)

    def _room(self) -> bool:
        """Wait until a call of an activity may begin; False: none may any more."""
        with self._changed:
            while len(self._held) >= self._concurrency and not self._stopping.is_set():
                self._changed.wait(PAUSE_SECONDS)
        return not self._stopping.is_set()

    def _begin(self, call: Call) -> None:
        """A call of an activity."""
        with self._changed:
            self._held[call.id] = call
        self._pool.dispatch([call])

    def _pause(self) -> None:
        with self._changed:
            if not self._has_ended:
                self._changed.wait(PAUSE_SECONDS)

    def _fail(self, error: StepwellError) -> None:
        """The server refuses the worker: it ends."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()
        self._stopping.set()

    # results

    def _answered(self, results: Iterable[Result]) -> None:
        """Handlers have returned or raised."""
        with self._changed:
            for result in results:
                if result.id in self._held:
                    self._results[result.id] = m.TaskResult(*result[:6])
            self._changed.notify_all()

    def _alive_now(self, task_id: str) -> None:
        """A handler says that its work goes on."""
        with self._changed:
            self._alive.add(task_id)

    def _send_always(self) -> None:
        while not self._has_ended:
            results, alive = self._next()
            if not results and not alive:
                continue
            results, alive = self._without_activities(results, alive)
            if not results and not alive:
                continue
            try:
                again, refused = self._send(results, alive)
            except (StorageError, Closed) as error:
                if not self._has_ended:
                    log.warning("worker %s: %s; results are sent again", self.name, error)
                    self._pause()
                continue
            except StepwellError as error:
                self._fail(error)
                return
            self._sent(results, set(again), dict(refused))
            if again:
                self._pause()

    def _without_activities(
        self, results: list[m.TaskResult], alive: list[str]
    ) -> tuple[list[m.TaskResult], list[str]]:
        """What is left once tasks of activities are answered and kept alive."""
        tokens = {call.id for call in list(self._held.values()) if is_activity(call.resource)}
        for result in results:
            if result.id in tokens:
                self._sent([result], set() if self._activities.send(result) else {result.id}, {})
        lost = [token for token in alive if token in tokens and not self._activities.beat(token)]
        self._pool.ended(lost)
        with self._changed:
            for token in lost:
                self._held.pop(token, None)
        return [each for each in results if each.id not in tokens], [id for id in alive if id not in tokens]

    def _send(self, results: list[m.TaskResult], alive: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
        return self._channel.ask(lambda number: m.Results(number, self.name, results, alive), SEND_SECONDS)

    def _next(self) -> tuple[list[m.TaskResult], list[str]]:
        """What is to be sent, once there is something."""
        with self._changed:
            if not self._results:
                self._changed.wait(HEARTBEAT_SECONDS)
            alive, self._alive = list(self._alive), set()
            results: list[m.TaskResult] = []
            size = 0
            for result in self._results.values():
                size += len(result.output or b"")
                if results and (len(results) == MAX_RESULTS or size > MAX_BYTES):
                    break
                results.append(result)
            return results, alive

    def _sent(self, results: list[m.TaskResult], again: set[str], refused: dict[str, str]) -> None:
        with self._changed:
            for result in results:
                id = result.id
                if id in again or self._results.get(id) is not result:
                    continue
                if id in refused:
                    log.error("the result of task %s cannot be recorded: %s", id, refused[id])
                    kind, _, text = refused[id].partition(": ")
                    self._results[id] = m.TaskResult(id, result.resource, None, kind, text, False)
                    continue
                del self._results[id]
                self._held.pop(id, None)
            self._changed.notify_all()
