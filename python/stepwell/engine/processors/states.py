"""States: started, completed, retried."""

from __future__ import annotations

from stepwell.asl.errors import AslError
from stepwell.engine.ids import activity_id
from stepwell.engine.limits import check_document
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CompleteStateCommand,
    FailEvaluationCommand,
    RetryStateCommand,
    StartStateCommand,
)
from stepwell.engine.state.execution import Activity, LiveExecution
from stepwell.engine.state.history_events import has_exit_event
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import RUNNING, SUCCEEDED

from .cancellations import abandon
from .failures import fail, failure_of
from .follow_ups import Items, complete_level, start_state
from .state_types import by_type
from .workflows import end_for_deletion, is_being_deleted

GONE = "the state is not running"


def accept_start(turn: Turn, command: StartStateCommand) -> str | None:
    execution = turn.execution
    if execution is None or execution.status != RUNNING:
        return "the execution is not running"
    parent = command.parent_branch_id or command.parent_iteration_id
    level = execution if parent is None else execution.levels.get(parent)
    if level is None or level.status != RUNNING:
        return "its branch or iteration is not running"
    context = execution.context
    command.activity_id = activity_id(execution.id, context.last_activity + 1)
    command.event = context.last_event + 1
    command.previous = level.previous_event
    return None


def started(turn: Turn, command: StartStateCommand, document: Document) -> Items:
    assert turn.execution is not None
    return begin(turn, turn.execution.activities[command.activity_id])


def begin(turn: Turn, activity: Activity) -> Items:
    """Start an attempt of a state."""
    try:
        return by_type.PROCESSORS[activity.state.type].start(turn, activity)
    except AslError as error:
        return fail(turn, activity, failure_of(activity, error))


def accept_complete(turn: Turn, command: CompleteStateCommand) -> str | None:
    execution = turn.execution
    activity = execution.activities.get(command.activity_id) if execution is not None else None
    if execution is None or activity is None:
        return GONE
    level = activity.level
    if command.status == SUCCEEDED:
        if level.status != RUNNING:
            return GONE
    elif command.cause is not None:
        turn.hold(command.cause)
    if command.assigned is not None:
        check_document(f"What {command.state_name!r} assigns", command.assigned, turn.services.limits)
        turn.hold(command.assigned)
    turn.activity = activity
    if activity.task_id is not None:
        abandon(turn, execution.tasks[activity.task_id])
    if has_exit_event(activity.state.type, command.status, level is not execution):
        command.event = execution.context.last_event + 1
        command.previous = level.previous_event
    return None


def completed(turn: Turn, command: CompleteStateCommand, document: Document) -> Items:
    if command.status != SUCCEEDED:
        return []
    level = turn.activity.level
    if command.next is not None:
        if turn.state.workflows.deleting and is_being_deleted(turn, turn.activity.execution):
            return end_for_deletion(turn.activity.execution)
        return [start_state(level, command.next, document)]
    return complete_level(level, document)


def accept_running(turn: Turn, command: RetryStateCommand | FailEvaluationCommand) -> str | None:
    execution: LiveExecution | None = turn.execution
    activity = execution.activities.get(command.activity_id) if execution is not None else None
    if execution is None or activity is None:
        return GONE
    turn.hold(command.cause)
    if isinstance(command, FailEvaluationCommand):
        level = activity.level
        command.event = execution.context.last_event + 1
        fresh = level.previous_event == activity.entered_event
        command.previous = activity.entered_previous if fresh else level.previous_event
    return None
