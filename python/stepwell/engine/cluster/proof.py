"""Proves that rows are what the events say: a copy of a stream is compared with one that applies its events anew.

Copies apply the rows that a leader sent with each batch (``copies``). Here the appliers make them again, from the
oldest snapshot on, or from the beginning where the stream still has it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from stepwell import _core
from stepwell.engine.limits import Limits
from stepwell.errors import StorageError

from .copies import compare, open_copy, replayed
from .snapshots.catalog import COPY_OF, KEPT, Catalog

READ_SECONDS = 300.0
"""How long the servers may give nothing new of a stream that is read."""


def prove_stream(
    nats: _core.Nats, name: str, stream: dict[str, Any], catalog: Catalog, work: Path, limits: Limits | None = None
) -> int:
    """Compare all rows of a stream, of which the servers say ``stream``; return how many there are.

    Raises ``CorruptionError`` if a row, or a snapshot, is not what it should be. ``work`` is an empty folder.
    """
    begun, sequence = work / "begun", 0
    known = [each for each in catalog.list(stream["partition"]) if each.store == stream["store"]][:KEPT]
    for snapshot in known:
        catalog.check(snapshot)
    if known and stream["first_sequence"] > 1:
        sequence = catalog.fetch(known[-1], begun).sequence
        catalog.fetch(known[-1], work / "copy")
    copy = open_copy(work / "copy", nats, name, "check", limits)
    try:
        _read(copy, stream["last_sequence"])
        position = copy.snapshot(work / "found")["position"]
        with _plain(work / "found") as found, _begun(begun, sequence) as made:
            replayed(copy, made, sequence, position, limits)
            return compare(made, found)
    finally:
        copy.close()


def _read(copy: _core.PartitionCopy, sequence: int) -> None:
    """Wait until a copy has read a stream up to a sequence."""
    last, since = -1, time.monotonic()
    while (status := copy.status())["sequence"] < sequence:
        if status["failure"] is not None:
            raise StorageError(status["failure"])
        if status["sequence"] != last:
            last, since = status["sequence"], time.monotonic()
        elif time.monotonic() - since > READ_SECONDS:
            raise StorageError(f"the stream is read up to {last} of {sequence}, and no server gives more")
        time.sleep(0.05)


def _begun(folder: Path, sequence: int) -> _core.Store:
    return _plain(folder) if sequence else _core.Store.open(None)


def _plain(folder: Path) -> _core.Store:
    """A snapshot as a store that belongs to no stream."""
    (folder / COPY_OF).unlink()
    return _core.Store.open(folder)
