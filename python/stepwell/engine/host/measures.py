"""What can be measured of a partition that works."""

from __future__ import annotations

from msgspec import Struct


class PartitionMeasures(Struct):
    """A partition: its process, its log's positions, and what waits in it.

    ``first`` is where the log begins, ``last`` the position given last, ``applied`` what storage has, and ``flushed``
    what storage has on disk. ``problem`` says why they are not known.
    """

    index: int
    pid: int
    first: int = 0
    last: int = 0
    applied: int = 0
    flushed: int = 0
    requests: int = 0
    tasks: int = 0
    problem: str = ""
