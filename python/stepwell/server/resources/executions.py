"""Executions: a page of them, one with the states that it is in, its events, its end by deletion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepwell.asl.json import is_object, loads
from stepwell.engine.arns import arn_of
from stepwell.engine.client import commands
from stepwell.engine.client.history import without_data
from stepwell.engine.client.open_tasks import activities_in
from stepwell.engine.client.queries import Queries, workflow_name, workflow_version
from stepwell.engine.ids import execution_of, short_id
from stepwell.engine.state.timers import RETRY
from stepwell.engine.status import AWS_ENDED, aws_status
from stepwell.engine.storage.contexts import ActivityContext, ExecutionContext, TaskContext, VisibilityContext
from stepwell.errors import StepwellError
from stepwell.step_functions import errors
from stepwell.step_functions.service import Service
from stepwell.step_functions.shapes import described

from .query import Query

PAGE, MOST = 50, 500
STATES = 500
"""So many of the states that an execution is in are shown: a Map may have thousands of iterations."""
EVENTS = 1000
_ALL = ("RUNNING", *AWS_ENDED)
_NAME = "GET /stepwell/executions"


def executions(service: Service, _: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """A page of executions, the newest first, filtered."""
    workflow, statuses, prefix = query.text("workflow"), query.texts("status"), query.text("prefix")
    after, before = query.time("after"), query.time("before")
    filters = [workflow, statuses, prefix]  # a list goes on where it was, whatever "the last hour" is by now
    token = query.text("next")
    position = service.pages.read(_NAME, filters, token)
    queries = service.client.queries
    found = queries.page(
        workflow,
        status=statuses or _ALL,
        name_prefix=prefix,
        started_after=after,
        started_before=before,
        limit=max(1, query.number("limit", PAGE, MOST)),
        behind=None if position is None else (position[0], position[1]),
    )
    items = [_listed(queries, row) for row in found.rows]
    if prefix and position is None:
        exact = [each for each in _named(queries, workflow, prefix) if each["id"] not in {item["id"] for item in items}]
        items = exact + items
    answer: dict[str, Any] = {"executions": items}
    if found.position is not None:
        answer["next"] = service.pages.make(_NAME, filters, found.position)
        answer["searchedTo"] = errors.date(-found.position[0])
    return answer


def _listed(queries: Queries, row: VisibilityContext) -> dict[str, Any]:
    type = queries.workflow_of(f"{row.workflow}:{row.version}").context.type
    return {
        "id": short_id(row.execution_id),
        "arn": arn_of(row.workflow, type, row.name, row.execution_id),
        "workflow": row.workflow,
        "version": row.version,
        "status": aws_status(row.status, timed_out=row.timed_out),
        **_life(row),
    }


def _named(queries: Queries, workflow: str | None, text: str) -> Iterable[dict[str, Any]]:
    """The execution whose id, ARN or whole name was asked for, if there is one: no list is read for it."""
    try:
        context = queries.context(text) if workflow is None or "/" in text else queries.find(None, workflow, text)
    except StepwellError:
        return []
    return [_summary(queries, context)]


def _summary(queries: Queries, context: ExecutionContext) -> dict[str, Any]:
    return {
        "id": short_id(context.id),
        "arn": queries.arn(context),
        "workflow": workflow_name(context),
        "version": workflow_version(context),
        "status": queries.aws_status(context),
        **_life(context),
    }


def _life(row: VisibilityContext | ExecutionContext) -> dict[str, Any]:
    """What an execution's row in a list and its own row say alike."""
    life = {"name": row.name, "startDate": errors.date(row.started_at), "redriveCount": row.redrive_count}
    return life | {"stopDate": errors.date(row.stopped_at)} if row.stopped_at else life


