"""Timers: created, triggered, canceled."""

from __future__ import annotations

from stepwell.engine.log.document import Document
from stepwell.engine.log.records import CancelTimerCommand, CreateTimerCommand, TriggerTimerCommand
from stepwell.engine.state.timers import EXECUTION_TIMEOUT, HEARTBEAT, RETENTION, RETRY, START, TASK_TIMEOUT, WAIT
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import RUNNING
from stepwell.engine.storage.contexts import REMOVE_TIMER, TimerContext

from .visibility import change_status


def create_timer(turn: Turn, command: CreateTimerCommand, document: Document) -> None:
    _set_due(turn, command.kind, command.target, command.due)
    turn.create(
        _key(command.kind, command.target, command.due),
        TimerContext(command.target, command.kind, command.due, turn.execution_id),
    )
    turn.state.timers.add(command.due, command.kind, command.target, turn.execution_id)


def end_timer(turn: Turn, command: TriggerTimerCommand | CancelTimerCommand, document: Document) -> None:
    _set_due(turn, command.kind, command.target, 0)
    drop_timer(turn, command.kind, command.target, command.due)


def trigger_timer(turn: Turn, command: TriggerTimerCommand, document: Document) -> None:
    end_timer(turn, command, document)
    execution = turn.execution
    if command.kind == START and execution is not None:
        change_status(turn, execution, RUNNING)


def drop_timer(turn: Turn, kind: int, target: str, due: int) -> None:
    """Remove a timer's row."""
    turn.drop(_key(kind, target, due), (REMOVE_TIMER, target, kind, due))
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
