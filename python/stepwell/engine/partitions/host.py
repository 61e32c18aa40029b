"""A folder with several partitions, open: a process for each, and the handlers of their tasks in this one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.asl.json import loads
from stepwell.engine import records as r
from stepwell.engine.appliers.executions import idempotency_key
from stepwell.engine.contexts import ExecutionContext, IdempotencyContext
from stepwell.engine.documents import NONE, Document
from stepwell.engine.following import check_leads
from stepwell.engine.forks import FORKS
from stepwell.engine.host import CLOSING_SECONDS
from stepwell.engine.inbox import Limits
from stepwell.engine.map_io import map_tasks
from stepwell.engine.storage import Storage
from stepwell.engine.waiting import Answer, Answers, Deliver, Latch, Waiters
from stepwell.engine.workflows import Workflows
from stepwell.errors import Closed, StepwellError, StorageError
from stepwell.tasks.dispatch import HandlerPool, Result
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.integrations.nested import target_of
from stepwell.tasks.items import ItemFiles

from . import messages as m
from .definitions import Definitions
from .folder import PartitionedFolder
from .remote import RemotePartition
from .stores import Places, Stores

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("stepwell.engine")

_OF_TASKS = (
    r.ActivateTaskCommand,
    r.SubmitTaskCommand,
    r.CompleteTaskCommand,
    r.FailTaskCommand,
    r.HeartbeatTaskCommand,
)


class PartitionedHost:
    """Runs partitions in processes of their own. Every method may be called from any thread."""

    reads_wait = True

    def __init__(
        self,
        data: str | os.PathLike[str] | None,
        handlers: Handlers,
        *,
        partitions: int,
        tenant: str,
        namespace: str,
        max_workers: int,
        limits: Limits | None,
        item_files: ItemFiles | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        _core.check_name("tenant", tenant)
        _core.check_name("namespace", namespace)
        self.tenant, self.namespace = tenant, namespace
        self.handlers = handlers
        self.pool = HandlerPool(handlers, self._answer_tasks, self._keep_alive, max_workers, loop)
        self.answers = Answers()
        self.ends, self.queues = Waiters(self.answers), Waiters(self.answers)
        self.hlc = _core.Clock(0, 0xFFFF_FFFF)
        self._failure: Exception | None = None
        self._closed = False
        self._closing = threading.Lock()
        self._process = os.getpid()
        check_leads(data)
        self._folder = None if data is None else PartitionedFolder(data, partitions)
        self.places = Places(partitions)
        self.partitions: list[RemotePartition] = []
        for index in range(partitions):
            path = None if self._folder is None else self._folder.partition(index)
            opening = m.Open(path, index, partitions, tenant, namespace, limits or Limits())
            self.partitions.append(RemotePartition(opening, self))
        try:
            calls = [call for partition in self.partitions for call in partition.opened.wait()]
            self.storage = Storage(Stores(self.partitions, self.places, self.answers))
            self._definitions = Definitions(self.partitions, self.storage, self.answers)
            self._definitions.even_out()
        except BaseException:
            self._end()
            raise
        handlers.provide(map_tasks(self.storage, item_files or ItemFiles()))
        self.pool.resume(calls)

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed: all partitions have the same."""
        return self._definitions.workflows

    # questions

    def check(self) -> None:
        """Raise what keeps the engine from working: it was closed, it has failed, or the process was forked."""
        if self._failure is not None:
            raise self._stopped()
        if self._closed:
            raise Closed("the executor was closed")
        if self._process != os.getpid():
            raise Closed(
                f"this executor belongs to process {self._process}, from which this one was forked: "
                f"only that process may use it; {FORKS}"
            )

    def submit(self, command: r.Command, document: Document, deliver: Deliver) -> None:
        """Put a command into its partition's inbox; ``deliver`` gets what it came to, once that is durable.

        Raises ``Busy``, and ``StorageError`` where that partition does not work.
        """
        self.check()
        if isinstance(command, r.PutWorkflowCommand):
            self._definitions.put(command, deliver)
            return
        partition = self.partitions[self._place(command)]
        answer = self.answers.owe(deliver)
        try:
            partition.submit(command, document, answer)
        except BaseException:
            answer.forget()
            raise
        if self._failure is not None or self._closed:  # it stopped between the check and the inbox
            answer.reply(None, self._stopped())

    def ask(self, command: r.Command, document: Document = NONE) -> object:
        """Put a command into its partition's inbox, and wait until what it did is durable."""
        latch = Latch()
        self.submit(command, document, latch.deliver)
        return latch.wait()

    def watch(self, id: str, deliver: Deliver) -> Answer:
        """Tell ``deliver`` the row of an execution that has ended, or that there is none."""
        self.check()
        partition = self.partitions[self.places.of_execution(id)]
        answer = self.ends.add(id, deliver)
        partition.watch(id)
        return answer

    def unwatch(self, id: str, answer: Answer) -> None:
        """Watch no longer."""
        self.ends.remove(id, answer)

    def _place(self, command: r.Command) -> int:
        if isinstance(command, _OF_TASKS):
            return self.places.of_task(command.id)
        return self.places.of_execution(getattr(command, "id", ""))

    def _stopped(self) -> BaseException:
        failure = self._failure
        if failure is None:
            return Closed("the executor was closed")
        error = StorageError(f"the executor has stopped: {failure}")
        error.__cause__ = failure
        return error

    # what partitions tell, each in its own thread

    def ended(self, id: str, row: ExecutionContext | None, error: Exception | None) -> None:
        """An execution that is watched has ended, or there is none."""
        self.ends.release(id, row, error)

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        self.queues.release_one(queue)

    def watched(self, index: int) -> Iterable[str]:
        """The executions of a partition that somebody waits for."""
        return [id for id in self.ends.waited_for() if self.places.of_execution(id) == index]

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was given up: cancel what it waits for, in whichever partition that is."""
        threading.Thread(target=self._cancel_child, args=(task,), name="stepwell-abandoned", daemon=True).start()

    def lost(self, error: Exception) -> None:
        """A partition is gone for good, and with it the whole."""
        self._failure = error
        self.answers.refuse(self._stopped)

    def _cancel_child(self, task: m.Abandoned) -> None:
        try:
            target = target_of(loads(task.input), task.execution_id, task.task_id)
            key = idempotency_key(task.execution_id, target.workflow, target.name)
            row = self.storage.get(IdempotencyContext, key)
            if row is not None:
                self.ask(r.CancelExecutionCommand(row.execution_id, None, None))
        except (StepwellError, ValueError) as error:  # it has ended, or was never started
            log.debug("what task %s waits for is not canceled: %s", task.task_id, error)

    # answers of handlers

    def _answer_tasks(self, results: Iterable[Result]) -> None:
        results = list(results)
        self._hand_in([m.TaskResult(*result[:6]) for result in results if not result.is_silent])
        for result in results:
            if result.follow is not None:
                result.follow()

    def _hand_in(self, results: list[m.TaskResult]) -> None:
        if self._closed or self._failure is not None:
            return
        shares: list[list[m.TaskResult]] = [[] for _ in self.partitions]
        for result in results:
            shares[self.places.of_task(result.id)].append(result)
        for partition, share in zip(self.partitions, shares, strict=True):
            if share:
                partition.answer(share)

    def _keep_alive(self, task_id: str) -> None:
        if not self._closed:
            self.partitions[self.places.of_task(task_id)].keep_alive(task_id)

    def take_in(self, answers: list[tuple[r.Command, Document]]) -> None:
        """Put answers of tasks into their inboxes."""
        results: list[m.TaskResult] = []
        for command, document in answers:
            if isinstance(command, r.FailTaskCommand):
                failed = (None, command.error, command.cause, False)
                results.append(m.TaskResult(command.id, command.resource, *failed))
            elif isinstance(command, r.CompleteTaskCommand):
                results.append(m.TaskResult(command.id, command.resource, document.text, None, None, False))
        self._hand_in(results)

    # the end

    def close(self) -> None:
        """Let running handlers end, let every process put its partition on disk and end, and let the folder go."""
        with self._closing:
            if self._closed:
                return
            is_ours = self._process == os.getpid()
            if is_ours:
                self.pool.close(CLOSING_SECONDS)
            self._closed = True
            failures = self._end() if is_ours else []
            self.answers.refuse(self._stopped)
            if failures and self._failure is None:
                raise failures[0]

    def _end(self) -> list[Exception]:
        for partition in self.partitions:
            partition.close()
        failures = [partition.join() for partition in self.partitions]
        if self._folder is not None:
            self._folder.close()
        return [failure for failure in failures if failure is not None]
