"""An execution as the record that commands print."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stepwell import Execution
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


def time_text(moment: datetime) -> str:
    """A time in the format of all commands."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(micros: int) -> str | None:
    return time_text(datetime.fromtimestamp(micros / 1_000_000, UTC)) if micros else None
