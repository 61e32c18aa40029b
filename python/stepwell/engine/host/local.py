"""An open folder with one partition: its store, the partition's thread, and the handlers of its tasks.

``Executor`` and ``AsyncExecutor`` both use it.
"""

from __future__ import annotations

import os
import threading

from stepwell import _core
from stepwell.engine.folders.follows import check_leads
from stepwell.engine.folders.partitions import check_partitions
from stepwell.engine.folders.paths import open_folder
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.partition.counters import PartitionStats
from stepwell.engine.partition.partition import Partition
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.workflows import Workflows
from stepwell.engine.status import OVER
from stepwell.engine.storage.contexts import TaskContext
from stepwell.engine.storage.storage import Storage
from stepwell.errors import FencedError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import WAKE_SECONDS, Call, Result
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.items import ItemFiles

from .host import Host, Options
from .map_tasks import map_tasks
from .measures import PartitionMeasures
from .promises import Callback, Promise, answering

log = logger("stepwell.engine")


class LocalHost(Host):
    """Runs a partition in this process."""

    reads_wait = False
    look_seconds = 5.0  # for a batch that was under way when somebody began to follow: it gives no signal

    def __init__(
        self,
        data: _core.Folder | str | os.PathLike[str] | None,
        handlers: Handlers,
        options: Options,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__(handlers, options)
        self._stopping = False
        folder = data if isinstance(data, _core.Folder) else open_folder(data)
        check_partitions(folder, 1)
        check_leads(folder)
        self._folder: _core.Folder | None = None  # until it is open: a host that failed does not hold it
        limits = self.limits
        self._store = self._open_store(folder)
        try:
            check_leads(folder)  # a follower may have begun there before it was locked
            self.storage = Storage(self._store)
            handlers.provide(map_tasks(self.storage, options.item_files or ItemFiles()))
            self.partition = Partition(
                self._store,
                self.clock,
                self,
                limits,
                options.seed,
                share=share,
                on_ended=self._ended,
                on_abandoned=self._abandoned,
                on_tasks_ended=self._tasks_ended,
                handlers=handlers,
                progress=(self.progress.heard, self.progress.fire),
            )
            self.partition.recover()
            self.clock.has_been(self._store.clock_high_water() >> 32)
            calls = self.partition.open_calls()
            self._folder = folder
        except BaseException:
            self._store.close()
            raise
        self._begin_events()
        self._begin_loop()
        self._resume(calls)

    def _open_store(self, folder: _core.Folder | None) -> _core.Store:
        """The partition's log and storage."""
        bytes = self.limits.log_bytes
        return _core.Store.open(folder, flush_bytes=bytes, segment_bytes=2 * bytes)

    def _begin_loop(self) -> None:
        """Let a thread run the partition."""
        self._thread = threading.Thread(target=self._answer, name="stepwell-partition", daemon=True)
        self._thread.start()

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed."""
        return self.partition.state.workflows

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        return self.partition.hlc

    @property
    def folder(self) -> _core.Folder | None:
        return self._folder

    def measure(self) -> list[PartitionMeasures]:
        partition, stats = self.partition, self._store.sync_stats()
        return [
            PartitionMeasures(
                0,
                self._process,
                stats["log_start"],
                self._store.tail(),
                stats["applied"],
                stats["flushed"],
                len(partition.inbox),
                len(partition.in_flight),
            )
        ]

    # requests

    def _put(self, command: r.Command, document: Document, answer: Promise) -> None:
        self.partition.submit(command, document, answer.reply)

    def watch(self, id: str, deliver: Callback) -> Promise:
        answer = self.ends.add(id, deliver)
        try:
            self.check()
            live = self.partition.state.executions.get(id)
            if live is not None and live.status not in OVER:  # its end will be delivered
                return answer
            context = self.storage.execution(id)
        except BaseException:
            self.ends.remove(id, answer)
            raise
        if context.status in OVER:
            answer.reply(context, None)
        return answer

    def _observe(self, names: frozenset[str]) -> None:
        self.partition.observe(names, self.listeners.tell)

    def _partition_stats(self) -> list[PartitionStats]:
        return [self.partition.stats()]

    # the partition's thread

    def _answer(self) -> None:
        with answering():
            self._run()

    def _run(self) -> None:
        partition, store = self.partition, self._store
        try:
            applied = store.applied()
            while not self._stopping:
                partition.step()
                applied = store.wait(applied, self._timeout())
                partition.release(applied)
                self._wake_worker()
            while partition.has_requests and partition.step():  # what was in the inbox before the end
                pass
            store.wait_applied(store.tail(), None)
            partition.release(store.applied())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            self._has_failed(error)

    def _has_failed(self, error: BaseException) -> None:
        """The partition cannot go on: whoever waits gets the error."""
        self._failure = error
        log.exception("the executor has stopped")
        self.promises.refuse(self._stopped)
        self.progress.fire_all()

    def _timeout(self) -> float | None:
        """How long the loop may wait: until the next timer, or until handlers may need another thread."""
        timeout = self.partition.timeout()
        if not self.pool.has_backlog:
            return timeout
        return WAKE_SECONDS if timeout is None else min(timeout, WAKE_SECONDS)

    def _wake_worker(self) -> None:
        self.pool.wake_worker()

    def _resume(self, calls: list[Call]) -> None:
        """Dispatch the tasks that handlers had when the last process ended."""
        self.pool.resume(calls)

    def dispatch(self, tasks: list[Call]) -> None:
        """Dispatch tasks that are durable."""
        self.pool.dispatch(tasks)

    def _ended(self, execution: LiveExecution) -> None:
        self.ends.release(execution.id)

    def _abandoned(self, task: TaskContext) -> None:
        """A task was abandoned while it waited for an execution in another partition."""

    def _tasks_ended(self, task_ids: list[str]) -> None:
        """Tasks have ended without results of their handlers."""
        self.pool.ended(task_ids)

    def _handlers_changed(self) -> None:
        self._store.notify()  # tasks may be held back for one

    def _freed(self, call: Call) -> None:
        self.partition.free(call.limit)

    # results of handlers

    def _take_results(self, results: list[Result]) -> None:
        self.submit_results([command_of(result) for result in results])

    def _keep_alive(self, task_id: str) -> None:
        self.submit_results([(r.HeartbeatTaskCommand(task_id, 0), NONE)])

    def submit_results(self, answers: list[tuple[r.Command, Document]]) -> None:
        # After the end they are dropped: the work is not recorded, and is done again after the next opening.
        if not self._closed and self._failure is None:
            self.partition.answer(answers)

    # closing

    def _end(self) -> None:
        self._stopping = True
        self._store.notify()
        self._thread.join()

    def _close_folder(self) -> None:
        try:
            self._store.close()
        except FencedError:
            log.warning("closed a folder that another took over, which has all that was acknowledged")
        except StorageError:
            if self._failure is None:  # else the callers have got the error already
                raise
        finally:
            self._folder = None  # its descriptor would keep a file system from being unmounted


def command_of(result: Result) -> tuple[r.Command, Document]:
    """The command that a handler's result makes."""
    if result.output is None:
        return r.FailTaskCommand(result.id, result.resource, result.error, result.cause, False, 0, 0), NONE
    kind = r.SubmitTaskCommand if result.submitted else r.CompleteTaskCommand
    return kind(result.id, result.resource, None, 0, 0), Document(result.output)
