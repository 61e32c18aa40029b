"""States: started, completed, retried; expressions that failed."""

from __future__ import annotations

from stepwell.asl.json import loads
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CompleteStateCommand,
    FailEvaluationCommand,
    RetryStateCommand,
    StartStateCommand,
)
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.history_events import exit_count
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import SUCCEEDED

from .history import advance
from .removal import drop_activity, drop_children, drop_items, drop_task


def start_state(turn: Turn, command: StartStateCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    parent = command.parent_branch_id or command.parent_iteration_id
    level = execution if parent is None else execution.levels[parent]
    activity = Activity(
        command.activity_id,
        execution,
        level,
        execution.workflow.machine.by_name[command.state_name],
        document,
        turn.now,
        command.event,
        command.previous,
    )
    execution.activities[command.activity_id] = level.current = activity
    context = execution.context
    context.last_activity += 1
    context.last_event = level.previous_event = command.event
    turn.create(command.activity_id, activity)
    turn.changes[execution.id] = execution
    if level is not execution:
        turn.changes[level.id] = level


def complete_state(turn: Turn, command: CompleteStateCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    activity = execution.activities[command.activity_id]
    level = activity.level
    if command.assigned:
        level.assign(loads(command.assigned))
    if command.event:
        count, is_followed = exit_count(activity.state.type, command.status, command.caught)
        last = command.event + count - 1
        execution.context.last_event = last
        if is_followed:
            level.previous_event = last
    if activity.task_id is not None:
        drop_task(turn, execution, execution.tasks[activity.task_id])
    if activity.items is not None and command.status == SUCCEEDED:  # a redrive does not need them
        drop_items(turn, activity)
    drop_activity(turn, activity)
    turn.changes[execution.id] = execution
    if level is not execution and level.id in execution.levels:
        turn.changes[level.id] = level


def retry_state(turn: Turn, command: RetryStateCommand, document: Document) -> None:
    assert turn.execution is not None
    activity = turn.execution.activities[command.activity_id]
    retries = list(activity.retries) or [0] * len(activity.state.retriers)
    retries[command.retrier] += 1
    activity.retries = tuple(retries)
    activity.attempt += 1
    drop_children(turn, activity)
    drop_items(turn, activity)
    turn.put(activity.id, activity)


def fail_evaluation(turn: Turn, command: FailEvaluationCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    advance(turn, execution, execution.activities[command.activity_id].level, command.event)
