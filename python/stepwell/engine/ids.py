"""Ids of activities, map runs, children, tasks and names: how they are made, and what they are within.

The formats are those of ``stepwell._core``.
"""

from __future__ import annotations

from typing import Final

_SUFFIXES: Final = tuple(f"/{number:08x}" for number in range(1024))

NUMBERS: Final = 0xFFFF_FFFF
"""The largest task number. Numbers have 8 hex digits and wrap around."""
CHILD_LISTS: Final = "\U0010fffd"
"""Begins the names of lists of child executions. They come after those of all workflows, which cannot contain it."""


def activity_id(execution_id: str, number: int) -> str:
    """The id of an execution's ``number``-th activity."""
    return execution_id + (_SUFFIXES[number] if number < 1024 else f"/{number:08x}")


def execution_of(id: str) -> str:
    """The execution of a map run, or of a child of one."""
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
    """The key within which a user's name is unique: tenant, namespace, workflow."""
    tenant, namespace = execution_id.split("/")[1:3]
    return f"/{tenant}/{namespace}/{workflow}/{name}"


def later_task(last: int, number: int) -> int:
    """The count of used task numbers, with this task's ``number``; ``last`` is the count before."""
    ahead = (number - last) & NUMBERS
    return last + ahead if ahead < 1 << 31 else last
