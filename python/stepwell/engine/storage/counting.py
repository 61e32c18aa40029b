"""How many rows there are in a list of executions."""

from __future__ import annotations

from msgspec import msgpack

from .contexts import ListingContext, VisibilityContext, tag_of
from .storage import Storage

Listed = type[VisibilityContext] | type[ListingContext]
PAGE = 10_000


def count_rows(storage: Storage, kind: Listed, *prefix: str) -> int:
    """How many rows have a key that begins with ``prefix``. Only the last one of a page is decoded."""
    count, after = 0, None
    while True:
        rows = storage.rows.scan(tag_of(kind), prefix, after, PAGE)
        count += len(rows)
        if len(rows) < PAGE:
            return count
        after = _key(kind, rows[-1])


def _key(kind: Listed, row: bytes) -> tuple[str, str, int, str]:
    found: VisibilityContext | ListingContext = msgpack.decode(row, type=kind)
    if isinstance(found, VisibilityContext):
        return found.workflow, found.status, found.started_at, found.execution_id
    return found.list, found.status, found.sorted_at, found.execution_id
