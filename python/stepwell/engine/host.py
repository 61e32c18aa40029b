"""An open folder: its store, its partition with the thread that walks it, and the handlers of its tasks.

``Executor`` and ``AsyncExecutor`` are two faces of it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.errors import Busy, Closed, FencedError, StorageError
from stepwell.tasks.dispatch import Call, HandlerPool, Result
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.items import ItemFiles

from . import records as r
from .arguments import folder_path
from .documents import NONE, Document
from .following import check_leads
from .forks import FORKS, only_process
from .inbox import Limits
from .live import Execution
from .map_io import map_tasks
from .partition import Partition
from .reads import Reads
from .status import OVER
from .storage import Storage
from .waiting import Answer, Answers, Deliver, Latch, Waiters
from .workflows import Workflows

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("stepwell.engine")

TEND_SECONDS = 0.002
"""How long tasks of quick handlers may wait without headway before they get another thread."""
CLOSING_SECONDS = 10.0
"""How long handlers that run may take to end when the executor is closed."""


class SystemClock:
    """The machine's time."""

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        return time.time_ns() // 1000


class Host:
    """Runs a partition. Every method may be called from any thread."""

    reads_wait = False

    def __init__(
        self,
        data: str | os.PathLike[str] | None,
        handlers: Handlers,
        *,
        tenant: str,
        namespace: str,
        max_workers: int,
        limits: Limits | None,
        item_files: ItemFiles | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        _core.check_name("tenant", tenant)
        _core.check_name("namespace", namespace)
        self.tenant, self.namespace = tenant, namespace
        self.handlers = handlers
        self.pool = HandlerPool(handlers, self._answer_tasks, self._keep_alive, max_workers, loop)
        self.answers = Answers()
        self.ends, self.queues = Waiters(self.answers), Waiters(self.answers)
        self._failure: BaseException | None = None
        self._stopping = self._closed = False
        self._closing = threading.Lock()
        self._process = only_process()
        path = folder_path(data)
        check_leads(path)
        log_bytes = (limits or Limits()).log_bytes
        self._store = _core.Store.open(path, flush_bytes=log_bytes, segment_bytes=2 * log_bytes)
        try:
            self.storage = Storage(self._store)
            handlers.provide(map_tasks(self.storage, item_files or ItemFiles()))
            self.partition = Partition(self._store, SystemClock(), self, limits, share=share)
            self.partition.on_ended = self._ended
            self.partition.recover()
            calls = self.partition.open_calls()
        except BaseException:
            self._store.close()
            raise
        self._thread = threading.Thread(target=self._run, name="stepwell-partition", daemon=True)
        self._thread.start()
        self._resume(calls)

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed."""
        return self.partition.state.workflows

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        return self.partition.hlc

    # questions

    def check(self) -> None:
        """Raise what keeps the engine from working: it was closed, it has failed, or the process was forked."""
        if self._failure is not None:
            raise self._stopped()
        if self._closed:
            raise Closed("the executor was closed")
        if self._process != os.getpid():
            raise Closed(f"this executor belongs to process {self._process}, from which this one was forked; {FORKS}")

    def submit(self, command: r.Command, document: Document, deliver: Deliver) -> None:
        """Put a command into the inbox; ``deliver`` gets what it came to, once that is durable. Raises ``Busy``."""
        self.check()
        answer = self.answers.owe(deliver)
        try:
            self.partition.submit(command, document, answer.reply)
        except Busy:
            answer.forget()
            raise
        if self._failure is not None or self._closed:  # it stopped between the check and the inbox
            answer.reply(None, self._stopped())

    def ask(self, command: r.Command, document: Document = NONE) -> object:
        """Put a command into the inbox, and wait until what it did is durable."""
        latch = Latch()
        self.submit(command, document, latch.deliver)
        return latch.wait()

    def watch(self, id: str, deliver: Deliver) -> Answer:
        """Tell ``deliver`` once an execution has ended: its row, where it is known without looking.

        Raises ``ExecutionNotFound``.
        """
        answer = self.ends.add(id, deliver)
        try:
            self.check()
            live = self.partition.state.executions.get(id)
            if live is not None and live.status not in OVER:  # its end is still to come, and will be told
                return answer
            context = Reads(self).context(id)
        except BaseException:
            self.ends.remove(id, answer)
            raise
        if context.status in OVER:
            answer.reply(context, None)
        return answer

    def unwatch(self, id: str, answer: Answer) -> None:
        """Watch no longer."""
        self.ends.remove(id, answer)

    def _stopped(self) -> BaseException:
        failure = self._failure
        if failure is None:
            return Closed("the executor was closed")
        kind = type(failure) if isinstance(failure, StorageError) else StorageError
        advice = "" if isinstance(failure, FencedError) else "; close it, and open the folder again"
        error = kind(f"the executor has stopped: {failure}{advice}")
        error.__cause__ = failure
        return error

    # the partition's thread

    def _run(self) -> None:
        partition, store = self.partition, self._store
        try:
            applied = store.applied()
            while not self._stopping:
                partition.step()
                applied = store.wait(applied, self._timeout())
                partition.release(applied)
                self._tend()
            while partition.asked and partition.step():  # what was taken in before the end
                pass
            store.wait_applied(store.tail(), None)
            partition.release(store.applied())
        except BaseException as error:
            log.exception("the executor has stopped")
            self._failure = error
            self.answers.refuse(self._stopped)

    def _timeout(self) -> float | None:
        """How long the loop may sleep: until the next timer, or until handlers want tending."""
        timeout = self.partition.timeout()
        if not self.pool.has_backlog:
            return timeout
        return TEND_SECONDS if timeout is None else min(timeout, TEND_SECONDS)

    def _tend(self) -> None:
        self.pool.tend()

    def _resume(self, calls: list[Call]) -> None:
        """The tasks that handlers had when the process ended."""
        self.pool.resume(calls)

    def dispatch(self, tasks: list[Call]) -> None:
        """The partition's tasks, once they are durable."""
        self.pool.dispatch(tasks)

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        self.queues.release_one(queue)

    def _ended(self, execution: Execution) -> None:
        self.ends.release(execution.id)

    # answers of handlers

    def _answer_tasks(self, results: Iterable[Result]) -> None:
        results = list(results)
        self.take_in([command_of(result) for result in results if not result.is_silent])
        for result in results:
            if result.follow is not None:
                result.follow()

    def _keep_alive(self, task_id: str) -> None:
        self.take_in([(r.HeartbeatTaskCommand(task_id, 0), NONE)])

    def take_in(self, answers: list[tuple[r.Command, Document]]) -> None:
        """Put answers of tasks into the inbox."""
        # After the end they are dropped: the work is not recorded as done, and begins again at the next opening.
        if not self._closed and self._failure is None:
            self.partition.answer(answers)

    # the end

    def close(self) -> None:
        """Let running handlers end, put everything on disk and let the folder go."""
        with self._closing:
            if self._closed:
                return
            if self._process == os.getpid():
                self.pool.close(CLOSING_SECONDS)
                self._stopping = True
                self._store.notify()
                self._thread.join()
            self._closed = True
            self.answers.refuse(self._stopped)
            if self._process == os.getpid():
                self._close_store()

    def _close_store(self) -> None:
        try:
            self._store.close()
        except FencedError:
            log.warning("closed a folder that another took over, which has all that was acknowledged")
        except StorageError:
            if self._failure is None:  # else it was told before
                raise


def command_of(result: Result) -> tuple[r.Command, Document]:
    """What a handler's result asks of its partition."""
    if result.output is None:
        return r.FailTaskCommand(result.id, result.resource, result.error, result.cause, False, 0, 0), NONE
    kind = r.SubmitTaskCommand if result.submitted else r.CompleteTaskCommand
    return kind(result.id, result.resource, None, 0, 0), Document(result.output)
