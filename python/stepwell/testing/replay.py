"""Replay: the log alone gives the same storage, byte for byte."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from stepwell import _core
from stepwell.engine.partition import Partition
from stepwell.engine.recovery import apply_batch
from stepwell.tasks.dispatch import Call

from .virtual import VirtualClock

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


def rebuilt(source: _core.Store, until: int | None = None) -> _core.Store:
    """A store in memory, made from the log of ``source`` alone, from its first ``until`` batches."""
    store = _core.Store.open(None)
    replaying = _Replaying(store)
    partition = Partition(replaying, VirtualClock(), _NoHandlers(), seed=0)  # pyright: ignore[reportArgumentType]
    for first, _, _, payload in source.read_log(1, _EVERYTHING)[:until]:
        apply_batch(partition, first, payload)
    return store


def replay_folder(data: str | os.PathLike[str], into: str | os.PathLike[str]) -> _core.Store:
    """Copy the log of a data folder that is not open, and open the copy as a store."""
    source, target = Path(data), Path(into)
    shutil.copytree(source / "log", target / "log")
    store = _core.Store.open(target)
    Partition(store, VirtualClock(), _NoHandlers(), seed=0).recover()
    return store


class _Replaying:
    """A store that writes to its log what is applied to it."""

    def __init__(self, store: _core.Store) -> None:
        self._store = store

    def apply(self, turns: list[_core.Turn], changes: bytes, position: int, hlc: int) -> None:
        last = self._store.commit(turns, changes, hlc)
        assert last == position, f"the batch ends at {last}, not at {position}"
        self._store.wait_applied(last, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class _NoHandlers:
    def dispatch(self, tasks: list[Call]) -> None:
        """Does nothing: there are no handlers."""

    def queued(self, queue: str) -> None:
        """Does nothing: there are no workers."""
