"""The live executions of a partition: loaded from storage when needed, unloaded when memory is short."""

from __future__ import annotations

from collections.abc import Container, Sequence

from stepwell.engine.ids import idempotency_key
from stepwell.engine.limits import Limits
from stepwell.engine.storage import contexts as c
from stepwell.engine.storage.storage import Storage, decode_tree

from .execution import LiveExecution
from .partition_state import LARGE, PartitionState
from .restore import load
from .unloading import first_to_leave


class Executions:
    """Loads and unloads live executions. Nothing else does."""

    def __init__(self, storage: Storage, state: PartitionState, limits: Limits) -> None:
        self.storage, self.state, self._limits = storage, state, limits
        self._found: c.TaskContext | None = None
        """The task that was read last to find its execution, which is loaded next."""

    @classmethod
    def over(cls, storage: Storage, limits: Limits) -> Executions:
        """The executions of a storage, with memory of their own."""
        return cls(storage, PartitionState.over(storage, limits.timers), limits)

    def get(self, id: str) -> LiveExecution | None:
        """An execution, from memory or loaded from storage; None if it does not exist."""
        execution = self.state.executions.get(id)
        if execution is None:
            text = self.storage.rows.load(id) if id not in self.state.deleted else b""
            rows = decode_tree(text) if text else ()
            found, self._found = self._found, None
            if not rows:
                return None
            execution = self._loaded(rows, found, len(text))
            self.state.executions[id] = execution
        return execution

    def _loaded(self, rows: Sequence[c.Context], found: c.TaskContext | None, size: int) -> LiveExecution:
        """The execution of these rows, which have ``size`` bytes; ``found`` may be one of its tasks."""
        root = rows[0]
        assert isinstance(root, c.ExecutionContext)
        tasks: list[c.TaskContext] = []
        for row in rows:
            if isinstance(row, c.ActivityContext) and row.task_id is not None:
                is_found = found is not None and found.id == row.task_id
                task = found if is_found else self.storage.get(c.TaskContext, row.task_id)
                if task is not None:
                    tasks.append(task)
                    size += len(task.input)
        execution = load(rows, self.state.workflows.get(root.workflow_id), tasks)
        self.state.task_owners.update((task.id, execution.id) for task in tasks)
        if size >= LARGE:
            self.state.weigh(execution)
        else:
            execution.grown = size
        return execution

    def is_task_open(self, task_id: str) -> bool:
        """Whether a task has no result yet. A sibling's failure may have closed it in the turn that created it."""
        return task_id in self.state.task_owners or self.storage.get(c.TaskContext, task_id) is not None

    def owner_of_task(self, task_id: str) -> str | None:
        """The execution of an open task; None for a task that is closed."""
        owner = self.state.task_owners.get(task_id)
        if owner is not None:
            return owner
        self._found = task = self.storage.get(c.TaskContext, task_id)
        return task.activity_id.rpartition("/")[0] if task is not None else None

    def named(self, key: str) -> str | None:
        """The execution that was started last under a name, by its idempotency key."""
        known = self.state.names.get(key)
        if known is not None:
            return known
        row = self.storage.get(c.IdempotencyContext, key)
        return row.execution_id if row is not None else None

    # memory

    def exceeds_memory(self) -> bool:
        """Whether memory has more or larger live executions than the limits allow."""
        state, limits = self.state, self._limits
        return len(state.executions) > limits.live_executions or state.weight > limits.live_bytes

    def evict(self, applied: int, unfinished: Container[str]) -> None:
        """Unload executions that rest, until memory is below the limits.

        Only executions are unloaded that storage has completely, up to the position ``applied``, and that are not
        ``unfinished``.
        """
        state, limits = self.state, self._limits
        live = state.executions
        if len(live) > limits.live_executions:
            resting = [each for each in live.values() if each.position <= applied and each.id not in unfinished]
            self._unload(first_to_leave(resting, len(live) - limits.live_executions * 3 // 4))
        if state.weight > limits.live_bytes:
            large = [live[id] for id in state.reweigh()]
            self._lighten([each for each in large if each.position <= applied and each.id not in unfinished])

    def _lighten(self, large: list[LiveExecution]) -> None:
        """Unload large executions until those that are live are below their limit."""
        state, most = self.state, self._limits.live_bytes
        while large and state.weight > most * 3 // 4:
            excess = state.weight - most * 3 // 4
            leaving = first_to_leave(large, max(1, len(large) * excess // state.weight))
            self._unload(leaving)
            large = [each for each in large if each.id in state.executions]

    def _unload(self, leaving: list[LiveExecution]) -> None:
        for execution in leaving:
            self.state.unload(execution.id)
            self.forget_name(execution)

    def remove_ended(self, execution: LiveExecution) -> None:
        """Drop an execution that has ended, once storage has it."""
        self.state.executions.pop(execution.id, None)
        self.forget_name(execution)

    def forget_name(self, execution: LiveExecution) -> None:
        """Drop the name of an execution that is not live: storage has it."""
        context = execution.context
        if context.idempotent:
            self.state.names.pop(idempotency_key(context.id, execution.workflow.name, context.name), None)
