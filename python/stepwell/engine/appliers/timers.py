"""Timers: created, triggered, canceled."""

from __future__ import annotations

from ..contexts import TimerContext
from ..documents import Document
from ..records import CancelTimerCommand, CreateTimerCommand, TriggerTimerCommand
from ..status import RUNNING
from ..timers import EXECUTION_TIMEOUT, HEARTBEAT, RETENTION, RETRY, START, TASK_TIMEOUT, WAIT
from ..turn import Turn


def create_timer(turn: Turn, command: CreateTimerCommand, document: Document) -> None:
    _set_due(turn, command.kind, command.target, command.due)
    turn.create(
        _key(command.kind, command.target, command.due),
        TimerContext(command.target, command.kind, command.due, turn.scope),
    )
    turn.state.timers.add(command.due, command.kind, command.target, turn.scope)


def end_timer(turn: Turn, command: TriggerTimerCommand | CancelTimerCommand, document: Document) -> None:
    _set_due(turn, command.kind, command.target, 0)
    drop_timer(turn, command.kind, command.target, command.due)


def trigger_timer(turn: Turn, command: TriggerTimerCommand, document: Document) -> None:
    end_timer(turn, command, document)
    execution = turn.execution
    if command.kind == START and execution is not None:
        from .executions import change_status

        change_status(turn, execution, RUNNING)


def drop_timer(turn: Turn, kind: int, target: str, due: int) -> None:
    """Remove a timer's row."""
    turn.drop(_key(kind, target, due), (-6, target, kind, due))
    turn.state.timers.discard(due, kind, target)


def _key(kind: int, target: str, due: int) -> str:
    return f"{target}#{kind}#{due}"


def _set_due(turn: Turn, kind: int, target: str, due: int) -> None:
    execution = turn.execution
    assert execution is not None
    if kind in (WAIT, RETRY):
        activity = execution.activities[target]
        activity.timer_kind, activity.timer_due = kind if due else 0, due
        turn.put(target, activity)
    elif kind == TASK_TIMEOUT:
        execution.tasks[target].timeout_due = due
        turn.put(target, execution.tasks[target])
    elif kind == HEARTBEAT:
        execution.tasks[target].heartbeat_due = due
        turn.put(target, execution.tasks[target])
    elif kind == EXECUTION_TIMEOUT:
        execution.context.timeout_due = due
        turn.put(target, execution)
    elif kind == RETENTION:
        execution.context.delete_at = due
        turn.put(target, execution)
    elif kind == START and not due:
        turn.put(target, execution)
