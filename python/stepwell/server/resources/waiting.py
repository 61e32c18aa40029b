"""Tasks that wait for a result: whose, since when, for whom; and the activities whose workers poll."""

from __future__ import annotations

from itertools import islice
from typing import Any

from stepwell.engine.arns import activity_arn
from stepwell.engine.client.queries import workflow_name
from stepwell.engine.ids import execution_of, short_id
from stepwell.engine.state.map_run import READ_ITEMS, WRITE_RESULTS
from stepwell.engine.state.timers import RETRY
from stepwell.engine.storage.contexts import (
    ActivityContext,
    BranchContext,
    ExecutionContext,
    IterationContext,
    QueueContext,
    TaskContext,
    TimerContext,
    tag_of,
)
from stepwell.engine.storage.storage import Storage
from stepwell.step_functions import errors
from stepwell.step_functions.service import Service

from .executions import task_item
from .query import Query

PAGE, MOST = 100, 500
LOOKED_AT = 5000
"""So many tasks are looked at for one page."""
QUEUED = 1000
"""So many waiting tasks of an activity are counted; of more, it is said that there are more."""
ACTIVITIES = 200
_NAME = "GET /stepwell/waiting"
_OF_MAP_RUNS = (READ_ITEMS, WRITE_RESULTS)
INPUT_CHARACTERS = 2000
"""So much of a task's input is shown in the list."""


def waiting(service: Service, _: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """A page of open tasks, the oldest first, of all resources or of one."""
    resource, storage = query.text("resource"), service.client.host.storage
    service.client.host.check()
    limit = max(1, query.number("limit", PAGE, MOST))
    after = service.pages.read(_NAME, [resource], query.text("next"))
    tasks: list[TaskContext] = []
    found = storage.scan(TaskContext, after=None if after is None else (after,), limit=LOOKED_AT)
    last = None
    for task in found:
        if len(tasks) == limit:
            break
        last = task.id
        if task.resource not in _OF_MAP_RUNS and resource in (None, task.resource):
            tasks.append(task)
    items = [item for task in tasks if (item := _item(service, task, is_read_only=is_read_only)) is not None]
    answer: dict[str, Any] = {"tasks": items}
    has_more = len(found) == LOOKED_AT or (bool(found) and last != found[-1].id)
    return answer | {"next": service.pages.make(_NAME, [resource], last)} if has_more and last else answer


def _item(service: Service, task: TaskContext, *, is_read_only: bool) -> dict[str, Any] | None:
    """A task with the state and the execution that wait for it; None if they have gone on meanwhile."""
    found = _waiting_state(service, task.activity_id, task.execution_id)
    if found is None:
        return None
    _, item = found
    text = task.input[:INPUT_CHARACTERS].decode(errors="replace")
    return {**task_item(task, is_read_only=is_read_only), **item, "input": text}


def _waiting_state(service: Service, activity: str, execution: str) -> tuple[ActivityContext, dict[str, Any]] | None:
    """A state that waits, and what lists say of it and its execution; None if it has gone on meanwhile."""
    storage = service.client.host.storage
    state, context = storage.get(ActivityContext, activity), storage.get(ExecutionContext, execution)
    if state is None or context is None:
        return None
    return state, {
        "state": state.state_name,
        "execution": short_id(context.id),
        "executionName": context.name,
        "workflow": workflow_name(context),
    }


def retries(service: Service, _: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """States that wait to be tried again, the next ones first: of the next timers, those that are for retries."""
    service.client.host.check()
    storage = service.client.host.storage
    limit = max(1, query.number("limit", PAGE, MOST))
    due = (timer for timer in storage.scan(TimerContext, limit=LOOKED_AT) if timer.kind == RETRY)
    items: list[dict[str, Any]] = []
    for timer in islice(due, limit):
        found = _waiting_state(service, timer.target, timer.execution_id)
        if found is None:
            continue
        activity, item = found
        times = {"attempt": activity.attempt, "retryDate": errors.date(timer.due)}
        items.append({**item, **times, **_last_failure(service, activity)})
    return {"retries": items}


def _last_failure(service: Service, activity: ActivityContext) -> dict[str, str]:
    """The error and the cause of the last failed attempt of a state that is tried again: its last event tells them."""
    execution = execution_of(activity.id)
    last = _last_event(service.client.host.storage, activity, execution)
    if last < 1:
        return {}
    events = service.client.queries.history(execution, 1, after=last - 1)
    found = [value for event in events for name, value in event.items() if name.endswith("EventDetails")]
    details: dict[str, Any] = found[0] if found else {}
    return {key: details[key] for key in ("error", "cause") if details.get(key) is not None}


def _last_event(storage: Storage, activity: ActivityContext, execution: str) -> int:
    """The number of the last event of the branch, the iteration or the execution that a state is in."""
    if activity.parent_branch_id is not None:
        branch = storage.get(BranchContext, activity.parent_branch_id)
        return 0 if branch is None else branch.last_event
    if activity.parent_iteration_id is not None:
        iteration = storage.get(IterationContext, activity.parent_iteration_id)
        return 0 if iteration is None else iteration.last_event
    context = storage.get(ExecutionContext, execution)
    return 0 if context is None else context.previous_event


def activities(service: Service, _: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """Activities, with the tasks that wait for a worker and the workers that wait for a task."""
    client = service.client
    client.host.check()
    items: list[dict[str, Any]] = []
    for row in client.resources.activities(None, ACTIVITIES):
        arn = activity_arn(row.name)
        queued = len(client.host.storage.rows.scan(tag_of(QueueContext), (arn,), None, QUEUED + 1))
        items.append(
            {
                "name": row.name,
                "activityArn": arn,
                "queued": min(queued, QUEUED),
                "hasMore": queued > QUEUED,
                "pollers": client.polls.pollers(arn),
            }
        )
    return {"activities": items}
