"""A partition in a process of its own, seen from the program: starts it, communicates with it, restarts it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from stepwell import _core
from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.promises import Latch, Promise, answering
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import Command
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.errors import StepwellError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import WAKE_SECONDS, Call, HandlerPool

from . import messages as m
from .pending_requests import TRIES, PendingRequests
from .spawn import is_readable, spawn
from .wire import MAX_BYTES, Malformed, Wire, encoded, in_shares

log = logger("stepwell.engine")

BACKOFF_SECONDS = (0.02, 5.0)
"""The pause before a process that died is started again: the first one, and the longest."""
STEADY_SECONDS = 10.0
"""After a process that ran for so long, the pauses begin with the shortest again."""
_decode_row = msgspec.msgpack.Decoder(ExecutionContext).decode


class Program(Protocol):
    """What partitions call in the program's process, in their own threads. It must not read storage."""

    pool: HandlerPool
    listeners: Listeners

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        ...

    def ended(self, id: str, row: ExecutionContext | None, error: Exception | None) -> None:
        """A watched execution has ended, or does not exist."""
        ...

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        ...

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned, and what it waits for may be in another partition."""
        ...

    def watched(self, index: int) -> Iterable[str]:
        """The executions of a partition that callers wait for."""
        ...

    def lost(self, error: Exception) -> None:
        """A partition cannot be started again."""
        ...


class RemotePartition:
    """One partition. Every method may be called from any thread.

    Its own thread starts the process, receives its messages, and starts another process when it dies. Requests to
    the dead process are sent again and marked as repeated. Results of handlers are kept meanwhile.
    """

    def __init__(self, opening: m.Open, program: Program) -> None:
        self._opening, self._program, self._windows = opening, program, opening.handlers
        self.opened = Latch()
        """Delivers the tasks that handlers had before, once the process runs for the first time."""
        self._lock = threading.Lock()
        self._wire: Wire[m.FromPartition] | None = None
        self._requests = PendingRequests(opening.index, opening.limits)
        self._held: list[m.Results | m.Heartbeat] = []
        self._with_handlers: set[str] = set()
        self._failure: Exception | None = None
        self._unsaved: Exception | None = None
        self._closing = threading.Event()
        self._was_opened = self._was_delivered = False
        self._failed_starts = 0
        """How many processes in a row ended before they were ready."""
        self._observed: list[str] = []
        self.pid = 0
        self._take: dict[type, Callable[[Any], None]] = {
            m.Reply: self._take_reply,
            m.Tasks: self._take_tasks,
            m.TasksEnded: self._take_tasks_ended,
            m.Ended: self._take_end,
            m.Queued: lambda message: program.queued(message.queue),
            m.Abandoned: program.abandoned,
            m.Happened: lambda message: program.listeners.tell(message.event),
            m.Broken: self._take_broken,
            m.Unsaved: self._take_unsaved,
            Malformed: self._take_malformed,
        }
        self._thread = threading.Thread(target=self._answer, name=f"stepwell-partition-{opening.index}", daemon=True)
        self._thread.start()

    @property
    def unanswered(self) -> int:
        """How many requests have no reply yet."""
        return len(self._requests)

    @property
    def tasks(self) -> int:
        """How many tasks handlers have."""
        return len(self._with_handlers)

    # called by the program

    def submit(self, command: Command, document: Document, answer: Promise) -> None:
        """Put a command into the partition's inbox. Raises ``Busy``."""
        text = document.text
        self._ask(lambda number: m.Submit(number, command, text), answer)

    def read(self, answer: Promise, operation: str, *arguments: Any, **options: Any) -> None:
        """Call a reading method of the partition's store."""
        self._ask(lambda number: m.Read(number, operation, arguments, options), answer)

    def _ask(self, make: Callable[[int], m.Submit | m.Read], answer: Promise) -> None:
        pending, piece = self._requests.new(make, answer)
        with self._lock:
            if self._failure is not None:
                raise _again(self._failure)
            self._requests.add(pending)
            wire = self._wire
            if wire is None:
                return
            wire.post_encoded(piece)
        wire.flush()

    def watch(self, id: str) -> None:
        """Have the end of an execution reported; if it has ended, at once."""
        with self._lock:
            wire = self._wire
        if wire is not None:  # else it is requested when the process runs again
            wire.send(m.Watch(id))

    def answer(self, results: list[m.TaskResult]) -> None:
        """Send results of handlers. A result that cannot be sent becomes a failure of its task."""
        sent = [result if _fits(result) else _too_large(result) for result in results]
        for share in in_shares(sent, lambda result: len(result.output or b"")):
            self._send(m.Results(share))

    def keep_alive(self, task_id: str) -> None:
        """A handler reports that its work continues."""
        self._send(m.Heartbeat(task_id))

    def set_handlers(self, windows: list[tuple[str, int]]) -> None:
        """The program has another handler, or another limit."""
        with self._lock:
            self._windows = windows
            wire = self._wire
        if wire is not None:
            wire.send(m.Handlers(windows))

    def free(self, limit: str) -> None:
        """A task is not counted for its limit any longer. A process that is started again begins to count anew."""
        with self._lock:
            wire = self._wire
        if wire is not None:
            wire.send(m.Freed(limit))

    def observe(self, names: list[str]) -> None:
        """Send the events of these names, from now on."""
        with self._lock:
            self._observed = names
            wire = self._wire
        if wire is not None:  # else it is asked for when the process works again
            wire.send(m.Observe(names))

    def _send(self, message: m.Results | m.Heartbeat) -> None:
        piece = encoded(message)
        with self._lock:
            wire = self._wire
            if wire is None:
                self._held.append(message)
                return
            if isinstance(message, m.Results):
                self._with_handlers.difference_update([result.id for result in message.results])
            wire.post_encoded(piece)
        wire.flush()

    def close(self) -> None:
        """Ask the process to put everything on disk and end. ``join`` waits for it."""
        with self._lock:
            self._closing.set()
            wire = self._wire
        if wire is not None:
            wire.send(m.Close())

    def join(self) -> Exception | None:
        """Wait until the process has ended. Returns why it could not put everything on disk, if so.

        An earlier error is not returned: the callers that waited have got it.
        """
        self._thread.join()
        return self._unsaved

    # the process

    def _answer(self) -> None:
        with answering():
            self._run()

    def _run(self) -> None:
        try:
            self._keep_it_alive()
        except BaseException as error:  # callers that wait must get the error
            log.exception("the thread of partition %d has ended", self._opening.index)
            failure = StorageError(f"the thread of partition {self._opening.index} has ended: {error}")
            self._has_failed(failure)
            self._program.lost(failure)

    def _keep_it_alive(self) -> None:
        shortest, longest = BACKOFF_SECONDS
        pause = shortest
        while not self._closing.is_set():
            began = time.monotonic()
            self._live()
            if self._closing.is_set() or (self._failure is not None and not self._was_opened):
                return
            if self._opening.data is None:
                self._program.lost(StorageError(f"partition {self._opening.index} has died, and was in memory only"))
                return
            pause = shortest if time.monotonic() - began > STEADY_SECONDS else min(2 * pause, longest)
            self._closing.wait(pause)

    def _live(self) -> None:
        """Start a process and serve it until it ends."""
        try:
            process, end = spawn()
        except OSError as error:
            self._has_failed(StorageError(f"the process of partition {self._opening.index} cannot be started: {error}"))
            return
        self.pid = process.pid
        became_ready = False
        wire: Wire[m.FromPartition] = Wire(end, m.from_partition, lambda: self._program.hlc)
        try:
            wire.send(self._opening)
            while (received := self._receive(wire, end)) is not None:
                for message in received:
                    if type(message) is m.Ready:
                        became_ready = True
                        self._begin(wire, message.calls)
                    else:
                        self._take_message(message)
        except StorageError as error:  # what it sends is not a frame of messages
            log.error("partition %d: %s", self._opening.index, error)
            process.kill()
        except BaseException:
            process.kill()
            end.close()
            process.wait()
            raise
        with self._lock:
            self._wire = None
        end.close()
        status = process.wait()
        if self._closing.is_set():
            return
        text = f"the process of partition {self._opening.index} has ended with status {status}"
        log.error(text)
        self._failed_starts = 0 if became_ready else self._failed_starts + 1
        if not became_ready and self._failure is None and (status >= 0 or self._failed_starts > TRIES):
            self._has_failed(StorageError(f"{text} before it worked"))

    def _take_message(self, message: m.FromPartition | Malformed) -> None:
        """Do what a message says. An error in one message does not affect others."""
        try:
            self._take[type(message)](message)
        except Exception:
            log.exception("a message of partition %d cannot be dealt with", self._opening.index)

    def _receive(self, wire: Wire[m.FromPartition], end: socket.socket) -> list[m.FromPartition | Malformed] | None:
        pool = self._program.pool
        pool.wake_worker()
        while pool.has_backlog and not is_readable(end, WAKE_SECONDS):
            pool.wake_worker()
        return wire.receive()

    def _begin(self, wire: Wire[m.FromPartition], calls: list[Call]) -> None:
        """The process is ready: send the requests that have no reply, and the results that arrived meanwhile."""
        with self._lock:
            fresh = [call for call in calls if call.id not in self._with_handlers]
            if self._with_handlers:
                wire.post(m.Check(list(self._with_handlers)))
            wire.post(m.Handlers(self._windows))
            self._with_handlers.update([call.id for call in fresh])
            self._failure = None
            if self._observed:
                wire.post(m.Observe(self._observed))
            given_up = self._requests.settle_repeated()
            for request in self._requests.again(was_sent=self._was_opened):
                wire.post(request)
            for id in self._program.watched(self._opening.index):
                wire.post(m.Watch(id))
            for message in self._held:
                if isinstance(message, m.Results):
                    self._with_handlers.difference_update([result.id for result in message.results])
                wire.post(message)
            self._held.clear()
            if self._closing.is_set():
                wire.post(m.Close())
            self._wire = wire
        wire.flush()
        for pending in given_up:
            pending.promise.reply(None, StorageError(f"{TRIES} processes have died before they answered this"))
        if self._was_opened:
            log.warning("partition %d works again", self._opening.index)
            self._program.pool.resume(fresh)
        else:
            self._was_opened = True
            self.opened.deliver(fresh, None)

    def _has_failed(self, error: Exception) -> None:
        """The partition cannot be opened: callers get the error until it can."""
        with self._lock:
            self._failure = error
            pending = self._requests.settle_all()
        for each in pending:
            each.promise.reply(None, _again(error))
        if not self._was_opened and not self._was_delivered:
            self._was_delivered = True
            self.opened.deliver(None, error)

    # messages of the process

    def _take_reply(self, reply: m.Reply) -> None:
        with self._lock:
            pending = self._requests.settle(reply.number)
        if pending is not None:
            failure = reply.failure
            pending.promise.reply(reply.result, None if failure is None else m.error_of(failure))

    def _take_malformed(self, message: Malformed) -> None:
        log.error("a message of partition %d cannot be read: %s", self._opening.index, message.reason)
        if message.number is not None:
            error = StorageError(f"what partition {self._opening.index} answered cannot be read: {message.reason}")
            self._take_reply(m.Reply(message.number, None, m.failure_of(error)))

    def _take_tasks(self, tasks: m.Tasks) -> None:
        with self._lock:  # a restarted process may send tasks that handlers are working on
            calls = [call for call in tasks.calls if call.id not in self._with_handlers]
            self._with_handlers.update([call.id for call in calls])
        self._program.pool.dispatch(calls)

    def _take_tasks_ended(self, message: m.TasksEnded) -> None:
        with self._lock:
            self._with_handlers.difference_update(message.task_ids)
        self._program.pool.ended(message.task_ids)

    def _take_end(self, ended: m.Ended) -> None:
        row = None if ended.row is None else _decode_row(ended.row)
        self._program.ended(ended.id, row, None if ended.failure is None else m.error_of(ended.failure))

    def _take_broken(self, broken: m.Broken) -> None:
        log.error("partition %d cannot go on: %s", self._opening.index, broken.failure.text)
        if self._wire is None:  # it could not be opened; otherwise another process is started
            self._has_failed(m.error_of(broken.failure))

    def _take_unsaved(self, unsaved: m.Unsaved) -> None:
        log.error("partition %d has not put everything on disk: %s", self._opening.index, unsaved.failure.text)
        self._unsaved = m.error_of(unsaved.failure)


def _fits(result: m.TaskResult) -> bool:
    return len(result.output or b"") + len(result.cause or "") < MAX_BYTES // 2


def _too_large(result: m.TaskResult) -> m.TaskResult:
    size = len(result.output or b"") + len(result.cause or "")
    cause = f"the handler's result has {size} bytes: it cannot be sent to its partition"
    return m.TaskResult(result.id, result.resource, None, "States.DataLimitExceeded", cause, False)


def _again(error: Exception) -> Exception:
    """A new error for each caller."""
    kind = type(error) if isinstance(error, StepwellError) else StorageError
    fresh = kind(str(error))
    fresh.__cause__ = error
    return fresh
