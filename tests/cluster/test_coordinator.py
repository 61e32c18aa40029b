"""Who is taken for dead, and when a node may rely on its leases, where leases differ and replicas are behind."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from cluster.bucket import Bucket
from stepwell import Cluster
from stepwell.engine.cluster import coordinator
from stepwell.engine.cluster.coordinator import Coordinator
from stepwell.engine.cluster.records import LeaseRecord, NodeRecord, lease_key, node_key

OURS = Cluster("nats://nowhere:4222", node="n1")
BOOT = "boot"


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


class Replica(Bucket):
    """A replica that was cut off: all keys are as they were before it was."""

    def read(self) -> None:
        pass


class Copy:
    """A partition whose copy is ready, on a node that was told to lead it or not."""

    index, is_ready, is_led, is_taken, position, problem, unsaved = 3, True, False, False, 0, None, ""

    def __init__(self) -> None:
        self.partition: Any = self

    def follow_leader(self, leader: Any) -> None: ...

    def tick(self) -> None: ...

    def next_due(self) -> None: ...

    def lead(self) -> None:
        self.is_taken = True


def node(bucket: Bucket, options: Cluster = OURS, copy: Copy | None = None) -> Coordinator:
    link: Any = Mock(options=options)
    copies: list[Any] = [] if copy is None else [copy]
    return Coordinator(link, bucket, BOOT, copies, lambda error: None)


def other_node(lease: float, leads: list[int]) -> NodeRecord:
    return NodeRecord("n2", "other", "", "", 1, leads, [3], {}, {}, [], lease)


@pytest.mark.parametrize(("ours", "theirs", "is_alive"), [(4.0, 60.0, True), (60.0, 4.0, True), (4.0, 4.0, False)])
def test_the_longer_lease_of_two_nodes_counts(bucket: Bucket, ours: float, theirs: float, is_alive: bool) -> None:
    bucket.put(node_key("n2"), other_node(theirs, []))
    bucket.read()
    bucket.read_at = time.monotonic() - 30.0
    assert ("n2" in node(bucket, Cluster(OURS.servers, node="n1", lease=ours)).alive()) == is_alive


def test_a_node_tells_how_long_nobody_may_take_it_for_dead(bucket: Bucket) -> None:
    node(bucket, Cluster(OURS.servers, node="n1", lease=60.0)).tell()
    assert msgspec.json.decode(bucket.kept[node_key("n1")][1], type=NodeRecord).lease == 60.0


def test_a_node_whose_record_came_late_does_not_answer_reads_before_it_has_asked(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(coordinator, "time", SimpleNamespace(monotonic=lambda: clock.now))
    found = node(bucket)
    found.tell()
    assert found.leases.take(3)
    found.leases.begin(3, 7)
    assert found.is_confirmed(3)
    clock.now += 0.9 * OURS.lease

    def late(key: str, record: msgspec.Struct) -> None:  # others have seen no record for more than a lease meanwhile
        clock.now += 0.2 * OURS.lease

    monkeypatch.setattr(bucket, "tell", late)
    found.tell()
    assert not found.is_confirmed(3)
    monkeypatch.undo()
    assert found.confirm(3)


@pytest.mark.parametrize("is_dead", [True, False])
def test_no_node_is_taken_for_dead_by_what_an_old_replica_says(is_dead: bool) -> None:
    bucket, copy = Replica(), Copy()
    bucket.put(node_key("n2"), other_node(4.0, [3]))
    bucket.put(lease_key(3), LeaseRecord("n2", "other", 7))
    bucket.seen = dict(bucket.kept)
    if not is_dead:
        bucket.put(node_key("n2"), other_node(4.0, [3]))
    found = node(bucket, copy=copy)
    found.begin()
    assert bucket.asked.wait(60.0)
    found.close()
    assert copy.is_taken == is_dead
