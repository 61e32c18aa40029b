"""Restores an ended map run for a redrive: its items, and its children by their outcome (ASL A12.59, A16.78)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from stepwell.asl.json import loads
from stepwell.engine.ids import child_list
from stepwell.engine.limits import EXPRESS
from stepwell.engine.state.execution import Activity, is_map
from stepwell.engine.state.map_run import PENDING_REDRIVE
from stepwell.engine.status import CANCELED, FAILED, RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import (
    Context,
    ExecutionContext,
    ItemsContext,
    MapChildContext,
    MapRunContext,
    PendingCommandContext,
    VisibilityContext,
)
from stepwell.engine.storage.storage import Storage

if TYPE_CHECKING:
    from stepwell.asl.states import MapState

Problem = Callable[[ExecutionContext], str | None]
"""Why an execution cannot be redriven; None: it can."""

_BEGINS_ANEW: Final = frozenset({"States.DataLimitExceeded", "States.Runtime"})
"""A map run that failed by one of these does not continue, as on AWS: a new one starts."""
_COUNTED: Final = {SUCCEEDED: "succeeded", FAILED: "failed", "TimedOut": "timed_out", CANCELED: "aborted"}
_MAX_PENDING = 10_000
_PAGE = 1000


def is_settled(storage: Storage, execution_id: str) -> bool:
    """Whether all children of an ended execution, and their children, have ended.

    The commands that stop them are on the log with the end of their parent, and all of them have its partition key.
    """
    if not storage.scan(MapRunContext, execution_id, limit=1):
        return True
    family = execution_id.rpartition("/")[0] + "/"
    pending = storage.scan(PendingCommandContext, limit=_MAX_PENDING)
    return len(pending) < _MAX_PENDING and not any(row.scope.startswith(family) for row in pending)


def remains_of(storage: Storage, activity: Activity, problem: Problem) -> Iterator[Context]:
    """The rows with which the map run of a state continues; none if a new one must start.

    A new one starts if the run ended before it had items, if an expression of its state failed, or if one of its
    children was deleted.
    """
    assert activity.map_run is not None and is_map(activity)
    run = storage.get(MapRunContext, activity.map_run.id)
    items = storage.get(ItemsContext, activity.id)
    if run is None or items is None or run.status == RUNNING or run.error in _BEGINS_ANEW:
        return
    children = _children(storage, run)
    rows = [_row(run, activity, first, child, problem) for first, child in sorted(children.items())]
    next_item = 0
    for row, _ in rows:
        if row.first != next_item or row.status not in (*_COUNTED, PENDING_REDRIVE):
            return
        next_item += row.items
    if next_item != run.next_item:
        return
    yield _counted(run, rows)
    yield items
    for row, _ in rows:
        yield row


def _children(storage: Storage, run: MapRunContext) -> dict[int, ExecutionContext]:
    """The children of a map run by their first items; the newest of those that ran again."""
    children: dict[int, ExecutionContext] = {}
    prefix = (child_list(run.id),)
    after: tuple[Any, ...] | None = None
    while listed := storage.scan(VisibilityContext, *prefix, after=after, limit=_PAGE):
        for row in listed:
            child = storage.get(ExecutionContext, row.execution_id)
            if child is None or child.parent_iteration_id is None:
                continue
            first = int(child.parent_iteration_id.rpartition("/c")[2])
            if first not in children or children[first].id < child.id:
                children[first] = child
        last = listed[-1]
        after = (*prefix, last.status, last.started_at, last.execution_id)
    return children


def _row(
    run: MapRunContext, activity: Activity[MapState], first: int, child: ExecutionContext, problem: Problem
) -> tuple[MapChildContext, bool]:
    """A child's row, and whether the child could continue if it did not succeed."""
    state = activity.state
    items = len(loads(child.input)["Items"]) if state.batcher is not None else 1
    number = int(child.id.rpartition("/")[2], 16)
    row = MapChildContext(
        f"{run.id}/c{first}",
        first,
        items,
        "TimedOut" if child.timed_out else child.status,
        number=0 if number == run.first_child + first else number,
    )
    if row.status == SUCCEEDED:
        if state.writer is None or state.writer.resource is None:  # a ResultWriter reads outputs from the executions
            row.output = child.output
        return row, True
    is_redrivable = child.type == EXPRESS or problem(child) is None
    if row.status in _COUNTED and is_redrivable:
        row.status = PENDING_REDRIVE
    return row, is_redrivable


def _counted(run: MapRunContext, rows: list[tuple[MapChildContext, bool]]) -> MapRunContext:
    """The row of a map run as its redrive starts, with children and items counted by status."""
    counts = dict.fromkeys((*_COUNTED.values(), "pending_redrive", "not_redrivable"), 0)
    items = dict(counts)
    for row, is_redrivable in rows:
        names = ["pending_redrive" if row.status == PENDING_REDRIVE else _COUNTED[row.status]]
        for name in names if is_redrivable else (*names, "not_redrivable"):
            counts[name] += 1
            items[name] += row.items
    return replace(
        run,
        status=RUNNING,
        stopped_at=0,
        error=None,
        cause=None,
        results_written=False,
        redrive_count=run.redrive_count + 1,
        **counts,
        **{f"{name}_items": count for name, count in items.items()},
    )
