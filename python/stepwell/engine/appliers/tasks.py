"""Tasks: created, activated, kept alive, answered."""

from __future__ import annotations

from ..contexts import HELD, QueueContext, TaskContext
from ..documents import Document
from ..live import Execution, Level
from ..records import (
    ActivateTaskCommand,
    CompleteTaskCommand,
    CreateTaskCommand,
    FailTaskCommand,
    HeartbeatTaskCommand,
    SubmitTaskCommand,
)
from ..turn import Turn
from .timers import drop_timer

CREATED, ACTIVE, SUBMITTED = "Created", "Active", "Submitted"

NUMBERS = 0xFFFF_FFFF
"""The numbers of tasks, in 8 hex digits, go round."""


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
        turn.create(f"{command.id}#queue", QueueContext(command.queue, command.id))
    advance(turn, execution, activity.level, command.event)


def later_task(last: int, number: int) -> int:
    """How many task numbers were given out, after ``last`` and this task's ``number``: ids show the low 32 bits."""
    ahead = (number - last) & NUMBERS
    return last + ahead if ahead < 1 << 31 else last


def activate_task(turn: Turn, command: ActivateTaskCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    task = execution.tasks[command.id]
    task.status, task.worker, task.lease_until = ACTIVE, command.worker, command.lease_until
    turn.put(task.id, task)
    if task.queue:
        turn.drop(f"{task.id}#queue", (-11, task.queue, task.id))
        if task.queue == HELD:
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


def drop_task(turn: Turn, execution: Execution, task: TaskContext) -> None:
    """Remove an open task with its timers; nobody may answer it any more."""
    execution.tasks.pop(task.id, None)
    turn.state.task_owners.pop(task.id, None)
    activity = execution.activities.get(task.activity_id)
    if activity is not None and activity.task_id == task.id:
        activity.task_id = None
    if task.timeout_due:
        drop_timer(turn, 4, task.id, task.timeout_due)
    if task.heartbeat_due:
        drop_timer(turn, 5, task.id, task.heartbeat_due)
    if task.queue and task.status == CREATED:
        turn.drop(f"{task.id}#queue", (-11, task.queue, task.id))
    turn.drop(task.id, (-5, task.id))


def _find(turn: Turn, id: str) -> tuple[Execution, TaskContext]:
    assert turn.execution is not None
    return turn.execution, turn.execution.tasks[id]


def advance(turn: Turn, execution: Execution, level: Level, event: int) -> None:
    """A history event happened in a level: the next one there follows it."""
    if not event:  # a task of the engine's own
        return
    execution.context.last_event = level.previous_event = event
    turn.changes[execution.id] = execution
    if level is not execution:
        turn.changes[level.id] = level
