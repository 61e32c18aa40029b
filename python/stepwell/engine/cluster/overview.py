"""What an operator sees of a cluster and may change: its nodes, who leads what, and the streams."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from stepwell import _core
from stepwell.errors import CorruptionError, InvalidInput, StorageError

from .leases import lease_of
from .link import Link
from .options import Cluster
from .proof import prove_stream
from .records import (
    CLUSTER,
    ClusterRecord,
    NodeRecord,
    PinRecord,
    StoreRecord,
    WantedRecord,
    node_key,
    pin_key,
    store_key,
    wanted_key,
)
from .registry import Registry
from .snapshots.catalog import Catalog, Manifest
from .snapshots.where import snapshots_place
from .streams import stream_of
from .view import nodes_of, partition_of, records_of

_ATTEMPTS = 3
"""How often a partition is read whose stream was purged meanwhile."""
MOVE_SECONDS = 30.0
"""How long a partition that was moved may take to arrive."""
LOOK_SECONDS = 0.2
"""How often the nodes' records are read, while it is seen which nodes live."""
SNAPSHOT_SECONDS = 600.0
"""How long a snapshot may take that was asked for."""


class Overview:
    """A cluster seen from outside: no node of it is needed. Close it after use."""

    def __init__(self, options: Cluster) -> None:
        self.options = options
        self._link = Link(options)
        try:
            self._registry = Registry(self._link)
            self.record = self._registry.patiently(self._read_record)
        except BaseException:
            self._link.close()
            raise

    def _read_record(self) -> ClusterRecord:
        name, where = self.options.name, self.options.where
        if not self._registry.exists():
            raise StorageError(f"there is no cluster {name} at {where}: a node that joins makes it")
        self._registry.read()
        record = self._registry.get(CLUSTER, ClusterRecord)
        if record is None:
            raise StorageError(f"cluster {name} at {where} is being made: ask again")
        return record

    def _read(self) -> None:
        self._registry.patiently(self._registry.read)

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def nodes(self) -> list[dict[str, Any]]:
        """Each node that the cluster has had: it is alive if it tells something within the time of a lease."""
        before = {key: self._registry.entry(key) for key in self._registry.keys("node.")}
        for _ in range(math.ceil(self.options.lease / LOOK_SECONDS)):  # reads that take long are no time of a node
            time.sleep(LOOK_SECONDS)
            self._read()
            if all(self._registry.entry(key) != entry for key, entry in before.items()):
                break
        alive = [
            record.node
            for record in records_of(self._registry)
            if self._registry.entry(node_key(record.node)) != before.get(node_key(record.node))
        ]
        found = [to_builtins(each) for each in nodes_of(self._registry, alive)]
        return [{**each, "address": each["address"] or None} for each in found]

    def missing(self, alive: Collection[str]) -> list[str]:
        """The nodes that have ended without saying so, and are not forgotten."""
        return [record.node for record in records_of(self._registry) if record.ready and record.node not in alive]

    def unsaved(self, alive: Collection[str]) -> list[str]:
        """The snapshots that nodes could not make a short time ago."""
        return [
            f"partition {partition}: node {record.node} makes no snapshot: {why}"
            for record in records_of(self._registry)
            if record.node in alive
            for partition, why in record.unsaved.items()
        ]

    def forget(self, node: str) -> None:
        """A node that is dead is not expected back. It may come back nevertheless.

        Raises ``InvalidInput`` for a node that lives or that there never was.
        """
        record = self._registry.get(node_key(node), NodeRecord)
        if record is None:
            raise InvalidInput(f"cluster {self.options.name} has no node {node}")
        if any(each["node"] == node and each["alive"] for each in self.nodes()):
            raise InvalidInput(f"node {node} lives: end it first")
        self._registry.tell(node_key(node), replace(record, leads=[], ready=[], applied={}, problems={}, unsaved={}))

    def partitions(self) -> list[dict[str, Any]]:
        """Who leads each partition, and how far each node's copy is."""
        found = [partition_of(self._registry, index) for index in range(self.record.partitions)]
        return [{key: value for key, value in to_builtins(each).items() if key != "stream"} for each in found]

    def move(self, partition: int, node: str | None) -> None:
        """Let a node lead a partition, as long as it lives; None: the node that is preferred anyway.

        Waits until it leads. Raises ``InvalidInput``, and ``StorageError`` if that takes too long.
        """
        self._check_partition(partition)
        if node is not None and self._registry.entry(node_key(node)) is None:
            raise InvalidInput(f"cluster {self.options.name} has no node {node}")
        if not self._registry.write(pin_key(partition), PinRecord(node or "")):
            raise StorageError(
                f"partition {partition} was moved by somebody else at the same time: look, and try again"
            )
        self._registry.notify(pin_key(partition))
        deadline = time.monotonic() + MOVE_SECONDS
        while node is not None:
            self._read()
            lease = lease_of(self._registry, partition)
            if lease.node == node and lease.epoch:
                return
            if time.monotonic() > deadline:
                raise StorageError(
                    f"node {node} does not lead partition {partition} after {MOVE_SECONDS:.0f} s: does it run, and "
                    "does its copy follow? It will, once it does"
                )
            time.sleep(0.1)

    def _check_partition(self, partition: int) -> None:
        if not 0 <= partition < self.record.partitions:
            raise InvalidInput(f"cluster {self.options.name} has the partitions 0 to {self.record.partitions - 1}")

    def streams(self) -> list[dict[str, Any]]:
        """What JetStream says of each partition's stream."""
        with self.connected() as nats:
            return [{"partition": index, **self._stream(nats, index)} for index in range(self.record.partitions)]

    @contextmanager
    def connected(self) -> Generator[_core.Nats]:
        """A connection to the streams."""
        options = self.options
        nats = _core.Nats.connect(options.servers, name="stepwell cluster check", credentials=options.credentials)
        try:
            yield nats
        finally:
            nats.close()

    def _stream(self, nats: _core.Nats, index: int) -> dict[str, Any]:
        try:
            return stream_of(nats, self.options, index, self._registry.get(store_key(index), StoreRecord))
        except StorageError as error:
            return {"problem": str(error)}

    # snapshots

    @cached_property
    def catalog(self) -> Catalog:
        """The cluster's snapshots."""
        return Catalog(snapshots_place(self._link, self._registry, self.options), self.options.name)

    def snapshots(self, stream: dict[str, Any]) -> list[Manifest]:
        """The newest two snapshots of a partition, of which the servers say ``stream``."""
        return [] if "problem" in stream else self.catalog.newest(stream["partition"], stream["store"])

    def prove(self, stream: dict[str, Any], attempts: int = _ATTEMPTS) -> int:
        """Compare all rows of a partition with what its events say; return how many there are.

        Raises ``CorruptionError`` if a row, or a snapshot, is not what it should be.
        """
        with TemporaryDirectory(prefix="stepwell-check-") as work, self.connected() as nats:
            try:
                name = self.options.stream(stream["partition"])
                return prove_stream(nats, name, stream, self.catalog, Path(work))
            except CorruptionError:
                raise
            except StorageError:
                now = {"partition": stream["partition"], **self._stream(nats, stream["partition"])}
                if attempts == 1 or "problem" in now:
                    raise
        return self.prove(now, attempts - 1)

    def snapshot(self, partition: int) -> Manifest:
        """Have a snapshot made of all that a partition's stream holds by now; one that is there already will do."""
        self._check_partition(partition)
        with self.connected() as nats:
            record = self._registry.get(store_key(partition), StoreRecord)
            stream = {"partition": partition, **stream_of(nats, self.options, partition, record)}
        wanted, deadline = stream["last_sequence"], time.monotonic() + SNAPSHOT_SECONDS
        is_asked = False
        while not (found := self.snapshots(stream)) or found[0].sequence < wanted:
            if not is_asked:
                is_asked = self._registry.write(wanted_key(partition), WantedRecord(wanted))
                self._registry.read()
            if time.monotonic() > deadline:
                raise StorageError(
                    f"no node has made a snapshot of partition {partition} for {SNAPSHOT_SECONDS:.0f} s: does one run, "
                    "and what does its log say?"
                )
            time.sleep(0.3)
        return found[0]
