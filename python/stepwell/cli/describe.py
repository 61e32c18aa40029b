"""An execution as the record that commands print."""

from __future__ import annotations

from typing import Any

from stepwell import Execution

COLUMNS = ("id", "workflow", "name", "status", "started", "stopped")


def summary(execution: Execution) -> dict[str, Any]:
    """What a list tells of an execution."""
    return {
        "id": execution.id,
        "workflow": execution.workflow,
        "name": execution.name,
        "status": execution.status,
        "started": execution.started_at,
        "stopped": execution.stopped_at,
    }


def outcome(execution: Execution) -> dict[str, Any]:
    """What became of an execution: its output, or its error and cause."""
    record = summary(execution)
    if record["status"] == "Succeeded":
        record["output"] = execution.output
    elif record["status"] in ("Failed", "Canceled"):
        record |= {"error": execution.error, "cause": execution.cause}
    return record
