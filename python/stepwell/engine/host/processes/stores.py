"""The stores of all partitions, read as one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec

from stepwell import _core
from stepwell.engine.folders.partitions import mark_partitions
from stepwell.engine.host.promises import Latch, PendingPromises
from stepwell.engine.ids import CHILD_LISTS, REDRIVEN, execution_of
from stepwell.engine.partition.counters import PartitionStats
from stepwell.engine.storage.contexts import (
    ActivityContext,
    ActivityQueueContext,
    AliasContext,
    BranchContext,
    ExecutionContext,
    ItemsContext,
    IterationContext,
    ListingContext,
    MapChildContext,
    MapRunContext,
    PublishedVersionContext,
    QueueContext,
    TagsContext,
    TaskContext,
    TimerContext,
    VisibilityContext,
    WorkflowContext,
    tag_of,
)

from .partition_client import PartitionClient

_BY_EXECUTION = frozenset(
    map(
        tag_of,
        (
            ExecutionContext,
            ActivityContext,
            BranchContext,
            IterationContext,
            ItemsContext,
            MapRunContext,
            MapChildContext,
        ),
    )
)
"""Rows whose keys begin with the id of an execution, or of something in it."""
_IN_FIRST = frozenset(
    map(tag_of, (WorkflowContext, PublishedVersionContext, AliasContext, ActivityQueueContext, TagsContext))
)
"""Definitions, which all partitions have, and what only the first one has (``definitions``)."""
_TASK, _WORKFLOW = tag_of(TaskContext), tag_of(WorkflowContext)
_LISTS = frozenset(map(tag_of, (VisibilityContext, ListingContext)))
_ORDERS: dict[int, Callable[[Any], Any]] = {
    **dict.fromkeys(_LISTS, lambda row: (row[1], row[2], -row[3], row[4])),
    tag_of(TimerContext): lambda row: (row[3], row[1], row[2]),
    tag_of(QueueContext): lambda row: (row[1], row[2], row[3]),
}
"""The order of rows, by tag; other kinds are ordered by their first field."""
STATS = "stats"
"""The operation that asks a partition for its counters instead of its store's rows."""
PAGE_BYTES = 64 << 20
"""A page of one partition's rows ends after so many bytes (``rust/core/src/storage/read.rs``)."""
_decode = msgspec.msgpack.Decoder().decode
_decode_stats = msgspec.msgpack.Decoder(PartitionStats).decode
_encode = msgspec.msgpack.Encoder().encode


class Places:
    """Says in which partition something is."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions

    def of_execution(self, id: str) -> int:
        """The partition of an execution, or of something in it. Raises ``InvalidId``."""
        return _core.partition(execution_of(id), self.partitions)

    def of_task(self, id: str) -> int:
        """The partition that gave out a task. Raises ``ValueError``."""
        return int(id[-8:], 16) % self.partitions

    def of_row(self, tag: int, key: Sequence[Any]) -> int | None:
        """The partition of a row, or of all rows with this prefix. None: each partition may have some."""
        if tag in _IN_FIRST:
            return 0
        if not key or not isinstance(key[0], str):
            return None
        if tag in _BY_EXECUTION:
            return self.of_execution(key[0])
        if tag in _LISTS and key[0].startswith(CHILD_LISTS):
            return self.of_execution(key[0].removeprefix(CHILD_LISTS).removesuffix(REDRIVEN))
        return self.of_task(key[0]) if tag == _TASK else None


class PartitionedStores(ABC):
    """Reads like a store. Rows that each partition may have are read from all of them and merged in their order."""

    def __init__(self, places: Places) -> None:
        self._places = places

    @abstractmethod
    def _ask(self, place: int, operation: str, *arguments: Any, **options: Any) -> Any:
        """What the store of a partition answers."""

    @abstractmethod
    def _ask_all(self, operation: str, *arguments: Any, **options: Any) -> list[Any]:
        """What each store answers."""

    def get(self, tag: int, *key: str | int) -> bytes | None:
        """The row with this key."""
        place = self._places.of_row(tag, key)
        if place is not None:
            return self._ask(place, "get", tag, *key)
        return next((row for row in self._ask_all("get", tag, *key) if row is not None), None)

    def scan(
        self,
        tag: int,
        prefix: tuple[Any, ...] | None = None,
        after: tuple[Any, ...] | None = None,
        limit: int = 1000,
        reverse: bool = False,
        *,
        until: int | None = None,
    ) -> list[bytes]:
        """Rows in the order of their keys."""
        options = {"prefix": prefix, "after": after, "limit": limit, "reverse": reverse, "until": until}
        place = self._places.of_row(tag, prefix or ())
        if place is not None:
            return self._ask(place, "scan", tag, **options)
        every = self._ask_all("scan", tag, **options)
        return _merged(every, _ORDERS.get(tag, _first_field), limit, reverse)

    def load(self, execution_id: str) -> bytes:
        """An execution's row and all rows within it."""
        return self._ask(self._places.of_execution(execution_id), "load", execution_id)

    def history(
        self, execution_id: str, first_event: int = 0, limit_rows: int = 1000, reverse: bool = False
    ) -> list[bytes]:
        """Turns of a history."""
        place = self._places.of_execution(execution_id)
        return self._ask(place, "history", execution_id, first_event, limit_rows, reverse)

    def clock_high_water(self) -> int:
        """Not later than the clock of any partition."""
        return 0


