"""A running map run in memory: its counts, its items and the children that it started."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from stepwell.asl.json import loads
from stepwell.engine.ids import execution_of
from stepwell.engine.log.document import NONE, Document, of_value
from stepwell.engine.status import RUNNING
from stepwell.engine.storage.contexts import MapChildContext, MapRunContext
from stepwell.tasks.items.parts import Part, decode_parts

READ_ITEMS = "stepwell:readItems"
WRITE_RESULTS = "stepwell:writeResults"
"""The resources of a map run's own tasks."""
PENDING_REDRIVE = "PendingRedrive"
"""The status of a child that did not succeed and waits to continue, in a redriven map run."""
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class MapItems:
    """The items of a map run. Each becomes a document or a value only when it is needed.

    ``parts`` say for the items in order where they are from, and whether they are members of an object. Without
    parts all are from the source in the map run's row, and none is a member.
    """

    __slots__ = ("_ends", "_parts", "_texts", "_values", "document")

    def __init__(self, document: Document, parts: bytes = b"") -> None:
        self.document = document
        self._parts = decode_parts(parts)
        self._ends = list(accumulate(part.count for part in self._parts))
        self._values: list[Any] | None = document.value if document.is_parsed else None
        self._texts: Sequence[msgspec.Raw] = () if self._values is not None else _split(document.text)

    def __len__(self) -> int:
        return len(self._texts if self._values is None else self._values)

    def at(self, index: int) -> Document:
        """An item as a document."""
        if self._values is not None:
            return of_value(self._values[index])
        return Document(bytes(self._texts[index]))

    def value(self, index: int) -> Any:
        """An item as a value."""
        if self._values is not None:
            return self._values[index]
        return loads(bytes(self._texts[index]))

    def part(self, index: int) -> Part | None:
        """The part of the items that an item belongs to."""
        return self._parts[bisect_right(self._ends, index)] if self._parts else None


class MapChild:
    """A child execution of a running map run, for ``items`` items from number ``first``."""

    __slots__ = ("first", "id", "items", "number", "output", "status")

    def __init__(
        self, id: str, first: int, items: int, status: str = RUNNING, output: Document = NONE, number: int = 0
    ) -> None:
        self.id, self.first, self.items, self.status, self.output = id, first, items, status, output
        self.number = number

    def row(self) -> MapChildContext:
        """The row of storage that holds it."""
        return MapChildContext(
            self.id, first=self.first, items=self.items, status=self.status, output=self.output.text, number=self.number
        )


class MapRun:
    """A running map run."""

    __slots__ = ("breached_by", "children", "context", "items", "output_bytes", "waiting")

    def __init__(self, context: MapRunContext) -> None:
        self.context = context
        self.items: MapItems | None = None
        self.children: dict[int, MapChild] = {}
        self.output_bytes = 0
        """The size of the outputs of its children."""
        self.breached_by: MapChild | None = None
        """The child whose failure exceeded the tolerance."""
        self.waiting: deque[int] = deque()
        """The first items of the children that must continue, in order."""

    @property
    def id(self) -> str:
        """``{activity}/r{attempt}``."""
        return self.context.id

    def row(self) -> MapRunContext:
        """The row of storage that holds it."""
        return self.context

    def running_children(self) -> Iterator[MapChild]:
        """The children that have not ended."""
        return (child for child in self.children.values() if child.status == RUNNING)

    def child_execution(self, child: MapChild | MapChildContext) -> str:
        """The id of a child's execution."""
        number = child.number or self.context.first_child + child.first
        return f"{execution_of(self.id).rpartition('/')[0]}/{number:016x}"

    @property
    def has_more(self) -> bool:
        """Whether there are children to start or to continue."""
        return self.context.pending_redrive > 0 or self.context.next_item < self.context.item_count

    @property
    def exceeds_tolerance(self) -> bool:
        """Whether the run fails because one of its limits of failures is exceeded (ASL A12.63)."""
        context = self.context
        failed = context.failed_items + context.timed_out_items
        if context.tolerated_count < 0 and context.tolerated_percentage < 0:
            return failed > 0
        if 0 <= context.tolerated_count < failed:
            return True
        return 0 <= context.tolerated_percentage * context.item_count < failed * 100
