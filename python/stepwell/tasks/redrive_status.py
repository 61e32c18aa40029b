"""What AWS tells of an ended execution's redrive: in the answers of ``.sync``, and in the records of a ResultWriter."""

from __future__ import annotations

from typing import Any


def redrive_details(status: str, count: int, *, redrivable: str = "REDRIVABLE") -> dict[str, Any]:
    """RedriveCount, RedriveStatus and, where it cannot be redriven, why (recorded, 2024-12).

    ``redrivable`` is the status of one that can be: a map run's child is ``REDRIVABLE_BY_MAP_RUN``.
    """
    if status in ("RUNNING", "SUCCEEDED"):
        reason = f"Execution is {status} and cannot be redriven"
        return {"RedriveCount": count, "RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": reason}
    return {"RedriveCount": count, "RedriveStatus": redrivable}
