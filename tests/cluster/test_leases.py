"""A lease says what is true, although writes of it are refused or fail; and a request waits no longer than it must."""

from __future__ import annotations

import pytest

from cluster.bucket import Bucket
from stepwell import Cluster
from stepwell.engine.cluster.leases import Leases
from stepwell.engine.cluster.link import NotReached
from stepwell.engine.cluster.records import LeaseRecord, lease_key
from stepwell.engine.cluster.requests import AGAIN_SECONDS, LONGEST_PAUSE, Requests
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.promises import PendingPromises
from stepwell.engine.limits import Limits

OURS = Cluster("nats://nowhere:4222", node="n1")
BOOT = "boot"


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
