"""A partition of several, in the process of the program: what it asks of the program is a call."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

from stepwell import _core
from stepwell.engine.host.host import Options
from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.local import command_of
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.remote import RemotePartition
from stepwell.engine.host.processes.stores import STATS
from stepwell.engine.host.promises import Latch, Promise
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import Command
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.engine.wall_clock import seconds_of
from stepwell.errors import StepwellError
from stepwell.tasks.calls import Call, Result
from stepwell.tasks.dispatch import HandlerPool
from stepwell.tasks.handlers import Handlers

from .driver import Driver
from .pumped import PumpedHost


class Program(Protocol):
    """What a partition needs of the host that has it."""

    pool: HandlerPool
    listeners: Listeners

    @property
    def hlc(self) -> _core.Clock:
        """The clock of the ids of new executions."""
        ...

    def pump(self) -> None:
        """Process what is there, in all partitions."""
        ...

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        ...

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned: cancel the execution that it waits for."""
        ...

    def ended(self, id: str, row: ExecutionContext | None, error: Exception | None) -> None:
        """A watched execution has ended, or does not exist."""
        ...


class _Partition(PumpedHost):
    """The partition, whose tasks and ends go to the program."""

    def __init__(
        self,
        program: Program,
        driver: Driver,
        data: _core.Folder | None,
        handlers: Handlers,
        options: Options,
        store: _core.Store | None,
        share: tuple[int, int],
    ) -> None:
        self._program = program
        self.interrupted: list[Call] = []
        super().__init__(driver, data, handlers, options, store, share)

    def _resume(self, calls: list[Call]) -> None:
        self.interrupted = calls

    def dispatch(self, tasks: list[Call]) -> None:
        self._program.pool.dispatch(tasks)

    def _tasks_ended(self, task_ids: list[str]) -> None:
        self._program.pool.ended(task_ids)

    def queued(self, queue: str) -> None:
        self._program.queued(queue)

    def _abandoned(self, task: TaskContext) -> None:
        self._program.abandoned(m.Abandoned(task.id, task.execution_id, task.input))


class PartitionInProcess(RemotePartition):
    """In place of a process: the same calls, done at once."""

    def __init__(  # pyright: ignore[reportMissingSuperCall] - it starts a process
        self,
        opening: m.Open,
        program: Program,
        driver: Driver,
        options: Options,
        store: _core.Store | None,
    ) -> None:
        self._home, self.pid = program, 0
        self._unsaved_error: Exception | None = None
        own = Options(options.tenant, options.namespace, 1, options.limits, clock=options.clock)
        handlers = Handlers()
        _register(handlers, opening.handlers)
        self._host = _Partition(
            program,
            driver,
            None if opening.data is None else opening.data.open(),
            handlers,
            own._replace(seed=(options.seed or 0) * opening.partitions + opening.index),
            store,
            (opening.index, opening.partitions),
        )
        self.opened = Latch()
        self.opened.deliver(self._host.interrupted, None)

    # for the host

    @property
    def hlc(self) -> _core.Clock:
        """The clock of its ids."""
        return self._host.hlc

    @property
    def store(self) -> _core.Store:
        """The log and the storage."""
        return self._host.store

    def process(self) -> bool:
        """Process what is there; whether there was anything."""
        return self._host.process()

    def next_due(self) -> int | None:
        """When the next timer is due."""
        return self._host.next_due()

    def abandon(self) -> None:
        """End as a process ends that dies."""
        self._host.abandon()

    # what the program asks

    @property
    def unanswered(self) -> int:
        """How many requests have no reply yet."""
        return 0

    @property
    def tasks(self) -> int:
        """How many tasks handlers have."""
        return len(self._host.partition.in_flight)

    def submit(self, command: Command, document: Document, answer: Promise) -> None:
        """Put a command into the inbox, and process it."""
        if self._home.hlc.last > self.hlc.last:
            self.hlc.update(self._home.hlc.last, seconds_of(self._host.clock.now()))
        self._host.submit(command, document, answer.reply)
        self._home.pump()

    def read(self, answer: Promise, operation: str, *arguments: Any, **options: Any) -> None:
        """Call a reading method of the store."""
        import msgspec

        try:
            if operation == STATS:
                answer.reply(msgspec.msgpack.encode(self._host.partition.stats()), None)
            else:
                answer.reply(getattr(self._host.store, operation)(*arguments, **options), None)
        except StepwellError as error:
            answer.reply(None, error)

    def watch(self, id: str) -> None:
        """Report the end of an execution; if it has ended, at once."""
        try:
            self._host.watch(id, partial(self._tell_end, id))
        except StepwellError as error:
            self._home.ended(id, None, error)

    def _tell_end(self, id: str, row: ExecutionContext | None, error: BaseException | None) -> None:
        if error is None:
            self._home.ended(id, row or self._host.storage.get(ExecutionContext, id), None)

    def answer(self, results: list[m.TaskResult]) -> None:
        """Take results of handlers."""
        self._host.submit_results([command_of(Result(*result)) for result in results])

    def keep_alive(self, task_id: str) -> None:
        """A handler reports that its work continues."""
        self._host._keep_alive(task_id)  # pyright: ignore[reportPrivateUsage]
        self._home.pump()

    def set_handlers(self, windows: list[tuple[str, int]]) -> None:
        """The program has another handler, or another limit."""
        _register(self._host.handlers, windows)

    def free(self, limit: str) -> None:
        """A task is not counted for its limit any longer."""
        self._host.partition.free(limit)

    def observe(self, names: list[str]) -> None:
        """Tell the events of these names, from now on."""
        self._host.partition.observe(names, self._home.listeners.tell)

    def close(self) -> None:
        """Put everything on disk and end."""
        try:
            self._host.close()
        except StepwellError as error:
            self._unsaved_error = error

    def join(self) -> Exception | None:
        """Why it could not put everything on disk, if so."""
        return self._unsaved_error


def _register(handlers: Handlers, windows: list[tuple[str, int]]) -> None:
    """Register the program's handlers by name, so that tasks are counted for their limits."""
    for name, window in windows:
        handlers.register(name, _of_program, concurrency=window or None)


def _of_program(input: Any) -> None:
    raise AssertionError("the program calls handlers")
