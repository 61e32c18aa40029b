"""Removes the rows of what has ended: tasks, states with their children and items, whole executions."""

from __future__ import annotations

from stepwell.engine.state.execution import Activity, Iteration, LiveExecution
from stepwell.engine.state.timers import EXECUTION_TIMEOUT, HEARTBEAT, START, TASK_TIMEOUT
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import CANCELED, CREATED
from stepwell.engine.storage.contexts import (
    REMOVE_ACTIVITY,
    REMOVE_BRANCH,
    REMOVE_ITEMS,
    REMOVE_ITERATION,
    REMOVE_QUEUE,
    REMOVE_TASK,
    TaskContext,
)

from .map_runs import end_map_run
from .timers import drop_timer


def drop_task(turn: Turn, execution: LiveExecution, task: TaskContext) -> None:
    """Remove an open task with its timers; it cannot get a result any more."""
    execution.tasks.pop(task.id, None)
    turn.state.task_owners.pop(task.id, None)
    activity = execution.activities.get(task.activity_id)
    if activity is not None and activity.task_id == task.id:
        activity.task_id = None
    if task.timeout_due:
        drop_timer(turn, TASK_TIMEOUT, task.id, task.timeout_due)
    if task.heartbeat_due:
        drop_timer(turn, HEARTBEAT, task.id, task.heartbeat_due)
    if task.queue and task.status == CREATED:
        turn.drop(f"{task.id}#queue", (REMOVE_QUEUE, task.queue, task.created_at, task.id))
    turn.drop(task.id, (REMOVE_TASK, task.id))


def reap(turn: Turn, execution: LiveExecution) -> None:
    """Remove whatever is still running or waiting in an execution that ends."""
    for task in list(execution.tasks.values()):
        drop_task(turn, execution, task)
    for activity in list(execution.activities.values()):
        drop_activity(turn, activity)
    context = execution.context
    if context.timeout_due:
        drop_timer(turn, EXECUTION_TIMEOUT, execution.id, context.timeout_due)
        context.timeout_due = 0
    if context.start_at and not context.last_activity:  # it was never started
        drop_timer(turn, START, execution.id, context.start_at)


def drop_activity(turn: Turn, activity: Activity) -> None:
    """Remove the rows of a state, its children and its items. A map run's items stay, for a redrive."""
    execution = activity.execution
    if activity.children is not None:
        drop_children(turn, activity)
    if activity.map_run is not None:
        end_map_run(turn, activity, CANCELED)
    if activity.timer_due:
        drop_timer(turn, activity.timer_kind, activity.id, activity.timer_due)
        activity.timer_due = 0
    execution.activities.pop(activity.id, None)
    if activity.level.current is activity:
        activity.level.current = None
    turn.drop(activity.id, (REMOVE_ACTIVITY, activity.id))


def drop_children(turn: Turn, activity: Activity) -> None:
    """Remove the branches or iterations of a state, and its items."""
    if activity.children is None:
        return
    tag = REMOVE_BRANCH if activity.branch_status is not None else REMOVE_ITERATION
    levels = activity.execution.levels
    for child in activity.children.values():
        entered = child.current
        if entered is not None:  # entered in the turn in which its branch or iteration was canceled
            if entered.task_id is not None:
                drop_task(turn, activity.execution, activity.execution.tasks[entered.task_id])
            drop_activity(turn, entered)
        if isinstance(child, Iteration):
            activity.execution.iteration_bytes -= len(child.input.text)
        levels.pop(child.id, None)
        turn.drop(child.id, (tag, child.id))
    drop_items(turn, activity)
    activity.children = activity.branch_status = activity.iteration_status = None
    activity.output_bytes = 0


def drop_items(turn: Turn, activity: Activity) -> None:
    """Remove the items of a Map state, or those of a map run that has ended."""
    if activity.items is not None:
        turn.drop(f"{activity.id}#items", (REMOVE_ITEMS, activity.id))
        activity.items = None
