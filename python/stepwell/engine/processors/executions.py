"""Executions: started, completed, canceled, deleted."""

from __future__ import annotations

from stepwell.engine.ids import idempotency_key
from stepwell.engine.log.document import Document, compact
from stepwell.engine.log.records import (
    CancelExecutionCommand,
    CompleteExecutionCommand,
    CreateTimerCommand,
    DeleteExecutionCommand,
    StartExecutionCommand,
)
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.timers import EXECUTION_TIMEOUT, RETENTION, START
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import CANCELED, CANCELING, COMPLETING, DELETING, OVER, PENDING, RUNNING

from .cancellations import abandon, cancel_map_runs
from .follow_ups import Items, item, start_state
from .map_runs import cancel_children, report_to_parent, running_children
from .workflows import finish_deletion

SECOND = 1_000_000
SHORT_HISTORY = 1000
"""An execution with more events is not deleted at once: it is ``Deleting`` first."""
CHUNK = 64
"""How many child executions are deleted at a time."""


def accept_start(turn: Turn, command: StartExecutionCommand) -> str | None:
    if turn.execution is not None:
        return "the execution was started before"
    if command.parent_iteration_id is None and not turn.state.workflows.has(command.workflow_id):
        return turn.state.workflows.why_gone(command.workflow_id)
    return None


def started(turn: Turn, command: StartExecutionCommand, document: Document) -> Items:
    if command.start_at:
        return [item(CreateTimerCommand(command.id, START, command.start_at))]
    return begin(turn, document)


def begin(turn: Turn, document: Document) -> Items:
    """Enter the first state."""
    execution = turn.execution
    assert execution is not None
    machine = execution.machine
    if execution.context.parent_iteration_id is None:  # the engine itself writes the inputs of children
        document = compact(document)
    seconds = turn.services.longest_seconds(execution.context.type, machine.timeout_seconds)
    if seconds is not None:
        due = turn.now + seconds * SECOND
        turn.at_rest = item(CreateTimerCommand(execution.id, EXECUTION_TIMEOUT, due))
    return [start_state(execution, machine.start_at, document)]


def accept_complete(turn: Turn, command: CompleteExecutionCommand) -> str | None:
    execution = turn.execution
    if execution is None or execution.status not in (RUNNING, COMPLETING, CANCELING, PENDING):
        return "the execution is not running"
    if execution.status == CANCELING and command.status != CANCELED:
        return "the execution is being canceled"
    if command.cause is not None:
        turn.hold(command.cause)
    command.event = execution.context.last_event + 1
    # Timeouts and stops follow no event of a state (ASL A1.3).
    command.previous = 0 if command.status == CANCELED else execution.previous_event
    for task in execution.tasks.values():
        abandon(turn, task)
    turn.map_runs = [activity.map_run for activity in execution.activities.values() if activity.map_run is not None]
    return None


def completed(turn: Turn, command: CompleteExecutionCommand, document: Document) -> Items:
    assert turn.execution is not None
    turn.services.ended(turn, turn.execution)
    for run in turn.map_runs:
        cancel_children(turn, running_children(run))
    report_to_parent(turn, turn.execution, document)
    retention = turn.services.retention_of(turn.execution)
    return [] if retention is None else [item(CreateTimerCommand(command.id, RETENTION, turn.now + retention))]


def accept_cancel(turn: Turn, command: CancelExecutionCommand) -> str | None:
    execution = turn.execution
    if execution is None or execution.status not in (RUNNING, PENDING):
        return "the execution is not running"
    turn.hold(command.error, command.cause)
    return None


def canceled(turn: Turn, command: CancelExecutionCommand, document: Document) -> Items:
    assert turn.execution is not None
    return [
        *cancel_map_runs(turn.execution),
        item(
            CompleteExecutionCommand(
                command.id,
                status=CANCELED,
                output=None,
                error=command.error,
                cause=command.cause,
                event=0,
                previous=0,
                timed_out=command.timed_out,
            )
        ),
    ]


def accept_delete(turn: Turn, command: DeleteExecutionCommand) -> str | None:
    execution = turn.execution
    if execution is None or execution.status not in OVER:
        return "the execution has not ended"
    turn.children = []
    if execution.status == DELETING:
        turn.children = turn.services.children_of(execution, CHUNK)
        command.remains = bool(turn.children)
    else:
        command.remains = execution.context.last_event > SHORT_HISTORY or _may_have_children(turn, execution)
        command.leaves_name = _has_lost_name(turn, execution)
    if not command.remains:
        finish_deletion(turn, execution.workflow)
    return None


def _has_lost_name(turn: Turn, execution: LiveExecution) -> bool:
    workflow = execution.workflow
    if not execution.context.idempotent or turn.state.workflows.is_current(workflow.context.name, workflow.version):
        return False
    key = idempotency_key(execution.id, workflow.name, execution.context.name)
    return turn.services.named(key) != execution.id


def _may_have_children(turn: Turn, execution: LiveExecution) -> bool:
    states = execution.machine.by_name.values()
    return any(state.distributed for state in states) and turn.services.had_map_runs(execution)


def deleted(turn: Turn, command: DeleteExecutionCommand, document: Document) -> Items:
    """A large execution is deleted in steps: some children at a time, then itself. A timer starts each step."""
    execution = turn.execution
    if execution is None:
        turn.services.deleted(turn, command.id)
        return []
    for child in turn.children:
        turn.send(child, DeleteExecutionCommand(child))
    return [] if execution.context.delete_at else [item(CreateTimerCommand(execution.id, RETENTION, turn.now))]
