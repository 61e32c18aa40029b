"""Map runs as a program sees them: in the names of AWS's ListMapRuns, DescribeMapRun and UpdateMapRun (ASL A12.64)."""

from __future__ import annotations

from typing import Any

from stepwell.engine.arns import execution_arn, map_run_arn, state_machine_arn
from stepwell.engine.ids import execution_of
from stepwell.engine.log import records as r
from stepwell.engine.quoting import shown
from stepwell.engine.status import CANCELED, FAILED, RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import MapRunContext
from stepwell.errors import InvalidInput, MapRunEnded

from .arguments import whole_number
from .commands import ClientCommand
from .queries import Queries

_STATUSES = {RUNNING: "RUNNING", SUCCEEDED: "SUCCEEDED", FAILED: "FAILED", CANCELED: "ABORTED"}
_SECOND = 1_000_000


class MapRuns:
    """Queries of a host's map runs. They return what is durable at the moment of the call."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def of(self, execution_id: str) -> list[dict[str, Any]]:
        """The map runs of an execution, the newest first."""
        rows = self._queries.map_runs(self._queries.context(execution_id).id)
        rows.sort(key=lambda row: (row.started_at, row.id), reverse=True)
        return [{**self._place(row), **_times(row), "stateMachineArn": state_machine_arn(row.name)} for row in rows]

    def describe(self, map_run: str) -> dict[str, Any]:
        """A map run, by its id or its ARN. Raises ``MapRunNotFound``."""
        row = self._queries.lookup.map_run(map_run)
        return {
            **self._place(row),
            **_times(row),
            "status": _STATUSES[row.status],
            **_redrives(row),
            "maxConcurrency": row.max_concurrency,
            "toleratedFailureCount": max(row.tolerated_count, 0),
            "toleratedFailurePercentage": max(row.tolerated_percentage, 0.0),
            "itemCounts": _counts(row, items=True),
            "executionCounts": _counts(row, items=False),
        }

    def update(
        self, map_run: str, max_concurrency: int | None, count: int | None, percentage: float | None
    ) -> ClientCommand:
        """Change the limits of a running map run."""
        if max_concurrency is not None:
            max_concurrency = whole_number("max_concurrency", max_concurrency, 0)
        if count is not None:
            count = whole_number("tolerated_failure_count", count, 0)
        if percentage is not None:
            percentage = _percentage(percentage)
        row = self._queries.lookup.map_run(map_run)
        ended = MapRunEnded(f"the map run {map_run} has ended: its limits cannot be changed any more")
        if row.status != RUNNING:
            raise ended

        def refusal(_: object) -> MapRunEnded:
            return ended

        command = r.UpdateMapRunCommand(row.id, max_concurrency, count, percentage)
        return ClientCommand(command, refusal=refusal)

    def _place(self, row: MapRunContext) -> dict[str, Any]:
        execution = self._queries.context(execution_of(row.id))
        workflow = self._queries.workflow_of(execution.workflow_id)
        return {
            "mapRunArn": map_run_arn(row.name, row.id),
            "executionArn": execution_arn(workflow.name, execution.name),
        }


def _percentage(number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 100:
        raise InvalidInput(f"tolerated_failure_percentage is a number from 0 to 100, not {shown(number)}")
    return float(number)


def _times(row: MapRunContext) -> dict[str, Any]:
    times = {"startDate": row.started_at / _SECOND}
    return times | {"stopDate": row.stopped_at / _SECOND} if row.stopped_at else times


def _redrives(row: MapRunContext) -> dict[str, Any]:
    count = {"redriveCount": row.redrive_count}
    return count | {"redriveDate": row.redriven_at / _SECOND} if row.redriven_at else count


def _counts(row: MapRunContext, *, items: bool) -> dict[str, int]:
    suffix = "_items" if items else ""
    names = ("running", "succeeded", "failed", "timed_out", "aborted", "pending_redrive")
    counts = {name: getattr(row, name + suffix) for name in names}
    begun = sum(counts.values())
    pending = row.item_count - row.next_item
    if not items and begun:  # batches that are not made yet: taken to be as large as the others
        pending = -(-pending * begun // max(1, row.next_item))
    written = begun if row.status == SUCCEEDED else 0
    return {
        "pending": pending,
        "running": counts["running"],
        "succeeded": counts["succeeded"],
        "failed": counts["failed"],
        "timedOut": counts["timed_out"],
        "aborted": counts["aborted"],
        "total": begun + pending,
        "resultsWritten": written,
        "failuresNotRedrivable": getattr(row, "not_redrivable" + suffix),
        "pendingRedrive": counts["pending_redrive"],
    }
