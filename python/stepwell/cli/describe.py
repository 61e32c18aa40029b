"""An execution as the record that commands print."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stepwell import Execution, Executor
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import CANCELED, ENDED, FAILED

WORKFLOW_COLUMNS = ("workflow", "version", "type", "created", "retention")
COLUMNS = ("id", "workflow", "name", "status", "aws_status", "started", "stopped")


def summary(execution: Execution) -> dict[str, Any]:
    """The fields of an execution that a list shows."""
    context = execution.context()
    return {
        "id": context.id,
        "workflow": execution.workflow,
        "name": context.name,
        "status": context.status,
        "aws_status": execution.aws_status,
        "started": _time(context.started_at),
        "stopped": _time(context.stopped_at),
    }


def workflow_summary(workflow: Workflow) -> dict[str, Any]:
    """The fields of a version of a workflow that a list shows; ``retention`` is in seconds."""
    context = workflow.context
    return {
        "workflow": context.name,
        "version": context.version,
        "type": context.type,
        "created": _time(context.created_at),
        "retention": None if context.retention is None else context.retention / 1_000_000,
    }


def outcome(execution: Execution) -> dict[str, Any]:
    """How an execution ended: its output, or its error and cause."""
    record = summary(execution)
    if record["status"] in (FAILED, CANCELED):
        return record | {"error": execution.error, "cause": execution.cause}
    return record | {"output": execution.output} if record["status"] in ENDED else record


def map_runs(executor: Executor, execution_id: str) -> list[dict[str, Any]]:
    """How far the map runs of an execution are, the oldest first, in the names of AWS's DescribeMapRun."""
    return [executor.describe_map_run(run["mapRunArn"]) for run in reversed(executor.list_map_runs(execution_id))]


def map_run_line(run: dict[str, Any]) -> str:
    """How far a map run is, in a line: its items by how they are."""
    counts: dict[str, int] = run["itemCounts"]
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    parts = {"succeeded": counts["succeeded"], "failed": failed, **{key: counts[key] for key in ("running", "pending")}}
    told = ", ".join(f"{count} {name}" for name, count in parts.items() if count or name == "succeeded")
    return f"{run['mapRunArn']} {run['status']}: of {counts['total']} items {told}"


def time_text(moment: datetime) -> str:
    """A time in the format of all commands."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(micros: int) -> str | None:
    return time_text(datetime.fromtimestamp(micros / 1_000_000, UTC)) if micros else None
