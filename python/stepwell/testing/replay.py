"""Replay: the log alone gives the same storage, byte for byte."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from stepwell import _core
from stepwell.engine.limits import Limits
from stepwell.engine.replay.log_replay import read_batch, replay
from stepwell.engine.state.executions import Executions
from stepwell.engine.storage.storage import Storage

KINDS = {tag: name for tag, (name, _) in _core.context_layouts().items()}
_EVERYTHING = 1_000_000_000
_NUMBERS = ("applied position", "clock", "number of rows")
_decode = msgspec.msgpack.Decoder().decode

Rows = dict[str, list[bytes]]
"""Rows by kind, in the order of their keys."""


def rows(store: _core.Store) -> Rows:
    """All rows of a store, including the histories."""
    found: Rows = {name: store.scan(tag, limit=_EVERYTHING) for tag, name in KINDS.items()}
    for row in found["Execution"]:
        execution_id = _decode(row)[1]
        found[f"history of {execution_id}"] = store.history(execution_id, limit_rows=_EVERYTHING)
    # Counts also the rows that no execution refers to.
    numbers = (store.applied(), store.clock_high_water(), store.verify())
    found.update((name, [str(number).encode()]) for name, number in zip(_NUMBERS, numbers, strict=True))
    return found


def differences(one: _core.Store, other: _core.Store) -> list[str]:
    """The differences of two stores as text; empty if they are the same, byte for byte."""
    ours, theirs = rows(one), rows(other)
    found: list[str] = []
    for kind in {**ours, **theirs}:
        left, right = ours.get(kind, []), theirs.get(kind, [])
        if left != right:
            found += [f"{kind}: {_shown(kind, row)} only in the first" for row in left if row not in right]
            found += [f"{kind}: {_shown(kind, row)} only in the second" for row in right if row not in left]
            if sorted(left) == sorted(right):
                found.append(f"{kind}: the same rows in another order")
    return found


def _shown(kind: str, row: bytes) -> str:
    return row.decode() if kind in _NUMBERS else repr(_decode(row))


def rebuilt(source: _core.Store, until: int | None = None, into: _core.Store | None = None) -> _core.Store:
    """A store, ``into`` or in memory, that is made of the log of ``source`` alone, of its first ``until`` batches."""
    store = _core.Store.open(None) if into is None else into
    executions = Executions.over(Storage(store), Limits())
    for first, _, _, payload in source.read_log(1, _EVERYTHING)[:until]:
        batch = read_batch(executions, first, payload)
        last = store.commit(batch.turns, batch.changes(), batch.timestamp)
        assert last == first + batch.count - 1, f"the batch ends at {last}, not at {first + batch.count - 1}"
        store.wait_applied(last, None)
    return store


def replay_folder(data: str | os.PathLike[str], into: str | os.PathLike[str]) -> _core.Store:
    """Copy the log of a data folder that is not open, and open the copy as a store."""
    source, target = Path(data), Path(into)
    shutil.copytree(source / "log", target / "log")
    store = _core.Store.open(target)
    replay(store, Executions.over(Storage(store), Limits()))
    return store
