"""Commands on the log that have no event yet, as rows. They are processed later, or after a crash.

Some of them share a document, as the branches of a Parallel state do. Storage has it once, with the last of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from stepwell.engine.log.codec import decode_record, encode_record
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import Command
from stepwell.engine.storage.contexts import REMOVE_PENDING_COMMAND, PendingCommandContext
from stepwell.engine.storage.storage import Storage

from .turn import Item, Turn


def key_of(position: int) -> str:
    """The key of a pending command's row in a turn's changes."""
    return f"pending {position}"


def keep(turn: Turn, items: Iterable[Item]) -> None:
    """Write rows for commands that a turn has put on the log without an event."""
    for group in _groups(items):
        last, text = group[-1][2], group[-1][1].text
        for command, _, position in group:
            record = command
            if command.document is not None:
                record = msgspec.structs.replace(command, **{command.document: text if position == last else None})
            row = PendingCommandContext(
                position, turn.execution_id, encode_record(record), 0 if position == last else last
            )
            turn.create(key_of(position), row)


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Groups commands that share a document: on the log only the first of them has it."""
    group: list[Item] = []
    alone: list[list[Item]] = []
    for item in items:
        command, document, _ = item
        if command.document is None or document is NONE:
            alone.append([(command, NONE, item[2])])
            continue
        if group and (getattr(command, command.document) is not None or document is not group[-1][1]):
            yield group
            group = []
        group.append(item)
    if group:
        yield group
    yield from alone


def answered(turn: Turn, position: int) -> None:
    """Remove the row of a command that has its event now."""
    turn.drop(key_of(position), (REMOVE_PENDING_COMMAND, position))


def unanswered(storage: Storage) -> dict[str, deque[Item]]:
    """The commands on the log that have no event, by execution, in the log's order."""
    items: dict[str, deque[Item]] = {}
    for execution_id, item in _read(storage):
        items.setdefault(execution_id, deque()).append(item)
    return items


def _read(storage: Storage) -> Iterator[tuple[str, Item]]:
    rows: list[tuple[PendingCommandContext, Command]] = []
    documents: dict[int, Document] = {}
    after: tuple[Any, ...] | None = None
    while page := storage.scan(PendingCommandContext, after=after):
        for row in page:
            command = decode_record(row.record)
            assert isinstance(command, Command)
            text = getattr(command, command.document) if command.document else None
            if text:
                documents[row.position] = Document(text)
                row.record = b""
            rows.append((row, command))
        after = (page[-1].position,)
    for row, command in rows:
        yield row.scope, (command, documents.get(row.document_at or row.position, NONE), row.position)
