"""Timers: what happens when one is due."""

from __future__ import annotations

from stepwell.asl.errors import AslError
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CancelExecutionCommand,
    CancelTimerCommand,
    CreateTimerCommand,
    DeleteExecutionCommand,
    FailTaskCommand,
    TriggerTimerCommand,
)
from stepwell.engine.state.execution import Activity, is_wait
from stepwell.engine.state.timers import EXECUTION_TIMEOUT, HEARTBEAT, RETENTION, RETRY, START, TASK_TIMEOUT, WAIT
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import PENDING

from . import executions, states
from .failures import fail, failure_of
from .follow_ups import Items, item
from .state_types import by_type
from .tasks import HEARTBEAT_TIMEOUT, TIMEOUT

GONE = "nobody waits for it"


def accept_create(turn: Turn, command: CreateTimerCommand) -> str | None:
    return None if _owner(turn, command.kind, command.target) else GONE


def created(turn: Turn, command: CreateTimerCommand, document: Document) -> Items:
    return []


def accept_end(turn: Turn, command: TriggerTimerCommand | CancelTimerCommand) -> str | None:
    return None if _due(turn, command.kind, command.target) == command.due else GONE


def canceled(turn: Turn, command: CancelTimerCommand, document: Document) -> Items:
    return []


def triggered(turn: Turn, command: TriggerTimerCommand, document: Document) -> Items:
    execution = turn.execution
    assert execution is not None
    kind, target = command.kind, command.target
    if kind == WAIT:
        return _resume(turn, execution.activities[target])
    if kind == RETRY:
        return states.begin(turn, execution.activities[target])
    if kind == START:
        return executions.begin(turn, execution.input)
    if kind == EXECUTION_TIMEOUT:
        return [item(CancelExecutionCommand(target, None, None, True))]
    if kind == RETENTION:
        return [item(DeleteExecutionCommand(target))]
    error = HEARTBEAT_TIMEOUT if kind == HEARTBEAT else TIMEOUT
    return [
        item(
            FailTaskCommand(
                target,
                resource=execution.tasks[target].resource,
                error=error,
                cause=None,
                timed_out=True,
                event=0,
                previous=0,
            )
        )
    ]


def _resume(turn: Turn, activity: Activity) -> Items:
    try:
        assert is_wait(activity)
        return by_type.WAIT.resume(turn, activity)
    except AslError as error:
        return fail(turn, activity, failure_of(activity, error))


def _owner(turn: Turn, kind: int, target: str) -> bool:
    execution = turn.execution
    if execution is None:
        return False
    if kind in (WAIT, RETRY):
        return target in execution.activities
    if kind in (TASK_TIMEOUT, HEARTBEAT):
        return target in execution.tasks
    return True


def _due(turn: Turn, kind: int, target: str) -> int:
    """The due time of the timer that ``target`` waits for; 0 if it waits for none."""
    execution = turn.execution
    if execution is None:
        return 0
    if kind in (WAIT, RETRY):
        activity = execution.activities.get(target)
        return activity.timer_due if activity is not None and activity.timer_kind == kind else 0
    if kind in (TASK_TIMEOUT, HEARTBEAT):
        task = execution.tasks.get(target)
        return 0 if task is None else task.timeout_due if kind == TASK_TIMEOUT else task.heartbeat_due
    if kind == START:
        return execution.context.start_at if execution.status == PENDING else 0
    if kind == RETENTION:
        return execution.context.delete_at
    return execution.context.timeout_due
