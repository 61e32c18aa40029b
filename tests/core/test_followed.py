"""The log of a store that is open elsewhere, as its follower reads it; and a store whose log was ended by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.support import encode, execution, turn
from stepwell import _core
from stepwell.errors import FencedError, StorageError

COPY, OTHER = "c0" * 16, "0e" * 16
"""Ids of followers."""


def write(store: _core.Store, count: int = 1, data: bytes = b"") -> int:
    position = store.tail()
    for number in range(count):
        position = store.commit([turn(number, data=data)], encode([execution(number)]), 1)
    store.wait_applied(position)
    return position


def read_all(followed: _core.FollowedLog) -> list[_core.LogBatch]:
    """What there is: first what the log knows as durable, then the rest, which the follower has synced."""
    batches: list[_core.LogBatch] = []
    while more := followed.read():
        batches += more
        followed.pass_to(more[-1][0] + more[-1][2] - 1)
    return batches


@pytest.fixture
def source(open_store: Callable[..., _core.Store], tmp_path: Path) -> tuple[_core.Store, Path]:
    return open_store(tmp_path / "source", segment_bytes=2000), tmp_path / "source"


def test_batches_are_read_while_they_are_written_as_they_stand_on_the_log(source: tuple[_core.Store, Path]) -> None:
    store, path = source
    followed = _core.FollowedLog.open(path, COPY, "/copy", 0)
    assert followed.read() == []
    write(store, 30)
    assert read_all(followed) == store.read_log(1)
    assert write(store) == followed.tail() == 31
    assert [batch[0] for batch in read_all(followed)] == [31]
    late = _core.FollowedLog.open(path, OTHER, "/other", 20)
    assert [batch[0] for batch in late.read(1)] == [20]


def test_the_log_is_cut_only_up_to_where_its_followers_are(source: tuple[_core.Store, Path]) -> None:
    store, path = source
    followed = _core.FollowedLog.open(path, COPY, "/copy", 0)
    followed.mark(0)
    last = write(store, 20, b"x" * 400)
    store.flush()
    assert store.truncate_log(last) == 1
    followed.mark(10)
    assert 1 < store.truncate_log(last) <= 11
    with pytest.raises(StorageError, match="start from a snapshot"):
        _core.FollowedLog.open(path, OTHER, "/late", 1)
    followed.forget()
    assert store.truncate_log(last) > 11


def test_a_store_whose_log_was_ended_writes_nothing_and_says_who_ended_it(
    source: tuple[_core.Store, Path], open_store: Callable[..., _core.Store]
) -> None:
    store, path = source
    write(store, 3)
    followed = _core.FollowedLog.open(path, COPY, "/copy", 0)
    assert followed.fenced() is None
    assert followed.fence(7) == (7, COPY, "/copy")
    assert followed.fenced() == (7, COPY, "/copy")
    with pytest.raises(FencedError, match="/copy took over at epoch 7"):
        store.commit([], encode([execution(9)]), 1)  # rows alone
    position = store.commit([turn(4)], b"\x90", 1)
    with pytest.raises(FencedError, match="/copy took over at epoch 7"):
        store.wait_applied(position)
    with pytest.raises(FencedError):
        store.commit([turn(5)], b"\x90", 1)
    with pytest.raises(FencedError):
        store.close()
    assert len(read_all(followed)) == 3
    with pytest.raises(FencedError):
        open_store(path)


def test_an_epoch_begins_behind_all_that_was_committed(
    source: tuple[_core.Store, Path], open_store: Callable[..., _core.Store]
) -> None:
    store, path = source
    write(store, 2)
    store.begin_epoch(5)
    write(store)
    assert store.epoch() == 5
    assert [batch[1] for batch in store.read_log(1)] == [0, 0, 5]
    with pytest.raises(FencedError):
        store.begin_epoch(4)
    store.close()
    assert open_store(path).epoch() == 5
