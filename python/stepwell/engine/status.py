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

from typing import Final

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

CREATED: Final = "Created"
ACTIVE: Final = "Active"
SUBMITTED: Final = "Submitted"
"""The status of a task, from its creation on."""


class IllegalTransition(Exception):
    """A status that must not follow another: a defect of the engine, never of its input."""


def transition(current: str, following: str) -> str:
    """Return ``following``. Raises ``IllegalTransition`` unless the table allows it after ``current``."""
    if following not in FOLLOWS[current]:
        raise IllegalTransition(f"{current} → {following}")
    return following
