"""The inputs of a map run's next children."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from stepwell.engine.log.document import Document

if TYPE_CHECKING:
    from stepwell.asl.errors import AslError


class Inputs(Struct, frozen=True):
    """The inputs of the next children, over ``item_count`` items in batches of ``sizes``.

    ``error`` is that of the item after them, if its input cannot be made.
    """

    documents: list[Document]
    item_count: int
    sizes: tuple[int, ...]
    error: AslError | None
