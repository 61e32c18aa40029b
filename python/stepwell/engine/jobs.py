"""Jobs: tasks that wait for an execution that they have started."""

from __future__ import annotations

from stepwell.asl.json import loads
from stepwell.errors import InvalidInput
from stepwell.tasks.integrations.nested import target_of

from .appliers.executions import idempotency_key
from .contexts import IdempotencyContext, TaskContext
from .state import PartitionState
from .storage import Storage


def child_of(task: TaskContext, state: PartitionState, storage: Storage) -> str | None:
    """The execution that a task has started, if it did."""
    execution_id = task.activity_id.rpartition("/")[0]
    try:
        target = target_of(loads(task.input), execution_id, task.id)
    except (InvalidInput, ValueError):
        return None
    key = idempotency_key(execution_id, target.workflow, target.name)
    row = storage.get(IdempotencyContext, key)
    return state.names.get(key) or (row.execution_id if row is not None else None)