class Stores(PartitionedStores):
    """The stores of partitions that have processes of their own."""

    def __init__(self, partitions: Sequence[PartitionClient], places: Places, promises: PendingPromises) -> None:
        super().__init__(places)
        self._partitions, self._promises = partitions, promises

    def commit(self, turns: list[Any], changes: bytes, hlc: int) -> int:
        """Write rows of a program's own, each to its partition; rows of no execution to all of them."""
        for row in _decode(changes):
            place = self._places.of_row(abs(row[0]), row[1:])
            arguments = ("commit", turns, _encode([row]), hlc)
            if place is None or abs(row[0]) == _WORKFLOW:
                self._ask_all(*arguments)
            else:
                self._ask(place, *arguments)
        return 0

    def checkpoint(self, path: str) -> list[int]:
        """Copy each store, each at a moment of its own."""
        os.mkdir(path)
        positions = [
            self._begin(partition, "checkpoint", (os.fsencode(os.path.join(path, f"p{index}")),), {})
            for index, partition in enumerate(self._partitions)
        ]
        found = [latch.wait() for latch in positions]
        mark_partitions(_core.Folder.open(path), len(self._partitions))
        return found

    def stats(self) -> list[PartitionStats]:
        """The counters of each partition."""
        return [_decode_stats(stats) for stats in self._ask_all(STATS)]

    def _ask(self, place: int, operation: str, *arguments: Any, **options: Any) -> Any:
        return self._begin(self._partitions[place], operation, arguments, options).wait()

    def _ask_all(self, operation: str, *arguments: Any, **options: Any) -> list[Any]:
        latches = [self._begin(partition, operation, arguments, options) for partition in self._partitions]
        return [latch.wait() for latch in latches]

    def _begin(
        self, partition: PartitionClient, operation: str, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Latch:
        latch = Latch()
        answer = self._promises.owe(latch.deliver)
        try:
            partition.read(answer, operation, *arguments, **options)
        except BaseException:
            answer.forget()
            raise
        return latch


class OpenStores(PartitionedStores):
    """Stores that are open in this process, to be read."""

    def __init__(self, stores: Sequence[_core.Store]) -> None:
        super().__init__(Places(len(stores)))
        self._stores = stores

    def commit(self, turns: list[Any], changes: bytes, hlc: int) -> NoReturn:
        """Nothing is written."""
        raise AssertionError("these stores are only read")

    def checkpoint(self, path: str) -> NoReturn:
        """Nothing is copied."""
        raise AssertionError("these stores are only read")

    def _ask(self, place: int, operation: str, *arguments: Any, **options: Any) -> Any:
        return getattr(self._stores[place], operation)(*arguments, **options)

    def _ask_all(self, operation: str, *arguments: Any, **options: Any) -> list[Any]:
        return [self._ask(place, operation, *arguments, **options) for place in range(len(self._stores))]


def _merged(every: list[list[bytes]], order: Callable[[Any], Any], limit: int, reverse: bool) -> list[bytes]:
    """Merge the pages of partitions. The result ends where the first incomplete page ends."""
    rows = sorted(((order(_decode(row)), row) for rows in every for row in rows), reverse=reverse)
    cut = [order(_decode(page[-1])) for page in every if len(page) < limit and sum(map(len, page)) >= PAGE_BYTES]
    if cut:
        end = max(cut) if reverse else min(cut)
        rows = [(key, row) for key, row in rows if (key >= end if reverse else key <= end)]
    return [row for _, row in rows[:limit]]


def _first_field(row: Any) -> Any:
    return row[1]
