"""Distributed Map: its items run as child executions, under a map run (ASL A12.59-64)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stepwell.asl.errors import AslError
from stepwell.asl.json import dumps, is_array, loads
from stepwell.asl.resources import parse_resource
from stepwell.asl.states.distributed import ITEM_READER_FAILED, STATE_DATA, read_place
from stepwell.asl.states.map import Items as Iterated
from stepwell.engine.arns import map_run_arn
from stepwell.engine.log.document import Document, of_value
from stepwell.engine.log.records import (
    ActivateTaskCommand,
    CompleteMapRunCommand,
    CreateTaskCommand,
    PutMapItemsCommand,
    StartChildrenCommand,
    StartMapRunCommand,
)
from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.failures import Failure, fail, failure_of
from stepwell.engine.processors.follow_ups import Items, complete_with, item
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.map_batches import batches_of
from stepwell.engine.state.map_run import READ_ITEMS, WRITE_RESULTS, MapItems, MapRun
from stepwell.engine.state.turn import Item, Turn
from stepwell.engine.state.workflows import label_of
from stepwell.engine.status import FAILED, SUCCEEDED
from stepwell.tasks.items.parts import Part, decode_read_items, encode_parts

from .parallel import check_outputs, finish_with

if TYPE_CHECKING:
    from stepwell.asl.states import MapState

UNSET = -1
THRESHOLD_EXCEEDED = Failure(
    "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
)


class DistributedMapProcessor:
    """Waits for a task that reads the items, then for its children, then for a task that writes their results."""

    def start(
        self, turn: Turn, activity: Activity[MapState], items: Iterated, most: int, tolerated: int, percentage: float
    ) -> Items:
        """Start a map run over ``items``, at most ``most`` children at a time. The items of a reader are read later."""
        state = activity.state
        redriven = activity.execution.context.redrive_count
        id = f"{activity.id}/r{activity.attempt}" + (f".{redriven}" if redriven else "")
        start = StartMapRunCommand(
            id,
            name=f"{activity.execution.workflow.name.partition('/')[0]}/{label_of(state)}",
            state_name=state.name,
            count=len(items.values),
            max_concurrency=most,
            tolerated_count=tolerated if state.sets_tolerated_count else UNSET,
            tolerated_percentage=percentage if state.sets_tolerated_percentage else float(UNSET),
            event=0,
            previous=0,
        )
        if state.reader is not None:
            return [item(start)]
        count = len(items.values)
        parts = (Part(STATE_DATA, count, are_members=True),) if items.are_members else ()
        return [item(start), put_items(id, STATE_DATA, count, of_value(items.values), parts)]

    def started(self, turn: Turn, activity: Activity[MapState]) -> Items:
        """The map run was started. If it has a reader, its items are read."""
        reader = activity.state.reader
        if reader is None:
            return []
        request = reader.evaluate(expression_scope(turn, activity))
        asked = {"arguments": request.arguments, "config": request.config, "maxItems": request.max_items}
        return _ask(turn, activity, READ_ITEMS, {"resource": request.resource.text, **asked})

    def items_put(self, turn: Turn, activity: Activity[MapState]) -> Items:
        """The items are known."""
        run = _run(activity)
        return self.finish(turn, activity) if run.context.item_count == 0 else [start_children(run)]

    def go_on(self, turn: Turn, activity: Activity[MapState]) -> Items:
        """A child has ended, the limits have changed, or the run continues: do what is possible next."""
        run, writer = _run(activity), activity.state.writer
        context = run.context
        check_outputs(turn, activity, run.output_bytes)
        if run.exceeds_tolerance:
            if writer is None or writer.resource is None:
                return fail_run(turn, activity, THRESHOLD_EXCEEDED)
        elif run.has_more:
            return [start_children(run)]
        return [] if context.running else self.finish(turn, activity)

    def finish(self, turn: Turn, activity: Activity[MapState]) -> Items:
        """All children have ended: their results are written, or become the state's result."""
        run, writer = _run(activity), activity.state.writer
        if writer is not None:
            request = writer.evaluate(expression_scope(turn, activity))
            into = request.resource.text if request.resource is not None else None
            if into is not None or request.config.get("Transformation") == "NONE":
                asked = {"arguments": request.arguments, "config": request.config, "mapRun": run.id}
                arn = map_run_arn(run.context.name, run.id)
                asked |= {"shows": activity.state.item_identity, "batches": _pending_batches(turn, activity, run)}
                return _ask(turn, activity, WRITE_RESULTS, {"resource": into, "arn": arn, **asked})
        max_bytes = turn.services.limits.map_result_bytes
        outputs = [child.output for _, child in sorted(run.children.items()) if child.status == SUCCEEDED]
        if writer is not None and writer.config.get("Transformation") == "FLATTEN":
            outputs = [of_value(member) for output in outputs for member in _members(output.value)]
        if max_bytes and sum(len(output.text) + 1 for output in outputs) + 1 > max_bytes:
            return fail_run(turn, activity, _too_large(activity.state.name))
        return [_succeed(run, False), *finish_with(turn, activity, outputs)]

    def answered(self, turn: Turn, activity: Activity[MapState], asked: bytes, answer: Document) -> Items:
        """The items were read, or the results were written."""
        run = _run(activity)
        if run.items is None:
            items, parts = _read(answer)
            return [put_items(run.id, _source(loads(asked)), len(MapItems(items)), items, parts)]
        if run.exceeds_tolerance:  # the manifest lists what was written
            return fail_run(turn, activity, THRESHOLD_EXCEEDED, written=True)
        outcome = activity.state.finish(expression_scope(turn, activity), answer.value)
        return [_succeed(run, True), *complete_with(activity, outcome)]


