"""Ids that the walk makes by the thousand, in the formats of ``stepwell._core``."""

from __future__ import annotations

from typing import Final

_SUFFIXES: Final = tuple(f"/{number:08x}" for number in range(1024))


def activity_id(execution_id: str, number: int) -> str:
    """The id of an execution's ``number``-th activity."""
    return execution_id + (_SUFFIXES[number] if number < 1024 else f"/{number:08x}")
