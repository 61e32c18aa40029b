"""A node's copy of a partition: how it is opened, and how it proves that it holds what the stream says.

The native copy applies the rows that the leader sent with each batch. They are what the appliers make of the batch's
events: ``prove`` makes them again and compares.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import zip_longest

from msgspec.msgpack import decode

from stepwell import _core
from stepwell.engine.limits import Limits
from stepwell.engine.replay import log_replay
from stepwell.engine.state.batch import Batch
from stepwell.engine.state.executions import Executions
from stepwell.engine.storage.storage import Storage
from stepwell.errors import CorruptionError, StorageError

READ_BYTES = 4 << 20
_ALL = 1 << 30


def open_copy(
    folder: _core.Folder | str | os.PathLike[str],
    nats: _core.Nats,
    stream: str,
    node: str,
    limits: Limits | None = None,
) -> _core.PartitionCopy:
    """Open or create a copy, replay what its storage lacks of its own log, and follow the stream.

    Raises ``StorageError`` if the servers do not answer, or the folder is not a copy of that stream.
    """
    limits = limits or Limits()
    bytes = limits.log_bytes
    copy = _core.PartitionCopy.open(folder, nats, stream, node, flush_bytes=bytes, segment_bytes=2 * bytes)
    try:
        store = copy.store
        log_replay.replay(store, Executions.over(Storage(store), limits))
        copy.follow()
    except BaseException:
        copy.close()
        raise
    return copy


def open_offline(folder: _core.Folder, limits: Limits | None = None) -> _core.PartitionCopy:
    """Open the copy in a folder without its stream, and replay what its storage lacks of its log."""
    copy = _core.PartitionCopy.offline(folder)
    try:
        store = copy.store
        log_replay.replay(store, Executions.over(Storage(store), limits or Limits()))
    except BaseException:
        copy.close()
        raise
    return copy


def prove(copy: _core.PartitionCopy, limits: Limits | None = None) -> int:
    """Apply the events of the whole stream anew, in memory, and compare every row with the copy's; return how many.

    The copy must rest meanwhile: nothing may be committed to the partition. Raises ``CorruptionError`` if a row is not
    what the events say, ``StorageError`` if the stream no longer has its beginning.
    """
    with _core.Store.open(None) as store:
        replayed(copy, store, 0, copy.status()["position"], limits)
        return compare(store, copy.store)


def replayed(
    copy: _core.PartitionCopy, store: _core.Store, sequence: int, end: int, limits: Limits | None = None
) -> None:
    """Apply to a store the events that the stream has behind ``sequence``, up to position ``end``."""
    executions = Executions.over(Storage(store), limits or Limits())
    position = store.applied()
    if position >= end:
        return
    for first, _, _, payload in _batches(copy, sequence):
        if first != position + 1:
            raise StorageError(f"the stream has positions from {first} on, not from {position + 1}")
        batch = _read_batch(executions, first, payload)
        position = store.commit(batch.turns, batch.changes(), batch.timestamp)
        store.wait_applied(position)
        if executions.exceeds_memory():
            executions.state.forget()
        if position >= end:
            return
    raise StorageError(f"the stream ends at position {position}, before {end}")


def _read_batch(executions: Executions, first: int, payload: bytes) -> Batch:
    try:
        return log_replay.read_batch(executions, first, payload)
    except StorageError:
        raise
    except Exception as error:
        raise CorruptionError(f"the events at position {first} cannot be applied: {error!r}") from error


def _batches(copy: _core.PartitionCopy, sequence: int) -> Iterator[_core.LogBatch]:
    while True:
        last, batches = copy.read_stream(sequence, READ_BYTES)
        if last == sequence:
            return
        yield from batches
        sequence = last


def compare(made: _core.Store, found: _core.Store) -> int:
    """Compare all rows; return how many there are."""
    (number, ours), (_, theirs) = made.digest(), found.digest()
    if ours == theirs:
        return number
    raise CorruptionError(f"the copy's rows are not what the events say: {_first_difference(made, found)}")


def _first_difference(made: _core.Store, found: _core.Store) -> str:
    for tag, (name, _) in _core.context_layouts().items():
        try:
            rows = (made.scan(tag, limit=_ALL), found.scan(tag, limit=_ALL))
        except (StorageError, ValueError):  # rows of that kind have no order of their own: those around them differ too
            continue
        for ours, theirs in zip_longest(*rows):
            if ours != theirs:
                made_row, found_row = (None if row is None else decode(row) for row in (ours, theirs))
                return f"a {name} should be {made_row}, and is {found_row}"
    return "they differ in a row that cannot be shown"
