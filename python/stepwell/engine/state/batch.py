"""A batch: turns for the log, and the rows that they change."""

from __future__ import annotations

from typing import Any

import msgspec

from stepwell import _core
from stepwell.engine.storage.contexts import SequenceContext

from .partition_state import LARGE
from .turn import Turn

_encode = msgspec.msgpack.Encoder().encode


class Batch:
    """A batch that is being made, or was read from the log. Both give the same rows."""

    __slots__ = ("_last_task", "_rows", "bytes", "count", "timestamp", "turns")

    def __init__(self) -> None:
        self.turns: list[_core.Turn] = []
        self.count = self.timestamp = 0
        """The number of its records, and the newest timestamp that they use."""
        self.bytes = 0
        """Its size on the log, and in rows of large executions."""
        self._rows: list[Any] = []
        self._last_task = 0

    def add(self, turn: Turn, blob: bytes, count: int) -> None:
        """Add a turn of ``count`` records, as it stands on the log."""
        execution = turn.execution
        advanced = execution is not None and execution.context.last_event >= turn.first_event
        self.turns.append((turn.execution_id, turn.first_event if advanced else 0, count, blob))
        self.count += count
        self.timestamp = max(self.timestamp, turn.high_water)
        rows, size = turn.rows(), len(blob)
        if execution is not None:
            execution.grown = grown = execution.grown + size
            if grown + execution.weight >= LARGE:  # else neither is large
                if grown >= LARGE:
                    turn.state.grow(execution)
                if execution.weight >= LARGE:
                    rows = [_encode(row) for row in rows]
                    size += sum(map(len, rows))
                    rows = map(msgspec.Raw, rows)
        self._rows += rows
        self.bytes += size
        self._last_task = turn.last_task or self._last_task

    def changes(self) -> bytes:
        """Its rows, encoded for storage, with the number of the last task once."""
        sequence = [SequenceContext("task", self._last_task)] if self._last_task else []
        return _encode([*self._rows, *sequence])
