"""Open tasks: those that wait for a result, of one execution or of all."""

from __future__ import annotations

from collections.abc import Iterator

from stepwell.engine.state.map_run import READ_ITEMS, WRITE_RESULTS
from stepwell.engine.storage.contexts import ActivityContext, TaskContext
from stepwell.engine.storage.storage import Storage

_PAGE = 256
_OF_MAP_RUNS = (READ_ITEMS, WRITE_RESULTS)


def tasks_in(storage: Storage, execution_id: str, state: str | None = None) -> Iterator[TaskContext]:
    """The open tasks of an execution, or of one state of it, in the order in which their states were entered."""
    for activity in activities_in(storage, execution_id):
        if activity.task_id is None or state not in (None, activity.state_name):
            continue
        task = storage.get(TaskContext, activity.task_id)
        if task is not None and task.resource not in _OF_MAP_RUNS:
            yield task


def all_tasks(storage: Storage, state: str | None = None) -> Iterator[TaskContext]:
    """The open tasks of all executions, or those of states of one name, in the order of their ids."""
    after: tuple[str] | None = None
    while page := storage.scan(TaskContext, after=after, limit=_PAGE):
        for task in page:
            if task.resource not in _OF_MAP_RUNS and (state is None or _state_of(storage, task) == state):
                yield task
        after = (page[-1].id,)


def activities_in(storage: Storage, execution_id: str) -> Iterator[ActivityContext]:
    """The states that an execution is in."""
    after: tuple[str] | None = None
    while page := storage.scan(ActivityContext, execution_id, after=after, limit=_PAGE):
        yield from page
        after = (page[-1].id,)


def _state_of(storage: Storage, task: TaskContext) -> str | None:
    activity = storage.get(ActivityContext, task.activity_id)
    return None if activity is None else activity.state_name
