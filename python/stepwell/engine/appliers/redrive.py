"""Executions that are redriven."""

from __future__ import annotations

from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import RedriveExecutionCommand
from stepwell.engine.state.map_run import MapRun
from stepwell.engine.state.restore import restore
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import RUNNING
from stepwell.engine.storage.contexts import REMOVE_ITEMS, ItemsContext
from stepwell.engine.storage.redrive_tokens import with_token
from stepwell.engine.storage.storage import decode_tree

from .executions import forget_retention
from .visibility import change_status, enlist, unlist


def redrive_execution(turn: Turn, command: RedriveExecutionCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    forget_retention(turn, execution)
    unlist(turn, execution)
    context = execution.context
    context.redrive_count = command.count
    context.redriven_at = turn.now
    if command.client_token is not None:
        context.redrive_tokens = with_token(context.redrive_tokens, command.client_token, turn.now)
    context.stopped_at = 0
    context.error = context.cause = None
    context.timed_out = False
    context.last_event = command.event
    execution.previous_event = command.event
    execution.output = NONE
    turn.state.executions[execution.id] = execution
    restore(execution, decode_tree(command.tree))
    for activity in execution.activities.values():
        turn.create(activity.id, activity)
        for child in (activity.children or {}).values():
            turn.create(child.id, child)
        if activity.items is not None:
            turn.create(f"{activity.id}#items", ItemsContext(activity.id, activity.items.text))
        elif activity.map_run is not None:
            _run_on(turn, activity.map_run)
        elif not activity.shares_variables:  # a new map run begins: items of the old one are not needed
            turn.drop(f"{activity.id}#items", (REMOVE_ITEMS, activity.id))
    change_status(turn, execution, RUNNING)
    enlist(turn, execution)


def _run_on(turn: Turn, run: MapRun) -> None:
    """Write the rows of a map run that continues. Storage has its items."""
    run.context.redriven_at = turn.now
    turn.put(run.id, run)
    for child in run.children.values():
        turn.create(child.id, child)
