"""AWS's description of an ended execution's redrive, in answers of ``.sync`` and in records of a ResultWriter."""

from __future__ import annotations

from typing import Any


def redrive_details(status: str, count: int, *, redrivable: str = "REDRIVABLE") -> dict[str, Any]:
    """RedriveCount, RedriveStatus and, if it cannot be redriven, the reason (recorded, 2024-12).

    ``redrivable`` is the status of one that can be redriven: a map run's child has ``REDRIVABLE_BY_MAP_RUN``.
    """
    if status in ("RUNNING", "SUCCEEDED"):
        reason = f"Execution is {status} and cannot be redriven"
        return {"RedriveCount": count, "RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": reason}
    return {"RedriveCount": count, "RedriveStatus": redrivable}
