"""The streams of a cluster: each is made once, and one that is missing later has lost what it acknowledged.

The bucket says of which store a partition's stream is. So a stream that is gone is not made anew by the next node that
starts, as if nothing had ever been in it: that takes ``stepwell cluster restore``.
"""

from __future__ import annotations

from typing import Any

from stepwell import _core
from stepwell.errors import StorageError

from .options import Cluster
from .records import StoreRecord, store_key
from .registry import Registry


def prepare_stream(nats: _core.Nats, registry: Registry, cluster: Cluster, index: int) -> None:
    """Make a partition's stream, if it was never made; check its settings. Several nodes may do so at once."""
    name = cluster.stream(index)
    record = registry.get(store_key(index), StoreRecord)
    if record is None:
        found = nats.stream(name)
        record = StoreRecord(_core.new_store_id(), False) if found is None else StoreRecord(found["store"], True)
        if not registry.write(store_key(index), record):
            registry.read()
            raise StorageError(f"the stream {name} is being made by another node")
    if record.made and nats.stream(name) is None:
        return  # ``stream_of`` says so
    if record.made or not record.former:
        subject = stream_subject(cluster, index, record)
        nats.create_stream(name, subject, store=record.store, unsafe_sync=cluster.unsafe_sync)
    if not record.made and not record.former and not registry.write(store_key(index), StoreRecord(record.store, True)):
        registry.read()


def stream_subject(cluster: Cluster, index: int, record: StoreRecord) -> str:
    """The subject of a partition's stream. A restored one has another: a leader of before reaches it no more."""
    return cluster.subject("log", index, *([record.store] if record.former else []))


def stream_of(nats: _core.Nats, cluster: Cluster, index: int, record: StoreRecord | None) -> dict[str, Any]:
    """What the servers say of a partition's stream. Raises ``StorageError`` if it is not the one that it should be."""
    name = cluster.stream(index)
    found = nats.stream(name)
    if record is None:
        raise StorageError(f"the cluster's bucket does not say of which store the stream {name} is: ask again")
    if found is None or not record.made:
        how = "is gone: the servers lost it" if record.made else "is being made"
        raise StorageError(f"the stream {name} {how}. What is lost comes back by `stepwell cluster restore`")
    if found["store"] != record.store:
        raise StorageError(
            f"the stream {name} is of the store {found['store']}, and the cluster's bucket says {record.store}: the "
            "servers lost it, and somebody made another one. `stepwell cluster restore` makes it of a copy again"
        )
    return found
