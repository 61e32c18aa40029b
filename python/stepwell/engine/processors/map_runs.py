"""Map runs: started, given items, their children started and ended, completed, updated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.errors import AslError
from stepwell.engine.ids import activity_of, execution_of, mock_part, own_name, run_of
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CancelExecutionCommand,
    CompleteChildCommand,
    CompleteMapRunCommand,
    PutMapItemsCommand,
    StartChildrenCommand,
    StartExecutionCommand,
    StartMapRunCommand,
    UpdateMapRunCommand,
)
from stepwell.engine.processors.state_types.distributed_map import DISTRIBUTED, fail_run_of, start_children
from stepwell.engine.state.execution import Activity, LiveExecution, is_map
from stepwell.engine.state.map_run import MapRun
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import RUNNING

from . import map_redrive
from .child_inputs import next_inputs
from .follow_ups import Items

if TYPE_CHECKING:
    from stepwell.asl.states import MapState

GONE = "the map run is not running"
MAX_CHILDREN = 10_000
CHUNK = 256
"""How many children one command starts."""


def accept_start(turn: Turn, command: StartMapRunCommand) -> str | None:
    execution = turn.execution
    activity = execution.activities.get(activity_of(command.id)) if execution is not None else None
    if execution is None or activity is None or activity.level.status != RUNNING:
        return "its state is not running"
    if (activity.map_run is not None) != (command.redrive_count > 0):
        return "its map run was begun before" if activity.map_run is not None else GONE
    command.event = execution.context.last_event + 1
    command.previous = activity.level.previous_event
    return None


def started(turn: Turn, command: StartMapRunCommand, document: Document) -> Items:
    activity = _activity(turn, command.id)
    try:
        return DISTRIBUTED.go_on(turn, activity) if command.redrive_count else DISTRIBUTED.started(turn, activity)
    except AslError as error:
        return fail_run_of(turn, activity, error)


def accept_items(turn: Turn, command: PutMapItemsCommand) -> str | None:
    run = _find(turn, command.id)
    if run is None or run.items is not None:
        return GONE
    command.first_child = turn.services.reserve_ids(turn, command.count)
    return None


def items_put(turn: Turn, command: PutMapItemsCommand, document: Document) -> Items:
    activity = _activity(turn, command.id)
    try:
        return DISTRIBUTED.items_put(turn, activity)
    except AslError as error:
        return fail_run_of(turn, activity, error)


def accept_start_children(turn: Turn, command: StartChildrenCommand) -> str | None:
    """Choose the next children and make their inputs, as many as may run. Children that continue come first."""
    run = _find(turn, command.id)
    if run is None or run.items is None or run.exceeds_tolerance:
        return GONE
    context = run.context
    limit = min(context.max_concurrency, MAX_CHILDREN) or MAX_CHILDREN
    free = min(limit - context.running, CHUNK)
    if free <= 0 or not run.has_more:
        return "no more children may start"
    if context.pending_redrive:
        map_redrive.choose(turn, command, _activity(turn, command.id), free)
        return None
    inputs = next_inputs(turn, _activity(turn, command.id), free)
    command.first, command.count, command.sizes = context.next_item, inputs.item_count, inputs.sizes
    turn.inputs = inputs
    return None


def children_started(turn: Turn, command: StartChildrenCommand, document: Document) -> Items:
    activity = _activity(turn, command.id)
    run = activity.map_run
    assert run is not None
    workflow_id = f"{activity.execution.workflow.id.partition('/')[0]}/{activity.state.name}"
    if command.again:
        map_redrive.chosen(turn, command, activity, workflow_id)
        return [start_children(run)] if run.has_more else []
    inputs = turn.inputs
    first = command.first
    for size, document in zip(command.sizes or (1,) * command.count, inputs.documents, strict=True):
        id = run.child_execution(run.children[first])
        parent = f"{run.id}/c{first}"
        start = StartExecutionCommand(
            id,
            workflow_id=workflow_id,
            input=None,
            name=own_name(id),
            type=activity.state.execution_type,
            start_at=0,
            parent_iteration_id=parent,
            qualifier=mock_part(activity.execution.context.qualifier),
        )
        turn.send(id, start, document)
        first += size
    if inputs.error is not None:
        return fail_run_of(turn, activity, inputs.error)
    return [start_children(run)] if run.has_more else []


def accept_complete_child(turn: Turn, command: CompleteChildCommand) -> str | None:
    run = _find(turn, run_of(command.id))
    child = run.children.get(int(command.id.rpartition("/c")[2])) if run is not None else None
    return None if child is not None and child.status == RUNNING else "the child is not running"


def child_completed(turn: Turn, command: CompleteChildCommand, document: Document) -> Items:
    activity = _activity(turn, run_of(command.id))
    run = activity.map_run
    assert run is not None
    if run.breached_by is not None and run.breached_by.id == command.id:
        cancel_children(turn, running_children(run))
    try:
        return DISTRIBUTED.go_on(turn, activity)
    except AslError as error:
        return fail_run_of(turn, activity, error)


def accept_complete(turn: Turn, command: CompleteMapRunCommand) -> str | None:
    run, execution = _find(turn, command.id), turn.execution
    if run is None or execution is None:
        return GONE
    turn.hold(command.cause)
    command.event = execution.context.last_event + 1
    command.previous = _activity(turn, command.id).level.previous_event
    turn.children = running_children(run)
    return None


def completed(turn: Turn, command: CompleteMapRunCommand, document: Document) -> Items:
    cancel_children(turn, turn.children)
    return []


def accept_update(turn: Turn, command: UpdateMapRunCommand) -> str | None:
    return GONE if _find(turn, command.id) is None else None


def updated(turn: Turn, command: UpdateMapRunCommand, document: Document) -> Items:
    """Apply new limits at once."""
    activity = _activity(turn, command.id)
    run = activity.map_run
    if run is None or run.items is None or activity.task_id is not None:
        return []
    return DISTRIBUTED.go_on(turn, activity)


def running_children(run: MapRun) -> list[str]:
    """The ids of a map run's executions that have not ended."""
    return [run.child_execution(child) for child in run.running_children()]


def cancel_children(turn: Turn, executions: list[str]) -> None:
    """Stop child executions that are not needed any more."""
    for id in executions:
        turn.send(id, CancelExecutionCommand(id, None, None))


def report_to_parent(turn: Turn, execution: LiveExecution, output: Document) -> None:
    """Send the end of a child execution to its map run."""
    child_id = execution.context.parent_iteration_id
    if child_id is not None:
        status = "TimedOut" if execution.context.timed_out else execution.status
        turn.send(execution_of(child_id), CompleteChildCommand(child_id, status, None), output)


def _find(turn: Turn, run_id: str) -> MapRun | None:
    """A running map run; None if there is none with this id."""
    activity = turn.execution.activities.get(activity_of(run_id)) if turn.execution is not None else None
    run = activity.map_run if activity is not None else None
    return run if run is not None and run.id == run_id else None


def _activity(turn: Turn, run_id: str) -> Activity[MapState]:
    assert turn.execution is not None
    activity = turn.execution.activities[activity_of(run_id)]
    assert is_map(activity)
    return activity
