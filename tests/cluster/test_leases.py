"""A lease says what is true, although writes of it are refused or fail; and a request waits no longer than it must."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from stepwell import Cluster, StorageError
from stepwell.engine.cluster import changes, coordinator, leadership
from stepwell.engine.cluster.changes import ChangeLock
from stepwell.engine.cluster.coordinator import Coordinator
from stepwell.engine.cluster.leadership import Leadership
from stepwell.engine.cluster.leases import Leases
from stepwell.engine.cluster.link import NotReached
from stepwell.engine.cluster.records import CHANGING, ChangingRecord, LeaseRecord, NodeRecord, lease_key, node_key
from stepwell.engine.cluster.registry import Entry, Record, Registry
from stepwell.engine.cluster.requests import AGAIN_SECONDS, LONGEST_PAUSE, Requests
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.promises import PendingPromises
from stepwell.engine.limits import Limits

OURS = Cluster("nats://nowhere:4222", node="n1")
BOOT = "boot"


class Bucket(Registry):
    """The keys of a cluster, without servers: what was read may be behind, and servers may be away."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[int, bytes]] = {}
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.is_away = False
        self.told: list[str] = []
        self.notices = "notices"
        self.read_at = -1000.0
        """When everything was read that nobody has changed since."""
        self.asked = threading.Event()
        """Whether the bucket's leader was asked."""

    def get(self, key: str, kind: type[Record]) -> Record | None:
        found = self.seen.get(key)
        return None if found is None else msgspec.json.decode(found[1], type=kind)

    def read(self) -> None:
        if self.is_away:
            raise NotReached("they are away")
        self.seen = dict(self.kept)

    def write(self, key: str, record: msgspec.Struct) -> bool:
        if self.is_away:
            raise NotReached("they are away")
        (revision, _), (seen, _) = self.kept.get(key, (0, b"")), self.seen.get(key, (0, b""))
        if revision != seen:
            return False
        self.put(key, record)
        self.seen[key] = self.kept[key]
        return True

    def put(self, key: str, record: msgspec.Struct) -> None:
        """Write it, unseen by this node."""
        self.kept[key] = self.kept.get(key, (0, b""))[0] + 1, msgspec.json.encode(record)

    def notify(self, key: str) -> None:
        self.told.append(key)

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.seen if key.startswith(prefix)]

    def entry(self, key: str) -> Entry | None:
        found = self.seen.get(key)
        return None if found is None else Entry(*found, self.read_at)

    def tell(self, key: str, record: msgspec.Struct) -> None:
        self.put(key, record)

    def read_last(self, key: str) -> None:
        if self.kept[key] != self.seen[key]:
            self.seen[key], self.read_at = self.kept[key], time.monotonic()
        self.asked.set()

    def lease(self) -> LeaseRecord:
        return msgspec.json.decode(self.kept[lease_key(3)][1], type=LeaseRecord)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def leases(bucket: Bucket) -> Leases:
    return Leases(bucket, OURS, BOOT)


def test_an_epoch_is_told_though_the_lease_was_written_meanwhile(bucket: Bucket, leases: Leases) -> None:
    assert leases.take(3)
    bucket.put(lease_key(3), LeaseRecord("n1", BOOT))  # by an attempt whose answer was lost
    leases.begin(3, 7)
    assert bucket.lease() == LeaseRecord("n1", BOOT, 7)
    assert leases.is_sure(3)
    assert bucket.told[-1] == lease_key(3)


def test_a_lease_that_is_confirmed_keeps_its_epoch(bucket: Bucket, leases: Leases) -> None:
    assert leases.take(3)
    bucket.is_away = True
    leases.begin(3, 7)
    assert not leases.is_sure(3)
    with pytest.raises(NotReached):
        leases.confirm(3)
    bucket.is_away = False
    assert leases.confirm(3)
    assert bucket.lease() == LeaseRecord("n1", BOOT, 7)


