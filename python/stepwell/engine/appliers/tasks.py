"""Tasks: created, activated, kept alive, answered."""

from __future__ import annotations

from stepwell.engine.ids import later_task
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    ActivateTaskCommand,
    CompleteTaskCommand,
    CreateTaskCommand,
    FailTaskCommand,
    HeartbeatTaskCommand,
    SubmitTaskCommand,
)
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import ACTIVE, CREATED, SUBMITTED
from stepwell.engine.storage.contexts import REMOVE_QUEUE, QueueContext, TaskContext, is_held

from .history import advance
from .removal import drop_task


def create_task(turn: Turn, command: CreateTaskCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    activity = execution.activities[command.activity_id]
    task = TaskContext(
        command.id,
        command.activity_id,
        command.resource,
        document.text,
        command.queue,
        CREATED,
        command.attempt,
        command.token,
        turn.now,
        heartbeat_seconds=command.heartbeat_seconds or 0,
    )
    execution.tasks[command.id] = task
    activity.task_id = command.id
    state = turn.state
    state.task_owners[command.id] = execution.id
    state.last_task = later_task(state.last_task, int(command.id[-8:], 16))
    turn.create(command.id, task)
    turn.changes[activity.id] = activity
    turn.last_task = state.last_task
    if command.queue:
        turn.create(f"{command.id}#queue", QueueContext(command.queue, task.created_at, command.id))
    advance(turn, execution, activity.level, command.event)


def activate_task(turn: Turn, command: ActivateTaskCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    task = execution.tasks[command.id]
    task.status, task.worker, task.lease_until = ACTIVE, command.worker, command.lease_until
    turn.put(task.id, task)
    if task.queue:
        turn.drop(f"{task.id}#queue", (REMOVE_QUEUE, task.queue, task.created_at, task.id))
        if is_held(task.queue):
            task.queue = ""
    advance(turn, execution, execution.activities[task.activity_id].level, command.event)


def submit_task(turn: Turn, command: SubmitTaskCommand, document: Document) -> None:
    execution, task = _find(turn, command.id)
    task.status = SUBMITTED
    turn.put(task.id, task)
    advance(turn, execution, execution.activities[task.activity_id].level, command.event)


def complete_task(turn: Turn, command: CompleteTaskCommand | FailTaskCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    task = execution.tasks[command.id]
    activity = execution.activities[task.activity_id]
    drop_task(turn, execution, task)
    turn.changes[activity.id] = activity
    advance(turn, execution, activity.level, command.event)


def heartbeat_task(turn: Turn, command: HeartbeatTaskCommand, document: Document) -> None:
    _, task = _find(turn, command.id)
    turn.put(task.id, task)


def _find(turn: Turn, id: str) -> tuple[LiveExecution, TaskContext]:
    assert turn.execution is not None
    return turn.execution, turn.execution.tasks[id]
