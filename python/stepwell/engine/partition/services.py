"""The services of a partition for its processors (protocol: ``stepwell.engine.state.services``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.engine.ids import child_list, idempotency_key, mock_case_of
from stepwell.engine.limits import Limits, longest_seconds
from stepwell.engine.log import records as r
from stepwell.engine.replay.redrive import redrive_command, redrive_problem
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.executions import Executions
from stepwell.engine.state.services import AskingTurn
from stepwell.engine.status import ENDED, STATUSES
from stepwell.engine.storage import contexts as c
from stepwell.engine.storage.task_tokens import new_token
from stepwell.errors import InvalidInput
from stepwell.tasks.dispatch import Call
from stepwell.tasks.integrations.nested import JOBS, target_of

from .effects import Effects
from .in_flight import InFlight
from .inbox import Clock, Dispatcher
from .numbering import Numbering

if TYPE_CHECKING:
    from stepwell._core import Store


class PartitionServices:
    """Services, composed of the partition's parts. ``turn.services`` is this object."""

    def __init__(
        self,
        store: Store,
        executions: Executions,
        in_flight: InFlight,
        numbering: Numbering,
        effects: Effects,
        clock: Clock,
        dispatcher: Dispatcher,
        limits: Limits,
        random: Callable[[], float],
        random_bytes: Callable[[int], bytes],
        on_ended: Callable[[LiveExecution], None] | None,
        on_abandoned: Callable[[c.TaskContext], None] | None,
        on_tasks_ended: Callable[[list[str]], None] | None,
        is_alone: bool,
    ) -> None:
        self._store, self._executions, self._in_flight = store, executions, in_flight
        self._numbering, self._effects = numbering, effects
        self._storage, self._state = executions.storage, executions.state
        self._clock, self._dispatcher = clock, dispatcher
        self.limits, self.random, self.is_alone = limits, random, is_alone
        self._random_bytes = random_bytes
        self.on_ended, self._on_abandoned, self._on_tasks_ended = on_ended, on_abandoned, on_tasks_ended
        self.task_id, self.admits = numbering.task_id, in_flight.admits
        self.handler_limits, self.queue_of = in_flight.limits, in_flight.queue_of
        self._calls: list[Call] = []
        """Tasks to dispatch, collected while effects run."""
        self._call = self._calls.append
        self._ended_tasks: list[str] = []
        """Tasks that ended without a result, to be reported before those are dispatched."""

    def reserve_ids(self, turn: AskingTurn, count: int) -> int:
        return self._numbering.reserve(turn.now, count, turn.execution_id)

    def task_token(self, task_id: str) -> str:
        return new_token(task_id, self._random_bytes)

    # tasks

    def activated(self, turn: AskingTurn, task: c.TaskContext) -> None:
        if not task.queue:
            self._in_flight.begins(task.id, len(task.input))
            limit = self._in_flight.limited.begins(task) if self.handler_limits else ""
            turn.effects.append((self._call, self.call_of(turn.execution, task, limit)))

    def call_of(self, execution: LiveExecution | None, task: c.TaskContext, limit: str = "") -> Call:
        """The call of a task, for its handler; ``limit`` is the name of the limit that the task is counted for."""
        assert execution is not None
        state_name = execution.activities[task.activity_id].state.name
        return Call(
            task.id,
            execution.id,
            state_name,
            task.resource,
            task.input,
            task.attempt,
            task.token,
            task.timeout_due,
            execution.arn or execution.make_arn(),
            execution.workflow.arn,
            limit,
            mock_case_of(execution.context.qualifier),
            execution.context.started_at,
            execution.context.trace_header,
        )

    def dispatch_calls(self) -> None:
        """Dispatch the tasks whose activation is durable, except those that were closed meanwhile.

        Report ended tasks before, so that nothing that follows from the end of a task begins while its handler may.
        """
        if self._ended_tasks:
            ended, self._ended_tasks = self._ended_tasks, []
            if self._on_tasks_ended is not None:
                self._on_tasks_ended(ended)
        if self._calls:
            owners = self._state.task_owners
            calls = [call for call in self._calls if call.id in owners or self._is_still_open(call)]
            self._calls.clear()
            self._dispatcher.dispatch(calls)

    def _is_still_open(self, call: Call) -> bool:
        if self._executions.is_task_open(call.id):
            return True
        self._in_flight.ends(call.id)
        if call.limit:
            self._in_flight.limited.free(call.limit)
        return False

    def calls_of(self, tasks: list[c.TaskContext]) -> list[Call]:
        """The calls of tasks that handlers had before. Tasks that are closed are left out."""
        calls: list[Call] = []
        for task in tasks:
            execution = self._executions.get(task.activity_id.rpartition("/")[0])
            if execution is not None and task.id in execution.tasks:
                calls.append(self.call_of(execution, task))
            else:
                self._in_flight.ends(task.id)
        return calls

    def queued(self, queue: str) -> None:
        if c.is_held(queue):
            self._in_flight.holds(queue)
        else:
            self._dispatcher.queued(queue)

    def abandon(self, turn: AskingTurn, task: c.TaskContext) -> None:
        if not task.queue:
            turn.effects.append((self._ended_without_result, task.id))
        if task.resource not in JOBS:
            return
        child = self._child_of(task)
        if child is not None:
            turn.send(child, r.CancelExecutionCommand(child, None, None))
        elif self._on_abandoned is not None:
            turn.effects.append((self._on_abandoned, task))

    def closed(self, task_id: str) -> None:
        """A task has ended with a result that is not its handler's."""
        self._ended_tasks.append(task_id)

    def _ended_without_result(self, task_id: str) -> None:
        self._in_flight.ends(task_id)
        self._ended_tasks.append(task_id)

    def _child_of(self, task: c.TaskContext) -> str | None:
        """The execution in this partition that a task has started and waits for, if there is one."""
        key = child_key(task.activity_id.rpartition("/")[0], task.id, task.input)
        return None if key is None else self._executions.named(key)

    # executions

    def longest_seconds(self, type: str, given: int | None) -> int | None:
        return longest_seconds(self.limits, type, given)

    def ended(self, turn: AskingTurn, execution: LiveExecution) -> None:
        turn.effects.append((self._ended, execution))

    def _ended(self, execution: LiveExecution) -> None:
        if execution.status in ENDED and execution.position <= self._effects.applied:
            self._executions.remove_ended(execution)
        if self.on_ended is not None:
            self.on_ended(execution)

    def deleted(self, turn: AskingTurn, execution_id: str) -> None:
        turn.effects.append((self._state.deleted.discard, execution_id))

    def retention_of(self, execution: LiveExecution) -> int | None:
        if execution.context.parent_iteration_id is not None:  # it is deleted with its parent
            return None
        latest = self._state.workflows.latest(execution.workflow.name)
        if latest is not None and latest.context.retention is not None:
            return latest.context.retention
        seconds = self.limits.retention
        return None if seconds is None else round(seconds * 1_000_000)

    def named(self, key: str) -> str | None:
        return self._executions.named(key)

    def statuses_of(self, workflow: str) -> set[str]:
        self._store.wait_applied(self._effects.position, None)
        return {status for status in STATUSES if self._has_any(workflow, status)}

    def _has_any(self, workflow: str, status: str) -> bool:
        after: tuple[Any, ...] | None = None
        while rows := self._storage.scan(c.VisibilityContext, workflow, status, after=after, limit=_FEW):
            if any(row.execution_id not in self._state.deleted for row in rows):
                return True
            after = (workflow, status, rows[-1].started_at, rows[-1].execution_id)
        return False

    # map runs

    def had_map_runs(self, execution: LiveExecution) -> bool:
        if execution.position > self._effects.position:  # it ended in this batch
            return True
        self._store.wait_applied(execution.position, None)
        return bool(self._storage.scan(c.MapRunContext, execution.id, limit=1))

    def children_of(self, execution: LiveExecution, limit: int) -> list[str]:
        self._store.wait_applied(self._effects.position, None)
        after: tuple[Any, ...] | None = None
        while runs := self._storage.scan(c.MapRunContext, execution.id, after=after):
            for run in runs:
                rows = self._storage.scan(c.VisibilityContext, child_list(run.id), limit=limit)
                if rows:
                    return [row.execution_id for row in rows]
            after = (runs[-1].id,)
        return []

    def ended_child(self, execution_id: str) -> c.ExecutionContext | None:
        return self._storage.get(c.ExecutionContext, execution_id)

    def redrive_of(self, execution_id: str, child_id: str) -> r.RedriveExecutionCommand:
        context = self.ended_child(execution_id)
        if context is None:
            return r.RedriveExecutionCommand(execution_id, 0, event=0, previous=0, child_id=child_id)
        problem = partial(redrive_problem, self.limits, now=self._clock.now())
        workflow = self._state.workflows.get(context.workflow_id)
        return redrive_command(self._storage, workflow, context, problem, child_id)


_FEW = 16
"""Rows that are read to find one of an execution that is still there."""


def child_key(execution_id: str, task_id: str, input: bytes) -> str | None:
    """The idempotency key of the execution that a task starts; None if its input starts none."""
    try:
        target = target_of(loads(input), execution_id, task_id)
    except (InvalidInput, ValueError):
        return None
    return idempotency_key(execution_id, target.workflow, target.name)
