"""Map runs of Distributed Map states: started, given items, their children started and ended, completed."""

from __future__ import annotations

from stepwell.engine.ids import activity_of, run_of
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CompleteChildCommand,
    CompleteMapRunCommand,
    PutMapItemsCommand,
    StartChildrenCommand,
    StartMapRunCommand,
    UpdateMapRunCommand,
)
from stepwell.engine.state.execution import Activity, is_map
from stepwell.engine.state.map_run import MapChild, MapItems, MapRun
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import FAILED, RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import REMOVE_MAP_CHILD, ItemsContext, MapRunContext

TIMED_OUT = "TimedOut"


def start_map_run(turn: Turn, command: StartMapRunCommand, document: Document) -> None:
    activity = _activity(turn, command.id)
    if command.redrive_count:  # RedriveExecution has restored it
        _advance(turn, activity, command.event)
        return
    context = MapRunContext(
        command.id,
        name=command.name,
        state_name=command.state_name,
        status=RUNNING,
        started_at=turn.now,
        max_concurrency=command.max_concurrency,
        tolerated_count=command.tolerated_count,
        tolerated_percentage=command.tolerated_percentage,
    )
    activity.map_run = MapRun(context)
    turn.create(command.id, activity.map_run)
    _advance(turn, activity, command.event + 1)


def put_map_items(turn: Turn, command: PutMapItemsCommand, document: Document) -> None:
    run = _run(turn, command.id)
    run.items = MapItems(document, command.parts)
    context = run.context
    context.item_count, context.first_child, context.source = command.count, command.first_child, command.source
    turn.high_water = max(turn.high_water, command.first_child + command.count)
    turn.put(_items_key(run), ItemsContext(activity_of(run.id), document.text, command.parts))
    turn.put(run.id, run)


def start_children(turn: Turn, command: StartChildrenCommand, document: Document) -> None:
    run = _run(turn, command.id)
    if command.again:
        _start_again(turn, run, command)
        return
    first = command.first
    for size in command.sizes or (1,) * command.count:
        child = MapChild(f"{run.id}/c{first}", first, size)
        run.children[first] = child
        turn.create(child.id, child)
        first += size
    context = run.context
    context.next_item = first
    context.running += len(command.sizes) or command.count
    context.running_items += command.count
    turn.put(run.id, run)


def _start_again(turn: Turn, run: MapRun, command: StartChildrenCommand) -> None:
    context = run.context
    for index, first in enumerate(command.again):
        child = run.children[first]
        child.status = RUNNING
        if command.numbers:
            child.number = command.numbers[index]
            turn.high_water = max(turn.high_water, child.number + 1)
        context.pending_redrive -= 1
        context.pending_redrive_items -= child.items
        context.running += 1
        context.running_items += child.items
        run.waiting.popleft()
        turn.put(child.id, child)
    turn.put(run.id, run)


def complete_child(turn: Turn, command: CompleteChildCommand, document: Document) -> None:
    activity = _activity(turn, run_of(command.id))
    assert is_map(activity)
    run, writer = _run(turn, run_of(command.id)), activity.state.writer
    child = run.children[int(command.id.rpartition("/c")[2])]
    child.status = command.status
    if writer is None or writer.resource is None:  # a ResultWriter reads outputs from the executions
        child.output = document
        run.output_bytes += len(document.text)
    exceeded = run.exceeds_tolerance
    _count(run.context, child)
    if run.exceeds_tolerance and not exceeded:
        run.breached_by = child
    turn.put(child.id, child)
    turn.put(run.id, run)


def _count(context: MapRunContext, child: MapChild) -> None:
    context.running -= 1
    context.running_items -= child.items
    if child.status == SUCCEEDED:
        context.succeeded += 1
        context.succeeded_items += child.items
    elif child.status == FAILED:
        context.failed += 1
        context.failed_items += child.items
    elif child.status == TIMED_OUT:
        context.timed_out += 1
        context.timed_out_items += child.items
    else:
        context.aborted += 1
        context.aborted_items += child.items


def complete_map_run(turn: Turn, command: CompleteMapRunCommand, document: Document) -> None:
    activity = _activity(turn, command.id)
    run = _run(turn, command.id)
    context = run.context
    context.error, context.cause = command.error, command.cause
    context.results_written = command.results_written
    end_map_run(turn, activity, command.status)
    # Of MapRunSucceeded, MapRunFailed and MapRunAborted, only a failure is followed by the next event (ASL A11.55).
    _advance(turn, activity, command.event, chains=command.status == FAILED)


def end_map_run(turn: Turn, activity: Activity, status: str) -> None:
    """End a map run with ``status``: keep its own row, and remove those of its children.

    Its items stay until the state is left for another one, or retried, because a redrive needs them.
    """
    run = activity.map_run
    assert run is not None
    context = run.context
    context.status, context.stopped_at = status, turn.now
    context.aborted += context.running
    context.aborted_items += context.running_items
    context.running = context.running_items = 0
    for child in run.children.values():
        turn.drop(child.id, (REMOVE_MAP_CHILD, child.id))
    if run.items is not None:
        activity.items = run.items.document
    activity.map_run = None
    turn.put(run.id, run)


def update_map_run(turn: Turn, command: UpdateMapRunCommand, document: Document) -> None:
    run = _run(turn, command.id)
    context = run.context
    if command.max_concurrency is not None:
        context.max_concurrency = command.max_concurrency
    if command.tolerated_count is not None:
        context.tolerated_count = command.tolerated_count
    if command.tolerated_percentage is not None:
        context.tolerated_percentage = command.tolerated_percentage
    turn.put(run.id, run)


def _activity(turn: Turn, run_id: str) -> Activity:
    assert turn.execution is not None
    return turn.execution.activities[activity_of(run_id)]


def _run(turn: Turn, run_id: str) -> MapRun:
    run = _activity(turn, run_id).map_run
    assert run is not None
    return run


def _items_key(run: MapRun) -> str:
    return f"{activity_of(run.id)}#items"


def _advance(turn: Turn, activity: Activity, event: int, *, chains: bool = True) -> None:
    execution, level = activity.execution, activity.level
    execution.context.last_event = event
    if chains:
        level.previous_event = event
    turn.put(execution.id, execution)
    if level is not execution:
        turn.put(level.id, level)
