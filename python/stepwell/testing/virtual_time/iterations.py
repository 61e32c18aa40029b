"""Which iterations of Map states a task is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.engine.ids import activity_of
from stepwell.engine.storage.contexts import ActivityContext, ExecutionContext, IterationContext, TaskContext

if TYPE_CHECKING:
    from stepwell.engine.storage.storage import Storage
    from stepwell.tasks.calls import Call


def activities_around(storage: Storage, task_id: str) -> Iterator[ActivityContext]:
    """The state of a task and the states around it, the innermost first."""
    task = storage.get(TaskContext, task_id)
    activity = None if task is None else storage.get(ActivityContext, task.activity_id)
    while activity is not None:
        yield activity
        above = activity.parent_iteration_id or activity.parent_branch_id
        activity = None if above is None else storage.get(ActivityContext, activity_of(above))


def iteration_of(storage: Storage, call: Call) -> tuple[int | None, Any]:
    """The number and the input of the innermost iteration that a task is in; None: it is in none.

    A child of a Distributed Map is an iteration, too.
    """
    for activity in activities_around(storage, call.id):
        if activity.parent_iteration_id is not None:
            row = storage.get(IterationContext, activity.parent_iteration_id)
            return (None, None) if row is None else (row.index, loads(row.input))
    execution = storage.get(ExecutionContext, call.execution_id)
    if execution is None or execution.parent_iteration_id is None:
        return None, None
    return index_of(execution.parent_iteration_id), loads(execution.input)


def index_of(child_id: str) -> int:
    """The number of a child in its map run."""
    return int(child_id.rpartition("/c")[2])
