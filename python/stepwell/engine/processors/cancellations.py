"""Cancels branches and iterations, map runs, tasks and the executions that tasks wait for."""

from __future__ import annotations

from stepwell.engine.log.records import CompleteMapRunCommand
from stepwell.engine.state.execution import Activity, Branch, Iteration, Level, LiveExecution, running_children
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import CANCELED
from stepwell.engine.storage.contexts import TaskContext

from .follow_ups import Items, end_level, item, leave_state


def abandon(turn: Turn, task: TaskContext) -> None:
    """A task ends without a result: cancel its handler, and the execution that it waits for (ASL A15)."""
    turn.services.abandon(turn, task)


def abort(level: Level, status: str = CANCELED) -> Items:
    """Leave the states that are still running in a level, the outer ones first."""
    activity = level.current
    if activity is None:
        return []
    inner: Items = cancel_map_run(activity)
    for child in running_children(activity):
        inner += cancel_child(child)
    return [*inner, leave_state(activity, status)]


def cancel_child(child: Branch | Iteration) -> Items:
    """Cancel a branch or iteration and what runs in it."""
    return [item(end_level(child, CANCELED)), *abort(child)]


def cancel_map_runs(execution: LiveExecution) -> Items:
    """Cancel the map runs of an execution."""
    follow: Items = []
    for activity in execution.activities.values():
        if activity.map_run is not None:
            follow += cancel_map_run(activity)
    return follow


def cancel_map_run(activity: Activity) -> Items:
    """Cancel the map run of a state, if it has one, and its child executions."""
    run = activity.map_run
    return (
        []
        if run is None
        else [
            item(
                CompleteMapRunCommand(
                    run.id, status=CANCELED, error=None, cause=None, results_written=False, event=0, previous=0
                )
            )
        ]
    )