DISTRIBUTED = DistributedMapProcessor()


def fail_run(turn: Turn, activity: Activity, failure: Failure, *, written: bool = False) -> Items:
    """Fail a map run, and with it its state."""
    end = CompleteMapRunCommand(
        _run(activity).id,
        status=FAILED,
        error=failure.error,
        cause=failure.cause,
        results_written=written,
        event=0,
        previous=0,
    )
    return [item(end), *fail(turn, activity, failure)]


def fail_run_of(turn: Turn, activity: Activity, error: AslError) -> Items:
    """Fail a map run because an expression of its state failed."""
    return fail_run(turn, activity, failure_of(activity, error))


def put_items(id: str, source: str, count: int, items: Document, parts: tuple[Part, ...]) -> Item:
    """Give a map run its items."""
    return item(
        PutMapItemsCommand(id, count=count, first_child=0, source=source, items=None, parts=encode_parts(parts)), items
    )


def start_children(run: MapRun) -> Item:
    """Start as many children as may run."""
    return item(StartChildrenCommand(run.id, 0, 0))


def _pending_batches(turn: Turn, activity: Activity[MapState], run: MapRun) -> dict[str, Any] | None:
    """The batching of items whose children were not started; None without batches."""
    if activity.state.batcher is None or run.context.next_item >= run.context.item_count:
        return None
    return msgspec.to_builtins(batches_of(activity.state.batcher.evaluate(expression_scope(turn, activity))))


def _succeed(run: MapRun, written: bool) -> Item:
    return item(
        CompleteMapRunCommand(
            run.id, status=SUCCEEDED, error=None, cause=None, results_written=written, event=0, previous=0
        )
    )


def _run(activity: Activity) -> MapRun:
    assert activity.map_run is not None
    return activity.map_run


def _ask(turn: Turn, activity: Activity, resource: str, asked: dict[str, Any]) -> Items:
    """A task of the engine itself. It has no history events."""
    id = turn.services.task_id(activity.execution.id, resource)
    create = CreateTaskCommand(
        id,
        activity_id=activity.id,
        resource=resource,
        input=None,
        queue="",
        attempt=activity.attempt,
        token=None,
        timeout_seconds=None,
        heartbeat_seconds=None,
        event=0,
        previous=0,
    )
    return [
        item(create, Document(dumps(asked))),
        item(ActivateTaskCommand(id, resource=resource, worker=None, lease_until=0, event=0, previous=0)),
    ]


def _source(asked: dict[str, Any]) -> str:
    return read_place(parse_resource(asked["resource"]), asked["arguments"])


def _too_large(state_name: str) -> Failure:
    size = "a size exceeding the maximum number of bytes service limit"
    return Failure("States.DataLimitExceeded", f"The state/task '{state_name}' returned a result with {size}.")


def _members(output: Any) -> list[Any]:
    return output if is_array(output) else [output]


def _read(answer: Document) -> tuple[Document, tuple[Part, ...]]:
    """The result of a reader: a plain array, or items with their parts."""
    if is_array(answer.value) if answer.is_parsed else answer.text.startswith(b"["):
        return answer, ()
    try:
        read = decode_read_items(answer.text)
    except msgspec.MsgspecError as error:
        raise AslError(ITEM_READER_FAILED, "Attempting to map over non-iterable node.") from error
    return Document(bytes(read.items)), read.parts
