"""Which iteration of a Map state a task is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.engine.ids import activity_of
from stepwell.engine.storage.contexts import ActivityContext, ExecutionContext, IterationContext, TaskContext

if TYPE_CHECKING:
    from stepwell.engine.storage.storage import Storage
    from stepwell.tasks.calls import Call


def iteration_of(storage: Storage, call: Call) -> tuple[int | None, Any]:
    """The number and the input of the innermost iteration that a task is in; None: it is in none.

    A child of a Distributed Map is an iteration, too.
    """
    task = storage.get(TaskContext, call.id)
    activity = None if task is None else storage.get(ActivityContext, task.activity_id)
    while activity is not None:
        if activity.parent_iteration_id is not None:
            row = storage.get(IterationContext, activity.parent_iteration_id)
            return (None, None) if row is None else (row.index, loads(row.input))
        if activity.parent_branch_id is None:
            break
        activity = storage.get(ActivityContext, activity_of(activity.parent_branch_id))
    execution = storage.get(ExecutionContext, call.execution_id)
    if execution is None or execution.parent_iteration_id is None:
        return None, None
    return index_of(execution.parent_iteration_id), loads(execution.input)


def index_of(child_id: str) -> int:
    """The number of a child in its map run."""
    return int(child_id.rpartition("/c")[2])
