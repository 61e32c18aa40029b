"""Lists of executions in AWS's order, a page at a time (ListExecutions).

The order is that of the ends; of what runs, that of the starts or the redrives; the newest first. A page costs the
same whatever is asked for and however many executions there are: each list has each status by itself, and the lists
of published versions, of aliases and of what was redriven are lists of their own.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from msgspec.structs import replace

from stepwell.engine.ids import CHILD_LISTS, REDRIVEN, child_list
from stepwell.engine.state.map_run import PENDING_REDRIVE
from stepwell.engine.status import AWS_ENDED, AWS_STATUSES, RUNNING, AwsStatus
from stepwell.engine.storage.contexts import (
    ExecutionContext,
    ListingContext,
    MapChildContext,
    MapRunContext,
    VisibilityContext,
)
from stepwell.engine.storage.storage import Storage

Position: TypeAlias = tuple[int, str]
"""Where a list goes on: the time and the id of the last execution that was given."""
Redriven: TypeAlias = Literal["REDRIVEN", "NOT_REDRIVEN"]

LOOKED_AT = 1000
"""So many rows are looked at for one page. A page of a map run that is being redriven may be shorter for it."""
CLOCK_MICROSECONDS = 86_400_000_000
"""How far a clock may have gone back since a workflow was created again, or a parent started, without hiding any."""
_UNSUCCESSFUL = frozenset(("FAILED", "TIMED_OUT", "ABORTED"))
_Read = Callable[[Position | None, int], list[ListingContext]]


class Asked(NamedTuple):
    """What a list is of.

    ``name`` is a workflow's, with ``:3`` or ``:prod`` that of what a published version or an alias started; or that
    of a map run's list (``of_map_run``). Executions of versions before ``first``, and those from before ``since``
    (microseconds), belong to a workflow of the name that was deleted.
    """

    name: str
    status: AwsStatus | None = None
    redriven: Redriven | None = None
    first: int = 0
    since: int = 0


class Page(NamedTuple):
    """Rows of executions, with AWS's status in each, and where the list goes on; None: it does not."""

    rows: list[ListingContext]
    position: Position | None


def of_map_run(id: str) -> str:
    """The name of a map run's list."""
    return child_list(id)


def page(storage: Storage, asked: Asked, after: Position | None, limit: int) -> Page:
    """The next ``limit`` executions, at most."""
    reads = list(_reads(storage, asked))
    current = _pending_filter(storage, asked)
    rows: list[ListingContext] = []
    looked_at = 0
    while True:
        found = heapq.merge(*(read(after, limit) for read in reads), key=_place)
        count = 0
        for row in found:
            count += 1
            if row.version < asked.first and row.sorted_at < asked.since - CLOCK_MICROSECONDS:
                return Page(rows, None)  # what comes belongs to a workflow that was deleted
            after = (row.sorted_at, row.execution_id)
            wanted = row if current is None else current(row)
            if wanted is not None and row.version >= asked.first:
                rows.append(wanted)
            if len(rows) == limit or count == limit:
                break
        looked_at += count
        if count < limit:
            return Page(rows, None)
        if len(rows) == limit or looked_at >= LOOKED_AT:
            return Page(rows, after)


def _reads(storage: Storage, asked: Asked) -> Iterator[_Read]:
    """What reads each of the lists that have what is asked for."""
    is_of_run, is_qualified = asked.name.startswith(CHILD_LISTS), ":" in asked.name.removeprefix(CHILD_LISTS)
    statuses = _statuses(asked.status)
    names = [asked.name] if asked.redriven != "REDRIVEN" else []
    if is_of_run and asked.redriven != "NOT_REDRIVEN":
        names.append(asked.name + REDRIVEN)
    for name in names:
        for status in statuses:
            yield lambda after, limit, name=name, status=status: _listed(storage, name, status, after, limit)
    if "RUNNING" in statuses and not (is_qualified and not is_of_run) and asked.redriven != "REDRIVEN":
        for status in AWS_STATUSES["RUNNING"]:
            yield lambda after, limit, status=status: _running(storage, asked.name, status, after, limit)


def _statuses(status: AwsStatus | None) -> Sequence[str]:
    if status is None:
        return ("RUNNING", *AWS_ENDED)
    return tuple(_UNSUCCESSFUL) if status == "PENDING_REDRIVE" else (status,)


def _listed(storage: Storage, name: str, status: str, after: Position | None, limit: int) -> list[ListingContext]:
    return storage.scan(
        ListingContext, name, status, after=None if after is None else (name, status, *after), limit=limit
    )


def _running(storage: Storage, name: str, status: str, after: Position | None, limit: int) -> list[ListingContext]:
    """What runs and was never redriven: it is in the list of its workflow, or map run, in the order of starts."""
    found: list[ListingContext] = []
    while len(found) < limit:
        place = None if after is None else (name, status, *after)
        rows = storage.scan(VisibilityContext, name, status, after=place, limit=limit)
        found += [_as_listing(row) for row in rows if not row.redrive_count]
        if len(rows) < limit:
            break
        after = (rows[-1].started_at, rows[-1].execution_id)
    return found[:limit]


def _as_listing(row: VisibilityContext) -> ListingContext:
    return ListingContext(
        row.workflow,
        "RUNNING",
        row.started_at,
        row.execution_id,
        row.name,
        started_at=row.started_at,
        version=row.version,
        qualifier=row.qualifier,
    )


def _place(row: ListingContext) -> tuple[int, str]:
    return (-row.sorted_at, row.execution_id)


def _pending_filter(storage: Storage, asked: Asked) -> Callable[[ListingContext], ListingContext | None] | None:
    """Gives a child of a map run with its present status, None if that is not asked for. None: all rows have it.

    While the map run is redriven, its children that did not succeed are pending until they are, too.
    """
    is_of_run = asked.name.startswith(CHILD_LISTS)
    run = storage.get(MapRunContext, asked.name.removeprefix(CHILD_LISTS)) if is_of_run else None
    if run is None or run.status != RUNNING or not run.redrive_count:
        return _nothing if asked.status == "PENDING_REDRIVE" else None

    def current(row: ListingContext) -> ListingContext | None:
        if row.status in _UNSUCCESSFUL and _is_pending(storage, row.execution_id):
            row = replace(row, status="PENDING_REDRIVE")
        return row if asked.status in (None, row.status) else None

    return current


def _nothing(row: ListingContext) -> None:
    """No row is asked for."""


def _is_pending(storage: Storage, execution_id: str) -> bool:
    execution = storage.get(ExecutionContext, execution_id)
    if execution is None or execution.parent_iteration_id is None:
        return False
    child = storage.get(MapChildContext, execution.parent_iteration_id)
    return child is not None and child.status == PENDING_REDRIVE
