"""A cluster as one of its nodes sees it: its keys, its own copies, and what JetStream says of the streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from stepwell import _core
from stepwell.engine.host.cluster_state import (
    ClusterState,
    NodeState,
    PartitionState,
    ReplicaState,
    StreamState,
)
from stepwell.errors import StepwellError

from .leadership import Leadership
from .leases import lease_of
from .options import Cluster
from .records import ClusterRecord, NodeRecord, PinRecord, StoreRecord, pin_key, store_key
from .registry import Registry
from .streams import stream_of

STREAM_SECONDS = 5.0
"""How old may be what JetStream said of the streams."""


def nodes_of(registry: Registry, alive: Collection[str]) -> list[NodeState]:
    """Each node that the cluster has had."""
    return [
        NodeState(each.node, each.node in alive, each.address, each.version, each.leads)
        for each in records_of(registry)
    ]


def partition_of(registry: Registry, index: int) -> PartitionState:
    """A partition, by the keys."""
    lease = lease_of(registry, index)
    pin = registry.get(pin_key(index), PinRecord)
    key, records = str(index), records_of(registry)
    return PartitionState(
        index,
        lease.node or None,
        lease.epoch or None,
        None if pin is None else pin.node or None,
        {each.node: each.applied[key] for each in records if key in each.applied},
        {each.node: each.problems[key] for each in records if key in each.problems},
    )


def records_of(registry: Registry) -> list[NodeRecord]:
    """What each node says of itself, or said last."""
    found = (registry.get(key, NodeRecord) for key in registry.keys("node."))
    return [record for record in found if record is not None]


def _stream_state(nats: _core.Nats, options: Cluster, registry: Registry, index: int) -> StreamState:
    """What JetStream says of a partition's stream."""
    try:
        found = stream_of(nats, options, index, registry.get(store_key(index), StoreRecord))
    except StepwellError as error:  # it is lost, the servers do not answer, or the node is being closed
        return StreamState(problem=str(error))
    replicas = [ReplicaState(*replica) for replica in found["followers"]]
    return StreamState(found["leader"], replicas, found["messages"], found["bytes"])


class View:
    """Of one node. Any thread may look."""

    def __init__(
        self,
        options: Cluster,
        record: ClusterRecord,
        registry: Registry,
        leaderships: Sequence[Leadership],
        nats: _core.Nats,
        alive: Callable[[], Collection[str]],
    ) -> None:
        self._options, self._record, self._registry = options, record, registry
        self._leaderships, self._alive = leaderships, alive
        self._streams = _Streams(nats, options, registry, record.partitions)

    def look(self) -> ClusterState:
        """The cluster as it is now. It waits for nobody: streams are as they were some seconds ago."""
        streams = self._streams.latest()
        partitions = [
            replace(partition_of(self._registry, index), stream=streams.get(index))
            for index in range(self._record.partitions)
        ]
        return ClusterState(
            self._options.name,
            self._record.id,
            self._options.node,
            nodes_of(self._registry, self._alive()),
            partitions,
            [each.state() for each in self._leaderships],
        )


class _Streams:
    """Asks JetStream in a thread of its own: without a quorum it takes its time to say so."""

    def __init__(self, nats: _core.Nats, options: Cluster, registry: Registry, count: int) -> None:
        self._given, self._count = (nats, options, registry), count
        self._known: dict[int, StreamState] = {}
        self._asked = 0.0
        self._asking = threading.Lock()

    def latest(self) -> dict[int, StreamState]:
        """What is known; where that is old, it is asked for, for the next look."""
        if time.monotonic() - self._asked > STREAM_SECONDS and self._asking.acquire(blocking=False):
            threading.Thread(target=self._ask, name="stepwell-streams", daemon=True).start()
        return self._known

    def _ask(self) -> None:
        try:
            self._known = {index: _stream_state(*self._given, index) for index in range(self._count)}
        finally:
            self._asked = time.monotonic()
            self._asking.release()
