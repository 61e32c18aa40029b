"""A partition's process: ``python -m stepwell.engine.host.processes.process FD``.

It opens the folder that the first message names, and serves until the socket ends, because the program closed its
executor or has ended.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
import time
from functools import partial
from queue import SimpleQueue
from typing import Any

import msgspec

from stepwell.engine.arns import PLACE
from stepwell.engine.host.host import Options
from stepwell.engine.host.local import LocalHost, command_of
from stepwell.engine.host.promises import Callback
from stepwell.engine.log.document import Document
from stepwell.engine.partition.events import Event
from stepwell.engine.storage import contexts as c
from stepwell.errors import InvalidInput, LockedError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call, Result
from stepwell.tasks.handlers import Handlers

from . import asked
from . import messages as m
from .repeated import scope_of, was_done
from .wire import Malformed, Wire, in_shares

log = logger("stepwell.engine")

LOOK_SECONDS = 0.5
"""How often a process that gets no messages checks whether its partition and its program are still there."""
LOCKED_SECONDS = 20.0
"""How long it waits for the process of a program that was killed to unlock the folder."""
_LOOK_TIMEVAL = struct.pack("ll", 0, int(LOOK_SECONDS * 1_000_000))
_UNKNOWN = "the partition's process ended before it answered: the task may have its result"
_encode = msgspec.msgpack.Encoder().encode


class PartitionProcess(LocalHost):
    """A host that communicates with its program over a socket."""

    def __init__(self, opening: m.Open, end: socket.socket) -> None:
        self.wire: Wire[m.ToPartition] = Wire(end, m.to_partition, lambda: self.hlc)
        self._is_open = False
        self._open_calls: list[Call] = []
        self._watched: set[str] = set()
        self._reads: SimpleQueue[m.Read] = SimpleQueue()
        PLACE.move(opening.region, opening.account)
        options = Options(opening.tenant, opening.namespace, 1, opening.limits)
        folder = None if opening.data is None else opening.data.open()
        handlers = Handlers()
        asked.register(handlers, opening.handlers)
        super().__init__(folder, handlers, options, (opening.index, opening.partitions))

    @property
    def failure(self) -> BaseException | None:
        """Why the partition has stopped, if it has."""
        return self._failure

    # to the program; called in the partition's thread unless stated otherwise

    def begin(self) -> None:
        """Report that the partition runs, and send what follows from now on."""
        self.wire.post_first(m.Ready(self._open_calls))
        self._is_open = True
        self.flush()
        threading.Thread(target=self._read, name="stepwell-reads", daemon=True).start()
        self._store.notify()

    def flush(self) -> None:
        """Send what was posted."""
        if self._is_open:
            self.wire.flush()

    def _wake_worker(self) -> None:
        self.flush()

    def _tell(self, event: Event) -> None:
        self.wire.post(m.Happened(event))

    def _resume(self, calls: list[Call]) -> None:
        self._open_calls = calls

    def dispatch(self, tasks: list[Call]) -> None:
        """Send tasks that are durable."""
        for share in in_shares(tasks, lambda call: len(call.input)):
            self.wire.post(m.Tasks(share))

    def _tasks_ended(self, task_ids: list[str]) -> None:
        self.wire.post(m.TasksEnded(task_ids))

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        self.wire.post(m.Queued(queue))

    def _abandoned(self, task: c.TaskContext) -> None:
        self.wire.post(m.Abandoned(task.id, task.activity_id.rpartition("/")[0], task.input))

    def _reply(self, number: int, result: Any, error: BaseException | None) -> None:
        self.wire.post(m.Reply(number, result, None if error is None else m.failure_of(error)))

    # from the program

    def take(self, message: m.ToPartition | Malformed) -> bool:
        """Do what a message asks for; returns False if it asks to end."""
        if isinstance(message, Malformed):
            self._refuse(message)
        elif isinstance(message, m.Submit):
            self._take_command(message)
        elif isinstance(message, m.Results):
            self.submit_results([command_of(Result(*result)) for result in message.results])
        elif isinstance(message, m.Watch):
            self._watch_for_program(message.id)
        elif isinstance(message, m.Read):
            self._reads.put(message)
        elif isinstance(message, m.Heartbeat):
            self._keep_alive(message.task_id)
        elif isinstance(message, m.Handlers):
            asked.register(self.handlers, message.windows)
            self._handlers_changed()
        elif isinstance(message, m.Freed):
            self.partition.free(message.limit)
        elif isinstance(message, m.Check):
            self._check(message.task_ids)
        elif isinstance(message, m.Observe):
            self.partition.observe(message.names, self._tell)
        return not isinstance(message, m.Close)

    def _check(self, task_ids: list[str]) -> None:
        ended = [task_id for task_id in task_ids if not self.partition.executions.is_task_open(task_id)]
        if ended:
            self._answer_at_once(partial(self._tasks_ended, ended))

    def _refuse(self, message: Malformed) -> None:
        log.error("a message from the program cannot be read: %s", message.reason)
        if message.number is not None:
            error = InvalidInput(f"a partition cannot read this: {message.reason}")
            self._answer_at_once(partial(self._reply, message.number, None, error))

    def _take_command(self, message: m.Submit) -> None:
        reply: Callback = partial(self._reply, message.number)
        command = message.command
        try:
            if message.again and was_done(self.storage, command, _UNKNOWN):
                self._answer_at_once(partial(reply, scope_of(command), None))
            else:
                self.submit(command, Document(message.document), reply)
        except Exception as error:  # noqa: BLE001 - the program must get any error
            self._answer_at_once(partial(reply, None, error))

    def _answer_at_once(self, answer: Any) -> None:
        answer()
        self._store.notify()

    def _watch_for_program(self, id: str) -> None:
        if id in self._watched:
            return
        self._watched.add(id)
        try:
            self.watch(id, partial(self._tell_end, id))
        except Exception as error:  # noqa: BLE001 - the program must get any error
            self._watched.discard(id)
            self.wire.post(m.Ended(id, None, m.failure_of(error)))
        self._store.notify()

    def _tell_end(self, id: str, context: c.ExecutionContext | None, error: BaseException | None) -> None:
        self._watched.discard(id)
        if error is not None:  # the engine has stopped; the program watches it again once it runs
            return
        row = _encode(context) if context is not None else self._store.get(1, id)
        self.wire.post(m.Ended(id, row))

    def _read(self) -> None:
        """Answer queries in a thread of their own, so that a long one does not delay anything else."""
        while True:
            read = self._reads.get()
            try:
                self.wire.send(m.Reply(read.number, asked.read(self._store, self.partition, read)))
            except Exception as error:  # noqa: BLE001 - the program must get any error
                self.wire.send(m.Reply(read.number, None, m.failure_of(error)))


def _opened(opening: m.Open, end: socket.socket) -> PartitionProcess:
    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        try:
            return PartitionProcess(opening, end)
        except LockedError:  # the program has locked the whole folder, so this lock belongs to a process that is ending
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def serve(end: socket.socket) -> int:
    """Run a partition until the socket ends; returns the exit status."""
    opening_wire: Wire[m.ToPartition] = Wire(end, m.to_partition, lambda: None)
    received = opening_wire.receive()
    while received == []:
        received = opening_wire.receive()
    if received and isinstance(received[0], Malformed):
        opening_wire.send(m.Broken(m.failure_of(StorageError(f"the opening cannot be read: {received[0].reason}"))))
        return 1
    if not received or not isinstance(received[0], m.Open):
        return 0
    try:
        host = _opened(received[0], end)
    except Exception as error:  # noqa: BLE001 - the program must get any error
        opening_wire.send(m.Broken(m.failure_of(error)))
        return 1
    host.begin()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _LOOK_TIMEVAL)
    program = os.getppid()
    failure: BaseException | None = None
    try:
        while host.failure is None and os.getppid() == program:
            received = host.wire.receive()
            if received is None or not all(host.take(message) for message in received):
                break
    except Exception as error:
        log.exception("what the program says cannot be read")
        failure = error
    return _end(host, failure)


def _end(host: PartitionProcess, failure: BaseException | None) -> int:
    failure = failure or host.failure
    farewell = None if failure is None else m.Broken(m.failure_of(failure))
    try:
        host.close()
    except Exception as error:  # noqa: BLE001 - the program must get any error
        farewell = farewell or m.Unsaved(m.failure_of(error))
    host.flush()
    if farewell is None:
        return 0
    host.wire.send(farewell)
    return 1


def main() -> None:
    """The entry point of the process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # for the program, which closes this process
        signal.signal(number, signal.SIG_IGN)
    status = serve(socket.socket(fileno=int(sys.argv[1])))
    sys.stderr.flush()
    os._exit(status)  # a reading thread may use the store, which is closed


if __name__ == "__main__":
    main()
