"""Ids: how those of activities, map runs, children, tasks and names are made, and which one is within which.

The formats are those of ``stepwell._core``.
"""

from __future__ import annotations

from typing import Final

_SUFFIXES: Final = tuple(f"/{number:08x}" for number in range(1024))

NUMBERS: Final = 0xFFFF_FFFF
"""The numbers of tasks, in 8 hex digits, go round."""
CHILD_LISTS: Final = "\U0010fffd"
"""What the names of lists of child executions begin with: behind those of all workflows, which cannot have it."""


def activity_id(execution_id: str, number: int) -> str:
    """The id of an execution's ``number``-th activity."""
    return execution_id + (_SUFFIXES[number] if number < 1024 else f"/{number:08x}")


def execution_of(id: str) -> str:
    """The execution that a map run, or a child of one, stands under."""
    return "/".join(id.split("/", 5)[:5])


def activity_of(id: str) -> str:
    """The state of a map run, of a branch or of an iteration."""
    return id.rpartition("/")[0]


def run_of(child_id: str) -> str:
    """The map run of a child."""
    return child_id.rpartition("/")[0]


def child_list(run_id: str) -> str:
    """The list of executions that the children of a map run are in."""
    return CHILD_LISTS + run_id


def idempotency_key(execution_id: str, workflow: str, name: str) -> str:
    """What a name given by a user is unique in: tenant, namespace and workflow."""
    tenant, namespace = execution_id.split("/")[1:3]
    return f"/{tenant}/{namespace}/{workflow}/{name}"


def later_task(last: int, number: int) -> int:
    """How many task numbers were given out, after ``last`` and this task's ``number``: ids show the low 32 bits."""
    ahead = (number - last) & NUMBERS
    return last + ahead if ahead < 1 << 31 else last
