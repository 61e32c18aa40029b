"""Reads of this node's copies. They ask nobody, so they need no leader, and say how old what they find is at most.

A copy holds what this node was told by leaders: whoever starts an execution through a node finds it there. That is
waited for, but not for long: a copy that cannot follow shows what it has.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from stepwell import _core
from stepwell.engine.host.processes.stores import STATS
from stepwell.engine.host.reading import Reading
from stepwell.errors import Closed, CorruptionError, StorageError

from .leadership import Leadership

PATIENCE_SECONDS = 3.0
"""How long a block that reads waits, in all, for copies that are being opened or are behind."""
_LOOK_SECONDS = 0.02


class CopyReads:
    """The copies of all partitions. Any thread may call it."""

    def __init__(self, copies: Sequence[Leadership]) -> None:
        self._copies = copies

    def read(
        self, place: int, operation: str, arguments: tuple[Any, ...], options: dict[str, Any], reading: Reading
    ) -> Any:
        """What a partition's copy answers. Raises ``StorageError`` if it is not open."""
        held, patience = self._copies[place], _Patience(reading)
        while True:
            copy = held.copy
            try:
                if copy is None:
                    raise StorageError(not_open(held))
                age, store = _level(copy, held.partition.answered, patience), copy.store
                found = getattr(store, operation)(*arguments, **options)
            except CorruptionError as error:
                held.found_damage(error)
                raise
            except (Closed, StorageError):  # its role may change at the moment, or it is opened anew
                if not patience.waits():
                    raise
            else:
                reading.answered(age)
                return found

    def read_all(
        self, operation: str, arguments: tuple[Any, ...], options: dict[str, Any], reading: Reading
    ) -> list[Any]:
        """What each copy answers. Counters are kept by leaders alone: those of this node."""
        if operation == STATS:
            return [stats for held in self._copies if (stats := held.partition.stats()) is not None]
        return [self.read(place, operation, arguments, options, reading) for place in range(len(self._copies))]


class _Patience:
    """How long reads of a block may still wait."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def waits(self) -> bool:
        """Wait a little; returns False once the block has waited long enough."""
        if not self._reading.may_wait(time.monotonic(), PATIENCE_SECONDS):
            return False
        time.sleep(_LOOK_SECONDS)
        return True


def _level(copy: _core.PartitionCopy, answered: int, patience: _Patience) -> float:
    """Wait until a copy has what this node was told; how old it is at most."""
    while True:
        status = copy.status()
        is_behind = status["age"] is None or copy.store.applied() < answered
        if not is_behind or status["failure"] is not None or not patience.waits():
            return math.inf if status["age"] is None else status["age"]


def not_open(held: Leadership) -> str:
    """Why a copy cannot be read."""
    why = f": {held.problem}" if held.problem else ""
    return f"this node's copy of partition {held.index} is not open{why}"
