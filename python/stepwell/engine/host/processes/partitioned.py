"""An executor whose partitions are elsewhere: each in a process of its own, or led by a node of a cluster."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from typing import Generic, TypeVar

from stepwell import _core
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.measures import PartitionMeasures
from stepwell.engine.host.promises import Callback, Latch, Promise
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.partition.counters import PartitionStats
from stepwell.engine.partition.router import OF_NO_EXECUTION
from stepwell.engine.partition.services import child_key
from stepwell.engine.state.workflows import Workflows
from stepwell.engine.storage.contexts import ExecutionContext, IdempotencyContext
from stepwell.errors import StepwellError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call, Result
from stepwell.tasks.handlers import Handlers

from . import messages as m
from .definitions import Definitions
from .partition_client import PartitionClient
from .stores import Places, Stores

log = logger("stepwell.engine")

Client = TypeVar("Client", bound=PartitionClient)

MEASURING_SECONDS = 5.0
"""How long a partition may take to say how it is."""

_OF_TASKS = (
    r.ActivateTaskCommand,
    r.SubmitTaskCommand,
    r.CompleteTaskCommand,
    r.FailTaskCommand,
    r.HeartbeatTaskCommand,
)


class PartitionedHost(Host, Generic[Client]):
    """Finds the partition of each request, and runs the handlers of their tasks. A subclass opens the partitions."""

    reads_wait = True
    look_seconds = 0.05  # partitions that are elsewhere give no signals
    partitions: list[Client]
    _definitions: Definitions
    _stores: Stores

    def __init__(self, handlers: Handlers, options: Options, partitions: int) -> None:
        super().__init__(handlers, options)
        self._clock = _core.Clock(0, 0xFFFF_FFFF)
        self.places = Places(partitions)
        self.first_key = secrets.token_hex(8) if options.seed is None else str(options.seed)

    def _resume(self, calls: list[Call]) -> None:
        """Dispatch the tasks that handlers had when the last process ended."""
        self.pool.resume(calls)

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed: all partitions have the same."""
        return self._definitions.workflows

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        return self._clock

    def measure(self) -> list[PartitionMeasures]:
        latches = [self._stats_of(partition) for partition in self.partitions]
        return [self._measured(index, latch) for index, latch in enumerate(latches)]

    def _stats_of(self, partition: PartitionClient) -> Latch:
        latch = Latch()
        answer = self.promises.owe(latch.deliver)
        try:
            partition.read(answer, "sync_stats")
        except StepwellError as error:
            answer.reply(None, error)
        return latch

    def _measured(self, index: int, latch: Latch) -> PartitionMeasures:
        partition = self.partitions[index]
        waiting = partition.unanswered
        try:
            stats = latch.wait(MEASURING_SECONDS)
        except StepwellError as error:
            return PartitionMeasures(index, partition.pid, requests=waiting, problem=str(error))
        positions = (stats["log_start"], stats["log_tail"], stats["applied"], stats["flushed"])
        return PartitionMeasures(index, partition.pid, *positions, requests=waiting, tasks=partition.tasks)

    # requests

    def submit(self, command: r.Command, document: Document, deliver: Callback) -> None:
        if isinstance(command, r.PutWorkflowCommand):
            self.check()
            self._definitions.put(command, deliver)
        elif isinstance(command, r.DeleteWorkflowCommand):
            self.check()
            self._definitions.delete(command, deliver)
        else:
            super().submit(command, document, deliver)

    def _put(self, command: r.Command, document: Document, answer: Promise) -> None:
        self.partitions[self._place(command)].submit(command, document, answer)

    def watch(self, id: str, deliver: Callback) -> Promise:
        self.check()
        partition = self.partitions[self.places.of_execution(id)]
        answer = self.ends.add(id, deliver)
        partition.watch(id)
        return answer

    def _place(self, command: r.Command) -> int:
        if isinstance(command, OF_NO_EXECUTION):  # definitions go to all, see ``submit``
            return 0
        if isinstance(command, _OF_TASKS):
            return self.places.of_task(command.id)
        return self.places.of_execution(getattr(command, "id", ""))

    def _observe(self, names: frozenset[str]) -> None:
        for partition in self.partitions:
            partition.observe(sorted(names))

    def _partition_stats(self) -> list[PartitionStats]:
        return self._stores.stats()

    # called by partitions, each in its own thread

    def ended(self, id: str, row: ExecutionContext | None, error: Exception | None) -> None:
        """A watched execution has ended, or does not exist."""
        self.ends.release(id, row, error)

    def watched(self, index: int) -> Iterable[str]:
        """The executions of a partition that callers wait for."""
        return [id for id in self.ends.waited_for() if self.places.of_execution(id) == index]

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned: cancel the execution that it waits for, in whichever partition that is."""
        threading.Thread(target=self._cancel_child, args=(task,), name="stepwell-abandoned", daemon=True).start()

    def lost(self, error: Exception) -> None:
        """A partition cannot be started again: the host has failed."""
        self._failure = error
        self.promises.refuse(self._stopped)
        self.progress.fire_all()

    def _cancel_child(self, task: m.Abandoned) -> None:
        try:
            key = child_key(task.execution_id, task.task_id, task.input)
            row = None if key is None else self.storage.get(IdempotencyContext, key)
            if row is not None:
                self.ask(r.CancelExecutionCommand(row.execution_id, None, None))
        except StepwellError as error:  # it has ended
            log.debug("what task %s waits for is not canceled: %s", task.task_id, error)

    # handlers

    def _handlers_changed(self) -> None:
        for partition in self.partitions:
            partition.set_handlers(self.handlers.windows())

    def _freed(self, call: Call) -> None:
        self.partitions[self.places.of_task(call.id)].free(call.limit)

    # results of handlers

    def _take_results(self, results: list[Result]) -> None:
        self._hand_in([m.TaskResult(*result[:6]) for result in results])

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

    def submit_results(self, answers: list[tuple[r.Command, Document]]) -> None:
        results: list[m.TaskResult] = []
        for command, document in answers:
            if isinstance(command, r.FailTaskCommand):
                failed = (None, command.error, command.cause, False)
                results.append(m.TaskResult(command.id, command.resource, *failed))
            elif isinstance(command, r.CompleteTaskCommand):
                results.append(m.TaskResult(command.id, command.resource, document.text, None, None, False))
        self._hand_in(results)
