"""The status of an execution: one table of what may follow what.

::

                Pending
                   │
    Completing ◀─ Running ─▶ Canceling
        │          │             │
    Succeeded    Failed       Canceled
        └──────────┴──▶ Deleting ◀┘

A failed execution that is redriven is Running again.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Status: TypeAlias = Literal[
    "Pending", "Running", "Completing", "Succeeded", "Failed", "Canceling", "Canceled", "Deleting"
]
AwsStatus: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]

PENDING: Final = "Pending"
RUNNING: Final = "Running"
COMPLETING: Final = "Completing"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
CANCELING: Final = "Canceling"
CANCELED: Final = "Canceled"
DELETING: Final = "Deleting"

FOLLOWS: Final[dict[str, frozenset[str]]] = {
    PENDING: frozenset({RUNNING, CANCELING}),
    RUNNING: frozenset({COMPLETING, FAILED, CANCELING}),
    COMPLETING: frozenset({SUCCEEDED}),
    CANCELING: frozenset({CANCELED}),
    SUCCEEDED: frozenset({DELETING}),
    FAILED: frozenset({DELETING, RUNNING}),
    CANCELED: frozenset({DELETING, RUNNING}),
    DELETING: frozenset(),
}
ENDED: Final = frozenset({SUCCEEDED, FAILED, CANCELED})
OVER: Final = ENDED | {DELETING}
"""It has ended, and is kept or being deleted."""
STATUSES: Final = tuple(FOLLOWS)

AWS_STATUSES: Final[dict[AwsStatus, tuple[str, ...]]] = {
    "RUNNING": (PENDING, RUNNING, COMPLETING, CANCELING),
    "SUCCEEDED": (SUCCEEDED,),
    "FAILED": (FAILED,),
    "TIMED_OUT": (CANCELED,),
    "ABORTED": (CANCELED,),
    "PENDING_REDRIVE": (FAILED, CANCELED),
}
"""AWS's statuses, and those of ours that an execution with one of them may have."""
AWS_ENDED: Final[tuple[AwsStatus, ...]] = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
"""AWS's statuses of an execution that has ended."""

CREATED: Final = "Created"
ACTIVE: Final = "Active"
SUBMITTED: Final = "Submitted"
"""The status of a task, from its creation on."""


def aws_status(status: str, *, timed_out: bool = False, pending_redrive: bool = False) -> AwsStatus:
    """AWS's name for the status of an execution that is not being deleted.

    ``pending_redrive``: it is a child of a map run that runs on, and is to be run on itself.
    """
    if pending_redrive:
        return "PENDING_REDRIVE"
    if status == CANCELED:
        return "TIMED_OUT" if timed_out else "ABORTED"
    if status == SUCCEEDED:
        return "SUCCEEDED"
    return "FAILED" if status == FAILED else "RUNNING"


class IllegalTransition(Exception):
    """A status that must not follow another: a defect of the engine, never of its input."""


def transition(current: str, following: str) -> str:
    """Return ``following``. Raises ``IllegalTransition`` unless the table allows it after ``current``."""
    if following not in FOLLOWS[current]:
        raise IllegalTransition(f"{current} → {following}")
    return following
