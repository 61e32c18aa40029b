"""What a forked process lets go of: sockets of its parent, which would seem to live as long as their copies do."""

from __future__ import annotations

import os
from typing import Protocol


class OfOneProcess(Protocol):
    """Something whose copy in a forked process is of no use there."""

    def close_in_child(self) -> None:
        """Let go of it, in the forked process, which has one thread only."""
        ...


_held: set[OfOneProcess] = set()
register = _held.add
"""Let ``close_in_child`` be called in processes that are forked from now on."""
forget = _held.discard


def _close_all() -> None:
    for each in list(_held):
        try:
            each.close_in_child()
        except OSError:  # it is closed already
            continue
    _held.clear()


os.register_at_fork(after_in_child=_close_all)
