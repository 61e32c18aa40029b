"""What the engine needs of the runner of its partitions, and what all runners have in common."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from stepwell import _core
from stepwell.engine.limits import Limits
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import Command, PutWorkflowCommand
from stepwell.engine.partition.counters import PartitionStats
from stepwell.engine.status import ACTIVE
from stepwell.engine.storage.contexts import TaskContext
from stepwell.engine.wall_clock import Clock, SystemClock, seconds_of
from stepwell.errors import ClockError, Closed, FencedError, StorageError
from stepwell.tasks.dispatch import Call, HandlerPool, Result
from stepwell.tasks.handlers import Handler, Handlers
from stepwell.tasks.items import ItemFiles

from .forks import FORKS, only_process
from .listeners import Listeners
from .promises import Callback, Latch, PendingPromises, Promise, Signals, Waiters, answering, check_may_wait
from .reading import NOT_SHOWN, Consistency, Reading
from .stats import Stats, summed

if TYPE_CHECKING:
    import asyncio

    from stepwell.engine.state.workflows import Workflows
    from stepwell.engine.storage.storage import Storage
    from stepwell.tasks.calls import CallHandler
    from stepwell.tasks.remote import RemoteHandlers

    from .cluster_state import ClusterState
    from .measures import PartitionMeasures

CLOSING_SECONDS = 10.0
"""How long ``close`` waits for running handlers."""
MOCKED = "mocked "
"""Before a queue's name: its tasks that a mock file answers. Workers do not get them."""


class Options(NamedTuple):
    """How an engine is opened."""

    tenant: str = "default"
    namespace: str = "default"
    max_workers: int = 64
    limits: Limits | None = None
    item_files: ItemFiles | None = None
    loop: asyncio.AbstractEventLoop | None = None
    strict_handlers: bool = False
    listeners: Listeners | None = None
    clock: Clock | None = None
    seed: int | None = None


