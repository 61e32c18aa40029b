"""Executions: started, completed, canceled, deleted, redriven."""

from __future__ import annotations

from ..contexts import ExecutionContext, IdempotencyContext, VisibilityContext
from ..documents import Document
from ..live import Activity, Execution, Iteration
from ..map_run import child_list, run_of
from ..records import (
    CancelExecutionCommand,
    CompleteExecutionCommand,
    DeleteExecutionCommand,
    StartExecutionCommand,
)
from ..status import CANCELED, CANCELING, COMPLETING, DELETING, PENDING, RUNNING, SUCCEEDED, transition
from ..timers import EXECUTION_TIMEOUT, RETENTION, START
from ..turn import Turn
from .map_runs import end_map_run
from .tasks import drop_task
from .timers import drop_timer


def idempotency_key(execution_id: str, workflow: str, name: str) -> str:
    """What a name given by a user is unique in: tenant, namespace and workflow."""
    tenant, namespace = execution_id.split("/")[1:3]
    return f"/{tenant}/{namespace}/{workflow}/{name}"


def start_execution(turn: Turn, command: StartExecutionCommand, document: Document) -> None:
    state = turn.state
    workflow = state.workflows.get(command.workflow_id)
    context = ExecutionContext(
        command.id,
        command.workflow_id,
        command.name,
        command.type,
        document.text,
        turn.timestamp,
        PENDING if command.start_at else RUNNING,
        turn.now,
        start_at=command.start_at,
        last_event=1,
        parent_iteration_id=command.parent_iteration_id,
        idempotent=command.idempotent,
        synchronous=command.synchronous,
    )
    execution = turn.execution = Execution(context, workflow, document)
    state.executions[command.id] = execution
    turn.create(command.id, execution)
    turn.create(f"visibility {execution.status}", visibility(execution))
    if command.idempotent:
        key = idempotency_key(command.id, workflow.name, command.name)
        state.names[key] = command.id
        turn.put("idempotency", IdempotencyContext(key, command.id))


def visibility(execution: Execution) -> VisibilityContext:
    """The execution's row in the list of its workflow; a child's, in that of its map run."""
    context = execution.context
    child_id = context.parent_iteration_id
    return VisibilityContext(
        execution.workflow.name if child_id is None else child_list(run_of(child_id)),
        execution.status,
        context.started_at,
        context.id,
        context.name,
        context.stopped_at,
    )


def change_status(turn: Turn, execution: Execution, *path: str) -> None:
    """Go along ``path`` in the table of statuses; the list of executions follows."""
    old = visibility(execution)
    for following in path:
        execution.status = transition(execution.status, following)
    turn.drop(f"visibility {old.status}", (-9, old.workflow, old.status, old.started_at, old.execution_id))
    turn.create(f"visibility {execution.status}", visibility(execution))
    turn.put(execution.id, execution)


def complete_execution(turn: Turn, command: CompleteExecutionCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    context = execution.context
    execution.output = document
    context.error, context.cause = command.error, command.cause
    context.timed_out = command.timed_out
    context.stopped_at = turn.now
    context.last_event = command.event
    execution.previous_event = command.event
    reap(turn, execution)
    change_status(turn, execution, *_way_to(execution.status, command.status))


def _way_to(current: str, end: str) -> tuple[str, ...]:
    if end == SUCCEEDED and current != COMPLETING:
        return (COMPLETING, SUCCEEDED)
    if end == CANCELED and current != CANCELING:
        return (CANCELING, CANCELED)
    return (end,)


def reap(turn: Turn, execution: Execution) -> None:
    """Take away whatever still runs or waits in an execution that ends."""
    for task in list(execution.tasks.values()):
        drop_task(turn, execution, task)
    for activity in list(execution.activities.values()):
        drop_activity(turn, activity)
    context = execution.context
    if context.timeout_due:
        drop_timer(turn, EXECUTION_TIMEOUT, execution.id, context.timeout_due)
        context.timeout_due = 0
    if context.start_at and not context.last_activity:  # it never began
        drop_timer(turn, START, execution.id, context.start_at)


def drop_activity(turn: Turn, activity: Activity) -> None:
    """Remove a state's rows: its own, its children's and its items'. A map run's items stay, for a redrive."""
    execution = activity.execution
    if activity.children is not None:
        drop_children(turn, activity)
    if activity.map_run is not None:
        end_map_run(turn, activity, CANCELED)
    if activity.timer_due:
        drop_timer(turn, activity.timer_kind, activity.id, activity.timer_due)
        activity.timer_due = 0
    execution.activities.pop(activity.id, None)
    if activity.level.current is activity:
        activity.level.current = None
    turn.drop(activity.id, (-2, activity.id))


def drop_children(turn: Turn, activity: Activity) -> None:
    """Remove the branches or iterations of a state, and the items that it went over."""
    if activity.children is None:
        return
    tag = -3 if activity.branch_status is not None else -4
    levels = activity.execution.levels
    for child in activity.children.values():
        entered = child.current
        if entered is not None:  # in the turn in which its branch or iteration was given up
            if entered.task_id is not None:
                drop_task(turn, activity.execution, activity.execution.tasks[entered.task_id])
            drop_activity(turn, entered)
        if isinstance(child, Iteration):
            activity.execution.iteration_bytes -= len(child.input.text)
        levels.pop(child.id, None)
        turn.drop(child.id, (tag, child.id))
    drop_items(turn, activity)
    activity.children = activity.branch_status = activity.iteration_status = None
    activity.output_bytes = 0


def drop_items(turn: Turn, activity: Activity) -> None:
    """Remove the items that a state went over, or those of a map run that has ended."""
    if activity.items is not None:
        turn.drop(f"{activity.id}#items", (-10, activity.id))
        activity.items = None


def cancel_execution(turn: Turn, command: CancelExecutionCommand, document: Document) -> None:
    assert turn.execution is not None
    turn.execution.context.error, turn.execution.context.cause = command.error, command.cause
    turn.execution.context.timed_out = command.timed_out
    change_status(turn, turn.execution, CANCELING)


def delete_execution(turn: Turn, command: DeleteExecutionCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    if execution.status != DELETING:
        forget_retention(turn, execution)
        _free_name(turn, execution)
        change_status(turn, execution, DELETING)
    if not command.remains:
        _drop_execution(turn, execution)


def forget_retention(turn: Turn, execution: Execution) -> None:
    """The execution is deleted now, or not at all."""
    context = execution.context
    if context.delete_at:
        drop_timer(turn, RETENTION, execution.id, context.delete_at)
        context.delete_at = 0


def _free_name(turn: Turn, execution: Execution) -> None:
    if execution.context.idempotent:
        key = idempotency_key(execution.id, execution.workflow.name, execution.context.name)
        turn.changes["idempotency"] = (-8, key)
        turn.state.names.pop(key, None)


def _drop_execution(turn: Turn, execution: Execution) -> None:
    """Remove all of its rows, those of this turn too. Memory knows that it is gone until storage does."""
    row = visibility(execution)
    turn.drop(f"visibility {row.status}", (-9, row.workflow, row.status, row.started_at, row.execution_id))
    turn.changes.pop(execution.id, None)
    turn.changes[execution.id] = (-100, execution.id)  # at the end, behind all that it is to remove
    turn.state.executions.pop(execution.id, None)
    turn.state.deleted.add(execution.id)
    turn.execution = None
