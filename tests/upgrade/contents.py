"""The content of a store, as readable lines of JSON that can be compared."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from stepwell import _core
from stepwell.engine.client.history import HistoryReader
from stepwell.engine.partition.partition import Partition
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.testing.replay import rows
from stepwell.testing.virtual import VirtualClock

NAMES = {name for name, _ in _core.context_layouts().values()}


class NoHandlers:
    """No handlers, no workers."""

    def dispatch(self, tasks: list[Any]) -> None: ...

    def queued(self, queue: str) -> None: ...


def lines(store: _core.Store) -> list[str]:
    """Rows by kind, the digest of every history, and its events as AWS shows them."""
    found: list[str] = []
    for kind, values in rows(store).items():
        if kind.startswith("history of "):
            found.append(_line(kind, hashlib.sha256(b"".join(values)).hexdigest()))
        elif kind in NAMES:
            found += [_line(kind, msgspec.msgpack.decode(value)) for value in values]
        else:
            found += [_line(kind, value.decode()) for value in values]
    partition = Partition(store, VirtualClock(), NoHandlers())
    for context in partition.storage.scan(ExecutionContext, limit=1_000_000):
        machine = partition.state.workflows.get(context.workflow_id).machine
        events = HistoryReader(machine).events(partition.storage.history(context.id, limit=1_000_000))
        found += [_line(f"event of {context.id}", event) for event in events]
    return found


def _line(kind: str, value: Any) -> str:
    return json.dumps([kind, value], ensure_ascii=False, default=_readable)


def _readable(part: bytes) -> Any:
    """A document as text; a record in a row as its fields."""
    try:
        return part.decode()
    except UnicodeDecodeError:
        return msgspec.msgpack.decode(part)
