"""What processors ask of the partition that they work in, and appliers never do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell import _core
from stepwell.tasks.dispatch import Call

from . import contexts as c
from . import quotas
from . import records as r
from .appliers.executions import idempotency_key
from .appliers.tasks import NUMBERS
from .arns import arn_of
from .in_flight import InFlight
from .inbox import Clock, Dispatcher, Limits
from .jobs import child_of
from .live import Execution
from .map_run import child_list
from .redrive import redrive_command
from .state import PartitionState
from .status import ENDED
from .storage import Storage
from .tokens import new_token
from .turn import Turn

if TYPE_CHECKING:
    from stepwell._core import Store


_OWN_PART = len("/e0123456/0123456789abcdef")
"""What an execution's id has behind its tenant and namespace."""


class Services:
    """The part of a partition that its processors see."""

    store: Store
    storage: Storage
    clock: Clock
    dispatcher: Dispatcher
    limits: Limits
    state: PartitionState
    in_flight: InFlight
    hlc: _core.Clock
    random: Callable[[], float]
    on_ended: Callable[[Execution], None]
    on_abandoned: Callable[[c.TaskContext], None]
    position: int
    """The last position given to a record."""
    applied: int
    """The last position that is durable and applied."""
    calls: list[Call]
    """Tasks to hand out with the effects that are being released."""

    def __init__(self, share: tuple[int, int]) -> None:
        self._share, self._step = share
        """Of the numbers of tasks it gives out those that leave ``_share`` when divided by ``_step``."""
        self.next_task = self._share
        self._task_prefixes: dict[tuple[str, str], str] = {}

    def task_id(self, execution_id: str, task_type: str) -> str:
        """The next task's id, in the tenant and namespace of its execution."""
        key = (execution_id[:-_OWN_PART], task_type)
        prefix = self._task_prefixes.get(key)
        if prefix is None:
            _, tenant, namespace, _ = execution_id.split("/", 3)
            prefix = self._task_prefixes[key] = _core.task_id(tenant, namespace, task_type, 0)[:-8]
        while True:
            number = self.next_task + self._step
            if number & NUMBERS < self._step:  # they went round: each share begins anew
                number = (number & ~NUMBERS) | self._share
            self.next_task = number
            id = f"{prefix}{number & NUMBERS:08x}"
            if number <= NUMBERS or not self.is_open(id):
                return id

    def reserve_ids(self, turn: Turn, count: int) -> int:
        """The first of ``count`` timestamps that are a map run's alone: the ids of its child executions."""
        return self.hlc.reserve(turn.now // 1_000_000, max(1, count))

    @staticmethod
    def task_token(task_id: str) -> str:
        """A token for a task."""
        return new_token(task_id)

    def activated(self, turn: Turn, task: c.TaskContext) -> None:
        """A task was handed out: to a handler of this process, unless a worker polled for it."""
        if not task.queue:
            self.in_flight.begins(task.id, len(task.input))
            turn.effects.append((self.calls.append, self.call_of(turn.execution, task)))

    def longest_seconds(self, type: str, given: int | None) -> int | None:
        """For how long an execution may run; None: for ever."""
        return quotas.longest_seconds(self.limits, type, given)

    def abandon(self, turn: Turn, task: c.TaskContext) -> None:
        """A task was given up: the execution that it waits for is canceled in the same batch."""
        child = child_of(task, self.state, self.storage)
        if child is None:
            turn.effects.append((self._abandoned, task))
        else:
            turn.send(child, r.CancelExecutionCommand(child, None, None))

    def _abandoned(self, task: c.TaskContext) -> None:
        self.on_abandoned(task)

    def call_of(self, execution: Execution | None, task: c.TaskContext) -> Call:
        """What a handler gets."""
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
            execution.arn or _give_arn(execution),
            execution.workflow.arn,
        )

    def queued(self, queue: str) -> None:
        """A task waits for a worker, or for room."""
        if queue == c.HELD:
            self.in_flight.holds()
        else:
            self.dispatcher.queued(queue)

    def ended(self, turn: Turn, execution: Execution) -> None:
        """An execution has ended."""
        turn.effects.append((self._ended, execution))

    def _ended(self, execution: Execution) -> None:
        if execution.status in ENDED and execution.position <= self.applied:
            self.state.executions.pop(execution.id, None)
            self.forget_name(execution)
        self.on_ended(execution)

    def forget_name(self, execution: Execution) -> None:
        """Storage has the name of an execution that is not live."""
        if execution.context.idempotent:
            context = execution.context
            self.state.names.pop(idempotency_key(context.id, execution.workflow.name, context.name), None)

    def retention_of(self, execution: Execution) -> int | None:
        """For how many microseconds an execution that ends is kept; None: until it is deleted."""
        if execution.context.parent_iteration_id is not None:  # it goes with its parent
            return None
        latest = self.state.workflows.latest(execution.workflow.name)
        if latest is not None and latest.context.retention is not None:
            return latest.context.retention
        seconds = self.limits.retention
        return None if seconds is None else round(seconds * 1_000_000)

    def had_map_runs(self, execution: Execution) -> bool:
        """Whether an ended execution began any map run, as far as storage can tell by now."""
        if execution.position > self.position:  # it ended in this very batch
            return True
        self.store.wait_applied(execution.position, None)
        return bool(self.storage.scan(c.MapRunContext, execution.id, limit=1))

    def children_of(self, execution: Execution, limit: int) -> list[str]:
        """Child executions of an ended execution that are still there, some of them."""
        self.store.wait_applied(self.position, None)
        after: tuple[Any, ...] | None = None
        while runs := self.storage.scan(c.MapRunContext, execution.id, after=after):
            for run in runs:
                rows = self.storage.scan(c.VisibilityContext, child_list(run.id), limit=limit)
                if rows:
                    return [row.execution_id for row in rows]
            after = (runs[-1].id,)
        return []

    def ended_child(self, execution_id: str) -> c.ExecutionContext | None:
        """The row of a child execution that ended before its map run was redriven; None, if somebody deleted it."""
        return self.storage.get(c.ExecutionContext, execution_id)

    def redrive_of(self, execution_id: str, child_id: str) -> r.RedriveExecutionCommand:
        """What runs a child execution of a map run on, once that runs on."""
        context = self.ended_child(execution_id)
        if context is None:
            return r.RedriveExecutionCommand(execution_id, 0, 0, 0, b"", child_id)
        problem = partial(quotas.redrive_problem, self.limits, now=self.clock.now())
        workflow = self.state.workflows.get(context.workflow_id)
        return redrive_command(self.storage, workflow, context, problem, child_id)

    def deleted(self, turn: Turn, execution_id: str) -> None:
        """An execution is gone."""
        turn.effects.append((self.state.deleted.discard, execution_id))

    def is_open(self, task_id: str) -> bool:
        """Whether a task wants an answer: a sibling's failure may have closed it in the turn that created it."""
        return task_id in self.state.task_owners or self.storage.get(c.TaskContext, task_id) is not None


def _give_arn(execution: Execution) -> str:
    execution.arn = arn_of(execution.workflow.name, execution.context)
    return execution.arn