def test_what_could_not_be_written_is_written_later(bucket: Bucket, leases: Leases) -> None:
    assert leases.take(3)
    bucket.is_away = True
    leases.begin(3, 7)
    leases.mend(3)
    assert bucket.lease().epoch == 0
    bucket.is_away = False
    leases.mend(3)
    assert bucket.lease().epoch == 7
    told = len(bucket.told)
    leases.mend(3)
    assert len(bucket.told) == told  # it says so already


def test_a_lease_of_another_node_is_left_alone(bucket: Bucket, leases: Leases) -> None:
    assert leases.take(3)
    leases.begin(3, 7)
    other = LeaseRecord("n2", "other", 8)
    bucket.put(lease_key(3), other)
    assert not leases.confirm(3)
    leases.mend(3)
    leases.end(3, "n3")
    assert bucket.lease() == other


def test_a_lease_is_passed_on(bucket: Bucket, leases: Leases) -> None:
    assert leases.take(3)
    leases.begin(3, 7)
    leases.end(3, "n2")
    assert bucket.lease() == LeaseRecord(to="n2")
    leases.mend(3)  # it leads no longer
    assert bucket.lease() == LeaseRecord(to="n2")


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


def test_a_request_that_came_to_nobody_is_asked_again_soon_and_less_and_less_often() -> None:
    requests = Requests(0, Limits())
    promise = PendingPromises().owe(lambda _result, _error: None)
    pending = requests.add(lambda number: m.Read(number, "get", (), {}), promise)
    assert requests.take_due(1e9) == []  # it was not sent yet
    pauses: list[float] = []
    now = 100.0
    for _ in range(8):
        pending.take(now)
        assert requests.next_due() == now + AGAIN_SECONDS
        pending.came_to_nobody(now)
        due = requests.next_due()
        assert due is not None
        pauses.append(due - now)
        assert requests.take_due(due - 0.001) == []
        assert requests.take_due(due) == [pending]
        now = due
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == pytest.approx(LONGEST_PAUSE)
    requests.leader_changed()
    pending.take(now)
    pending.came_to_nobody(now)
    assert requests.next_due() == pytest.approx(now + pauses[0])


def test_a_change_of_workflows_waits_for_others_but_not_for_one_that_has_ended(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, other = ChangeLock(bucket, BOOT), ChangeLock(bucket, "other")
    with ours, ours:
        pass
    monkeypatch.setattr(changes, "PATIENCE_SECONDS", 0.0)
    bucket.read_at = time.monotonic()
    with other, pytest.raises(StorageError, match="other nodes change them"), ours:
        pass
    with ours:
        pass
    bucket.is_away = True
    with pytest.raises(StorageError, match="they are away"), ours:
        pass
    bucket.is_away = False
    bucket.put(CHANGING, ChangingRecord("dead"))
    with pytest.raises(StorageError, match="other nodes change them"), ours:
        pass
    bucket.read_at -= changes.HELD_SECONDS
    with ours:
        pass


def test_a_copy_that_has_stopped_is_opened_anew_and_ready_once_it_has_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[dict[str, Any]] = [{"failure": "the disk is full", "age": 0.0}, {"failure": None, "age": None}]
    common = {"purged": False, "store": "s", "position": 0}
    opened: list[Any] = []

    def opens(*_: object) -> Any:
        state, copy = states[len(opened)], Mock()
        copy.status.side_effect = lambda: {**state, **common}
        opened.append(copy)
        return copy

    monkeypatch.setattr(leadership, "open_copy", opens)
    monkeypatch.setattr(leadership, "OPEN_SECONDS", 0.01)
    monkeypatch.setattr(leadership, "REOPEN_SECONDS", 0.05)
    partition: Any = Mock(index=0, is_led=False)
    found = Leadership(partition, 1, Mock(), Mock())
    found.begin()

    def until(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60.0  # guards against a hang
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    until(lambda: len(opened) == 2 and found.copy is opened[1] and opened[1].status.call_count > 3)
    assert found.problem == "the disk is full"
    assert not found.is_ready
    states[1]["age"] = 0.1
    until(lambda: found.is_ready)
    found.close()
    found.join()
    assert len(opened) == 2