class Readable(Protocol):
    """Storage that can be read."""

    @property
    def storage(self) -> Storage:
        """The rows."""
        ...

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed."""
        ...

    def spaces(self) -> Iterable[tuple[str, str]]:
        """The tenants and namespaces whose executions are looked for by name."""
        ...

    def check(self) -> None:
        """Raise the reason why it does not work."""
        ...

    def shown(self) -> AbstractContextManager[Reading | None]:
        """A block whose reads are shown to somebody, and decide nothing."""
        ...


class Host(ABC):
    """Runs partitions. Every method may be called from any thread."""

    storage: Storage
    """The rows."""
    reads_wait: bool
    """Whether reads wait for another process, so that they must not be made on an event loop."""
    opens_storage = True
    """Whether storage is open in this process, whose threads a forked process does not have."""
    first_key = ""
    """Decides the partition of the first execution that is started without a name, as the last id does for others.

    Where ids do not come from the clock of the partition, it must be drawn: the first executions of several programs
    would have one prefix, and an id of one of them could be that of a child of another."""
    has_copies = False
    """Whether what is shown can be read from copies of this node."""
    consistency: Consistency = "leader"
    """From where what is shown is read."""
    look_seconds: float
    """How often an execution is looked at that somebody follows, though no signal says that it has gone on."""

    def __init__(self, handlers: Handlers, options: Options) -> None:
        _core.check_name("tenant", options.tenant)
        _core.check_name("namespace", options.namespace)
        self.tenant, self.namespace = options.tenant, options.namespace
        self.handlers, self.strict_handlers = handlers, options.strict_handlers
        self.limits = options.limits or Limits()
        self.clock: Clock = options.clock or SystemClock()
        """The physical time. Timers, timestamps and the hybrid logical clock go by it."""
        self.pool = self._new_pool(options)
        self.listeners = options.listeners or Listeners()
        self._loop = options.loop
        self.promises = PendingPromises()
        self.ends, self.queues = Waiters(self.promises), Waiters(self.promises)
        self.progress = Signals()
        self.changing: AbstractContextManager[object] = threading.RLock()
        """Held while a workflow, or what belongs to it, is looked at and changed."""
        self._failure: BaseException | None = None
        self._closed = False
        self._closing = threading.Lock()
        self._process = only_process() if self.opens_storage else os.getpid()
        self._before_release: list[Callable[[], None]] = []

    def _new_pool(self, options: Options) -> HandlerPool:
        """What calls the handlers."""
        return HandlerPool(
            self.handlers,
            self._answer_tasks,
            self._keep_alive,
            options.max_workers,
            options.loop,
            freed=self._freed,
            handler_seconds=self.limits.handler_seconds,
            traceback_characters=self.limits.traceback_characters,
            now=self.clock.now,
        )

    @property
    @abstractmethod
    def workflows(self) -> Workflows:
        """The definitions that were deployed."""

    def tick(self) -> int:
        """The next timestamp of the hybrid logical clock."""
        return self.hlc.tick(seconds_of(self.clock.now()))

    @property
    @abstractmethod
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""

    @property
    def shared_key(self) -> bytes | None:
        """What all nodes of a cluster sign with, so that each reads what another one signed; None: it is not a node."""
        return None

    @property
    @abstractmethod
    def folder(self) -> _core.Folder | None:
        """The folder that it has open and locked; None: in memory, or another process has it."""

    @abstractmethod
    def measure(self) -> list[PartitionMeasures]:
        """The state of its partitions, now."""

    def cluster_state(self) -> ClusterState | None:
        """The cluster that it belongs to, as it sees it; None: to none."""
        return None

    # requests

    def spaces(self) -> Iterable[tuple[str, str]]:
        """The tenant and the namespace of its executions."""
        return ((self.tenant, self.namespace),)

    def shown(self) -> AbstractContextManager[Reading | None]:
        """A block whose reads are shown to somebody: a node of a cluster may make them from its copies."""
        return NOT_SHOWN

    def check(self) -> None:
        """Raise the reason why the engine does not work: it was closed, it has failed, or the process was forked."""
        if self._failure is not None:
            raise self._stopped()
        if self._closed:
            raise Closed("the executor was closed")
        if self._process != os.getpid():  # each request of a server comes here
            self.check_process()

    def check_process(self) -> None:
        """Raise ``Closed`` in a process that was forked after the opening."""
        if self._process != os.getpid():
            raise Closed(f"this executor belongs to process {self._process}, from which this one was forked; {FORKS}")

    def submit(self, command: Command, document: Document, deliver: Callback) -> None:
        """Put a command into the inbox of its partition. ``deliver`` gets its result once that is durable.

        Raises ``Busy``, and ``StorageError`` if the partition does not work.
        """
        self.check()
        answer = self.promises.owe(deliver)
        try:
            self._put(command, document, answer)
        except BaseException:
            answer.forget()
            raise
        if self._failure is not None or self._closed:  # it stopped after the check
            answer.reply(None, self._stopped())

    def ask(self, command: Command, document: Document = NONE) -> object:
        """Put a command into the inbox of its partition, and wait until its changes are durable."""
        latch = Latch()
        self.submit(command, document, latch.deliver)
        return latch.wait()

    def put_workflow(self, command: PutWorkflowCommand) -> int:
        """Keep a version of a definition, durably; the version that it has."""
        self.ask(command)
        return command.version

    @abstractmethod
    def _put(self, command: Command, document: Document, answer: Promise) -> None:
        """Put a command into the inbox of its partition."""

    @abstractmethod
    def watch(self, id: str, deliver: Callback) -> Promise:
        """Call ``deliver`` once an execution has ended, with its row if that is known without reading.

        If there is no such execution, ``ExecutionNotFound`` is raised or delivered.
        """

    def unwatch(self, id: str, answer: Promise) -> None:
        """Stop watching."""
        self.ends.remove(id, answer)

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        self.queues.release_one(queue)
        self.queues.release_one(MOCKED + queue)

    def _stopped(self) -> BaseException:
        failure = self._failure
        if failure is None:
            return Closed("the executor was closed")
        kind = type(failure) if isinstance(failure, (StorageError, ClockError)) else StorageError
        advice = "" if isinstance(failure, FencedError) else "; close it, and open the folder again"
        error = kind(f"the executor has stopped: {failure}{advice}")
        error.__cause__ = failure
        return error

    # handlers

    def register(
        self, resource: str, function: Handler, *, concurrency: int | None = None, rate: str | None = None
    ) -> None:
        """Register a handler with its limits."""
        self.handlers.register(resource, function, concurrency=concurrency, rate=rate)
        self._handlers_changed()
        self.pool.retry_waiting()

    def remote_handlers(self) -> RemoteHandlers:
        """The handlers that run in workers."""
        with self._closing:
            return self.pool.remote_handlers(self._register_remote, self._waits_for_handler)

    def _register_remote(self, resource: str, handler: CallHandler, concurrency: int) -> None:
        self.register(resource, handler, concurrency=concurrency)

    def _waits_for_handler(self, task_id: str) -> bool:
        task = self.storage.get(TaskContext, task_id)
        return task is not None and task.status == ACTIVE

    @abstractmethod
    def _handlers_changed(self) -> None:
        """Tell the partitions that there is another handler, or another limit."""

    @abstractmethod
    def _freed(self, call: Call) -> None:
        """Tell a task's partition that the task is not counted for its limit any longer."""

    # events

    def _begin_events(self) -> None:
        """The partitions work: tell them which events somebody listens to."""
        self.listeners.attach(self._observe, self._loop)

    @abstractmethod
    def _observe(self, names: frozenset[str]) -> None:
        """Tell the listeners the events of these names, from now on."""

    def stats(self) -> Stats:
        """The counters and gauges of all partitions."""
        self.check()
        with self.shown():
            return summed(self._partition_stats(), self.pool, self.listeners)

    @abstractmethod
    def _partition_stats(self) -> list[PartitionStats]:
        """The counters and gauges of each partition."""

    # results of handlers

    def _answer_tasks(self, results: Iterable[Result]) -> None:
        results = list(results)
        self._take_results([result for result in results if not result.is_silent])
        for result in results:
            if result.follow is not None:
                result.follow()

    @abstractmethod
    def _take_results(self, results: list[Result]) -> None:
        """Put the results of handlers into the inboxes."""

    @abstractmethod
    def _keep_alive(self, task_id: str) -> None:
        """A handler reports that its work continues."""

    @abstractmethod
    def submit_results(self, answers: list[tuple[Command, Document]]) -> None:
        """Put results of tasks into the inboxes."""

    # closing

    def before_release(self, function: Callable[[], None]) -> None:
        """Let ``function`` be called at the closing: when nothing works any more, and the folder is still locked."""
        self._before_release.append(function)

    def close(self) -> None:
        """Wait for running handlers, put everything on disk and close the folder."""
        check_may_wait()
        with self._closing:
            if self._closed:
                return
            is_ours = self._process == os.getpid()
            if is_ours:
                self._close_pool()
                self._end()
            self._closed = True
            with answering():
                self.promises.refuse(self._stopped)
            self.progress.fire_all()
            if is_ours:
                self.listeners.close()
                for function in self._before_release:
                    function()
                self._close_folder()

    def _close_pool(self) -> None:
        """Wait for running handlers."""
        self.pool.close(CLOSING_SECONDS)

    @abstractmethod
    def _end(self) -> None:
        """Process what the inbox still has, and stop."""

    @abstractmethod
    def _close_folder(self) -> None:
        """Close the folder. Raises the error if something could not be put on disk."""