def execution(service: Service, ids: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """All of one execution but its events: DescribeExecution's answer, and what AWS does not tell."""
    client = service.client
    queries, storage = client.queries, client.host.storage
    context = queries.context(ids[0])
    shown = described(client, context, with_data=True)
    shown |= _summary(queries, context) | {"type": context.type, "lastEvent": context.last_event}
    shown["definition"] = queries.workflow_of(context.workflow_id).context.definition.decode()
    if context.parent_iteration_id is not None:  # a child runs a part of it
        shown["processor"] = queries.workflow_of(context.workflow_id).id.partition("/")[2]
    if context.variables:
        shown["variables"] = context.variables.decode()
    above = _above(queries, context)
    if above is not None:
        shown["parent"] = _summary(queries, above)
    states: list[dict[str, Any]] = []
    for activity in activities_in(storage, context.id):
        if len(states) == STATES:
            shown["hasMoreStates"] = True
            break
        task = None if activity.task_id is None else storage.get(TaskContext, activity.task_id)
        states.append(_state(activity, task, is_read_only=is_read_only))
    return shown | {"states": states}


def _above(queries: Queries, context: ExecutionContext) -> ExecutionContext | None:
    """The execution that started another one, unless it was deleted."""
    child = context.parent_iteration_id
    id = context.started_by if child is None else execution_of(child)
    try:
        return None if id is None else queries.context(id)
    except StepwellError:
        return None


def _state(activity: ActivityContext, task: TaskContext | None, *, is_read_only: bool) -> dict[str, Any]:
    """A state that an execution is in: since when, which attempt, what it waits for."""
    state: dict[str, Any] = {
        "name": activity.state_name,
        "enteredEvent": activity.entered_event,
        "enteredDate": errors.date(activity.entered_at),
        "attempt": activity.attempt,
    }
    if activity.timer_due:
        state["retryDate" if activity.timer_kind == RETRY else "timerDate"] = errors.date(activity.timer_due)
    if task is not None:
        state["task"] = task_item(task, is_read_only=is_read_only)
    return state


def task_item(task: TaskContext, *, is_read_only: bool) -> dict[str, Any]:
    """An open task. Whoever may not answer it does not get its token."""
    item: dict[str, Any] = {
        "id": task.id,
        "resource": task.resource,
        "status": task.status,
        "attempt": task.attempt,
        "createdDate": errors.date(task.created_at),
        "canBeAnswered": task.token is not None,
    }
    times = (("timeoutDate", task.timeout_due), ("heartbeatDate", task.heartbeat_due))
    item |= {name: errors.date(due) for name, due in times if due}
    if task.worker is not None:
        item["worker"] = task.worker
    if task.token is not None and not is_read_only:
        item["token"] = task.token
    return item


def events(service: Service, ids: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """Events after a number, in GetExecutionHistory's shape; without their data unless ``data=1``."""
    limit = max(1, query.number("limit", EVENTS, EVENTS))
    after = query.number("after", 0, 1 << 40)
    found = service.client.queries.history(ids[0], limit, after=after)
    return {"events": [_event(event, with_data=query.flag("data")) for event in found]}


def _event(event: dict[str, Any], *, with_data: bool) -> dict[str, Any]:
    shown = {**event, "timestamp": errors.date(round(event["timestamp"] * 1_000_000))}
    child = _started(event)
    if child is not None:
        shown["child"] = child
    return shown if with_data else without_data(shown)


def _started(event: dict[str, Any]) -> str | None:
    """The execution that a task has started, as the output of its call says."""
    details: dict[str, Any] = event.get("taskSubmittedEventDetails") or event.get("taskSucceededEventDetails") or {}
    if details.get("resourceType") not in ("states", "aws-sdk:sfn"):
        return None
    text: str = details.get("output") or "null"
    output = loads(text.encode())
    arn = output.get("ExecutionArn") if is_object(output) else None
    return arn if isinstance(arn, str) else None


async def delete(service: Service, ids: list[str]) -> dict[str, Any]:
    """Remove an execution that has ended, with its history."""
    await service.ask(commands.delete(service.client.queries.context(ids[0]).id))
    return {}
