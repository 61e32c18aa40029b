"""Executions: started, completed, canceled, deleted, redriven."""

from __future__ import annotations

from stepwell.engine.ids import idempotency_key
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CancelExecutionCommand,
    CompleteExecutionCommand,
    DeleteExecutionCommand,
    StartExecutionCommand,
)
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.timers import RETENTION
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import CANCELED, CANCELING, COMPLETING, DELETING, PENDING, RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import (
    REMOVE_EXECUTION,
    REMOVE_NAME,
    ExecutionContext,
    IdempotencyContext,
)

from .removal import reap
from .timers import drop_timer
from .visibility import change_status, create_visibility, drop_visibility


def start_execution(turn: Turn, command: StartExecutionCommand, document: Document) -> None:
    state = turn.state
    workflow = state.workflows.get(command.workflow_id)
    context = ExecutionContext(  # more keywords would be collected in a dictionary first
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
        started_by=command.started_by,
        qualifier=command.qualifier,
        trace_header=command.trace_header,
    )
    execution = turn.execution = LiveExecution(context, workflow, document)
    state.executions[command.id] = execution
    turn.create(command.id, execution)
    create_visibility(turn, execution)
    if command.idempotent:
        key = idempotency_key(command.id, workflow.name, command.name)
        state.names[key] = command.id
        turn.put("idempotency", IdempotencyContext(key, command.id))


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
        if not command.leaves_name:
            _free_name(turn, execution)
        change_status(turn, execution, DELETING)
    if not command.remains:
        _drop_execution(turn, execution)


def forget_retention(turn: Turn, execution: LiveExecution) -> None:
    """The retention timer is not needed any more."""
    context = execution.context
    if context.delete_at:
        drop_timer(turn, RETENTION, execution.id, context.delete_at)
        context.delete_at = 0


def _free_name(turn: Turn, execution: LiveExecution) -> None:
    if execution.context.idempotent:
        key = idempotency_key(execution.id, execution.workflow.name, execution.context.name)
        turn.changes["idempotency"] = (REMOVE_NAME, key)
        turn.state.names.pop(key, None)


def _drop_execution(turn: Turn, execution: LiveExecution) -> None:
    """Remove all of its rows, also those of this turn. Memory notes the deletion until storage has it."""
    drop_visibility(turn, execution)
    turn.changes.pop(execution.id, None)
    turn.changes[execution.id] = (REMOVE_EXECUTION, execution.id)  # at the end, after all that it removes
    turn.state.executions.pop(execution.id, None)
    turn.state.deleted.add(execution.id)
    turn.execution = None
