"""The batching of items: for the start of children, and in a ResultWriter's list of those that were not started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from stepwell.asl.json import dumps
from stepwell.asl.states.distributed import MAX_BYTES, BatchRequest


class Batches(Struct, frozen=True):
    """An evaluated ItemBatcher, with its defaults."""

    max_items: int | None
    max_bytes: int
    fixed: dict[str, Any]
    """What each batch's input has beside ``Items``."""

    def next(self, read: Callable[[int], Any], first: int, end: int) -> tuple[list[Any], int]:
        """The values of the batch that starts with item ``first``, at least one, and the length of its input."""
        batch: list[Any] = []
        length = len(dumps({"Items": [], **self.fixed}))
        while first + len(batch) < end and (self.max_items is None or len(batch) < self.max_items):
            value = read(first + len(batch))
            longer = length + len(dumps(value)) + bool(batch)
            if longer > self.max_bytes and batch:
                break
            batch.append(value)
            length = longer
        return batch, length

    def input(self, batch: list[Any]) -> dict[str, Any]:
        """The input of a batch's child."""
        return {**self.fixed, "Items": batch}


def batches_of(request: BatchRequest) -> Batches:
    """The batches that an ItemBatcher asks for."""
    fixed = {} if request.batch_input is None else {"BatchInput": request.batch_input}
    return Batches(request.max_items, request.max_bytes or MAX_BYTES, fixed)
