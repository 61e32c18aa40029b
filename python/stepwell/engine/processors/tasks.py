"""Tasks: created, activated, kept alive, completed, failed."""

from __future__ import annotations

from stepwell.asl.errors import AslError
from stepwell.asl.resources import parse_resource
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    ActivateTaskCommand,
    CancelTimerCommand,
    CompleteTaskCommand,
    CreateTaskCommand,
    CreateTimerCommand,
    FailTaskCommand,
    HeartbeatTaskCommand,
    SubmitTaskCommand,
)
from stepwell.engine.processors.state_types.by_type import TASK
from stepwell.engine.processors.state_types.distributed_map import DISTRIBUTED, fail_run, fail_run_of
from stepwell.engine.state.execution import Activity, is_map, is_task
from stepwell.engine.state.timers import HEARTBEAT
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import RUNNING
from stepwell.engine.storage.contexts import TaskContext

from .cancellations import abandon
from .failures import Failure, fail, failure_of
from .follow_ups import Items, item

CLOSED = "the task is not open"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TIMEOUT = "States.Timeout"
_Answer = ActivateTaskCommand | SubmitTaskCommand | CompleteTaskCommand | FailTaskCommand


def accept_create(turn: Turn, command: CreateTaskCommand) -> str | None:
    execution = turn.execution
    activity = execution.activities.get(command.activity_id) if execution is not None else None
    if execution is None or activity is None or activity.level.status != RUNNING:
        return "its state is not running"
    if command.credentials is not None:
        turn.hold(command.credentials)
    if activity.map_run is None:  # a map run's own tasks have no history events
        command.event = execution.context.last_event + 1
        command.previous = activity.level.previous_event
    return None


def created(turn: Turn, command: CreateTaskCommand, document: Document) -> Items:
    if command.queue:
        turn.effects.append((turn.services.queued, command.queue))
    return []


def accept_activate(turn: Turn, command: ActivateTaskCommand) -> str | None:
    task = turn.execution.tasks.get(command.id) if turn.execution is not None else None
    if task is None:
        return CLOSED
    return "the task was handed out before" if task.status != "Created" else _accepted(turn, command, task)


def accept_submit(turn: Turn, command: SubmitTaskCommand) -> str | None:
    task = _open_task(turn, command.id)
    if task is None:
        return CLOSED
    return "its call was answered before" if task.status == "Submitted" else _accepted(turn, command, task)


def accept_complete(turn: Turn, command: CompleteTaskCommand) -> str | None:
    task = turn.execution.tasks.get(command.id) if turn.execution is not None else None
    return CLOSED if task is None else _accepted(turn, command, task)


def accept_fail(turn: Turn, command: FailTaskCommand) -> str | None:
    task = _open_task(turn, command.id)
    if task is None:
        return CLOSED
    turn.hold(command.error, command.cause)
    if command.timed_out:
        abandon(turn, task)
    return _accepted(turn, command, task)


def _open_task(turn: Turn, id: str) -> TaskContext | None:
    return turn.execution.tasks.get(id) if turn.execution is not None else None


def _accepted(turn: Turn, command: _Answer, task: TaskContext) -> None:
    execution = turn.execution
    assert execution is not None
    activity = execution.activities[task.activity_id]
    turn.task, turn.activity = task, activity
    if activity.map_run is None:
        command.event = execution.context.last_event + 1
        command.previous = activity.level.previous_event


def activated(turn: Turn, command: ActivateTaskCommand, document: Document) -> Items:
    task = turn.task
    turn.services.activated(turn, task)
    if not task.heartbeat_seconds or parse_resource(task.resource).kind != "activity":
        return []
    return _begin_heartbeats(turn, task)


def submitted(turn: Turn, command: SubmitTaskCommand, document: Document) -> Items:
    return _begin_heartbeats(turn, turn.task)


def _begin_heartbeats(turn: Turn, task: TaskContext) -> Items:
    """The token has been handed out: heartbeats are expected from now on (AWS's guide, connect-lambda, state-task)."""
    if not task.heartbeat_seconds or task.heartbeat_due:
        return []
    return [item(CreateTimerCommand(task.id, HEARTBEAT, turn.now + task.heartbeat_seconds * 1_000_000))]


def completed(turn: Turn, command: CompleteTaskCommand, document: Document) -> Items:
    activity = turn.activity
    if activity.map_run is not None:
        return _answered(turn, activity, turn.task.input, document)
    try:
        assert is_task(activity)
        return TASK.finish(turn, activity, document)
    except AslError as error:
        return fail(turn, activity, failure_of(activity, error))


def _answered(turn: Turn, activity: Activity, asked: bytes, document: Document) -> Items:
    try:
        assert is_map(activity)
        return DISTRIBUTED.answered(turn, activity, asked, document)
    except AslError as error:
        return fail_run_of(turn, activity, error)


def failed(turn: Turn, command: FailTaskCommand, document: Document) -> Items:
    activity = turn.activity
    if activity.map_run is not None:
        return fail_run(turn, activity, Failure(command.error, command.cause))
    missed = command.timed_out and command.error == HEARTBEAT_TIMEOUT
    # Retriers match a missed heartbeat by its own name too; it is reported as a timeout (ASL A6).
    error = TIMEOUT if missed else command.error
    return fail(turn, activity, Failure(error, command.cause, heartbeat=missed))


def accept_heartbeat(turn: Turn, command: HeartbeatTaskCommand) -> str | None:
    execution = turn.execution
    task = execution.tasks.get(command.id) if execution is not None else None
    if task is None:
        return CLOSED
    command.due = turn.now + task.heartbeat_seconds * 1_000_000
    turn.task = task
    return None


def kept_alive(turn: Turn, command: HeartbeatTaskCommand, document: Document) -> Items:
    task = turn.task
    if not task.heartbeat_due:
        return []
    return [
        item(CancelTimerCommand(task.id, HEARTBEAT, task.heartbeat_due)),
        item(CreateTimerCommand(task.id, HEARTBEAT, command.due)),
    ]
