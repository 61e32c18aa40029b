"""Rows and histories through the binding, in memory and in files alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepwell import _core
from stepwell.engine.storage import contexts
from stepwell.errors import Closed

from .support import activity, decode, encode, execution, execution_id, put, turn

ROWS = [
    (execution(1), (execution_id(1),)),
    (activity(1, 1), (execution_id(1) + "/00000001",)),
    (contexts.BranchContext("/t/n/e0000001/0000000000000001/00000001/b0", 0, b"1", "Running", 0), None),
    (contexts.IterationContext("/t/n/e0000001/0000000000000001/00000001/i7", 7, b"1", "Running", 0), None),
    (contexts.TaskContext("/t/n/t0000001/00000001", "a", "r", b"1", "q", "Created", 0, None, 5), None),
    (contexts.TimerContext("target", 2, 99, execution_id(1)), ("target", 2, 99)),
    (contexts.WorkflowContext("w", 3, b"{}", "STANDARD", 5), ("w", 3)),
    (contexts.IdempotencyContext("/t/n/w/name", execution_id(1)), None),
    (contexts.VisibilityContext("w", "Running", 5, execution_id(1), "n", 0), ("w", "Running", 5, execution_id(1))),
    (contexts.ItemsContext("/t/n/e0000001/0000000000000001/00000001", b"[1]"), None),
    (contexts.QueueContext("q", 5, "/t/n/t0000001/00000001"), ("q", 5, "/t/n/t0000001/00000001")),
    (contexts.PendingCommandContext(12, "scope", b"record"), None),
    (contexts.SequenceContext("s", 4), None),
]


@pytest.mark.parametrize(("row", "key"), ROWS, ids=[type(row).__name__ for row, _ in ROWS])
def test_every_kind_of_row_is_put_read_and_deleted(store: _core.Store, row: contexts.Context, key: tuple) -> None:
    fields = decode(encode(row))
    tag, key = fields[0], key or (fields[1],)
    put(store, row)
    stored = store.get(tag, *key)
    assert stored == encode(row)
    assert decode(stored, type=type(row)) == row
    assert store.scan(tag) == [stored]
    put(store, [-tag, *key])
    assert store.get(tag, *key) is None
    assert store.scan(tag) == []


def test_positions_count_records_and_batches_are_applied_in_order(store: _core.Store) -> None:
    assert (store.applied(), store.tail()) == (0, 0)
    assert store.commit([turn(1, count=3), turn(2, count=2)], encode([execution(1)]), 10) == 5
    assert store.commit([turn(1, first_event=4)], encode([execution(1, "Succeeded")]), 11) == 6
    assert store.tail() == 6
    assert store.wait_applied(6, 10)
    assert store.applied() == 6
    assert store.clock_high_water() == 11
    assert decode(store.get(1, execution_id(1)), type=contexts.ExecutionContext).status == "Succeeded"


def test_an_execution_is_loaded_with_its_live_rows(store: _core.Store) -> None:
    rows = [
        execution(1),
        activity(1, 1),
        contexts.BranchContext(execution_id(1) + "/00000001/b0", 0, b"", "Running", 0),
    ]
    put(store, *rows, execution(2), activity(2, 1))
    loaded = decode(
        store.load(execution_id(1)),
        type=list[contexts.ExecutionContext | contexts.ActivityContext | contexts.BranchContext],
    )
    assert loaded == rows
    assert decode(store.load(execution_id(3))) == []
    assert store.scan(3) == [encode(rows[2])]
    assert store.scan(2, (execution_id(1),)) == [encode(rows[1])]
    assert store.scan(3, (execution_id(1) + "/00000001",)) == [encode(rows[2])]
    assert store.scan(3, (execution_id(1) + "/00000002",)) == []


def test_a_history_is_read_from_any_event(store: _core.Store) -> None:
    turns = [turn(1, first_event=1, count=2), turn(1, first_event=3), turn(1, first_event=4, count=5)]
    store.commit([*turns, turn(2)], b"\x90", 1)
    store.wait_applied(store.tail(), 10)
    blobs = [blob for *_, blob in turns]
    assert store.history(execution_id(1)) == blobs
    assert store.history(execution_id(1), 3, 1) == [blobs[1]]
    assert store.history(execution_id(1), 6) == [blobs[2]]
    assert store.history(execution_id(1), reverse=True) == blobs[::-1]
    assert store.history(execution_id(9)) == []


def test_deleting_an_execution_leaves_nothing_of_it(store: _core.Store) -> None:
    store.commit([turn(1), turn(2)], encode([execution(1), activity(1, 1), execution(2), activity(2, 1)]), 1)
    put(store, activity(1, 2), [-100, execution_id(1)])
    assert decode(store.load(execution_id(1))) == []
    assert store.scan(2, (execution_id(1),)) == []
    assert store.history(execution_id(1)) == []
    assert len(decode(store.load(execution_id(2)))) == 2
    assert len(store.history(execution_id(2))) == 1


def test_timers_come_by_due_time_and_in_pages(store: _core.Store) -> None:
    timers = [contexts.TimerContext(f"t{due}", 1, due, "") for due in (30, 10, 20, 40)]
    put(store, *timers)
    due = [decode(row)[3] for row in store.scan(6, until=30)]
    assert due == [10, 20, 30]
    first = store.scan(6, limit=2)
    second = store.scan(6, after=tuple(decode(first[-1])[1:4]), limit=2)
    assert [decode(row)[3] for row in first + second] == [10, 20, 30, 40]
    assert [decode(row)[3] for row in store.scan(6, reverse=True, limit=1)] == [40]
    assert store.scan(6, limit=0) == []
    with pytest.raises(ValueError, match="order of a number"):
        store.scan(1, until=5)


def test_the_versions_of_a_definition_are_in_order(store: _core.Store) -> None:
    put(store, *(contexts.WorkflowContext("w", version, b"{}", "STANDARD", 0) for version in (1, 10, 2)))
    put(store, contexts.WorkflowContext("w\0", 3, b"{}", "STANDARD", 0))
    assert [decode(row)[2] for row in store.scan(7, ("w",))] == [1, 2, 10]
    assert [decode(row)[2] for row in store.scan(7, ("w",), until=2)] == [1, 2]
    assert [decode(row)[2] for row in store.scan(7, ("w",), limit=1, reverse=True)] == [10]


def test_the_list_of_executions_is_newest_first(store: _core.Store) -> None:
    put(store, *(contexts.VisibilityContext("w", "Running", at, execution_id(at), "n", 0) for at in (1, 3, 2)))
    put(store, contexts.VisibilityContext("w", "Failed", 9, execution_id(9), "n", 0))
    put(store, contexts.VisibilityContext("w2", "Running", 9, execution_id(8), "n", 0))
    assert [decode(row)[3] for row in store.scan(9, ("w", "Running"))] == [3, 2, 1]
    assert len(store.scan(9, ("w",))) == 4


@pytest.mark.parametrize(
    "changes",
    [
        encode([["1", execution_id(1)]]),
        encode([[99, "a"]]),
        encode([[1]]),
        encode([[1, 7]]),
        encode([[6, "target", 1, -(2**40)]])[:-1],
        encode({}),
    ],
)
def test_what_storage_cannot_understand_is_refused_and_leaves_nothing(store: _core.Store, changes: bytes) -> None:
    with pytest.raises(ValueError, match=r"byte \d+|no such key"):
        store.commit([turn(1)], changes, 1)
    assert put(store, execution(1)) == 1
    assert store.history(execution_id(1)) == []


def test_a_batch_without_records_and_keys_that_do_not_fit_are_refused(store: _core.Store) -> None:
    with pytest.raises(ValueError, match="without records"):
        store.commit([turn(1, count=0)], b"\x90", 1)
    with pytest.raises(ValueError, match="without records"):
        store.apply([], b"\x90", 1, 1)
    with pytest.raises(ValueError, match="no such key"):
        store.get(1)
    with pytest.raises(ValueError, match="no such key"):
        store.get(1, 5)
    with pytest.raises(ValueError, match="no such key"):
        store.scan(99)


def test_rows_alone_are_there_at_once_and_give_no_position(store: _core.Store) -> None:
    position = put(store, execution(1))
    assert store.commit([], encode([execution(2)]), 9) == position
    assert store.get(1, execution_id(2)) == encode(execution(2))
    assert store.applied() == store.tail() == store.sync_stats()["flushed"] == position
    assert len(store.read_log(1)) == 1


def test_a_closed_store_says_so_and_closes_twice(open_store: Callable[..., _core.Store]) -> None:
    with open_store(memory=True) as store:
        put(store, execution(1))
    store.close()
    for use in (
        lambda: store.get(1, execution_id(1)),
        lambda: store.commit([turn(1)], b"\x90", 1),
        lambda: store.wait(0, 1),
        store.flush,
    ):
        with pytest.raises(Closed):
            use()


def test_the_log_is_read_back_turn_by_turn(store: _core.Store) -> None:
    turns = [turn(1, count=2), turn(2)]
    store.commit(turns, b"\x90", 1)
    store.commit([turn(1, first_event=3)], b"\x90", 2)
    store.wait_applied(4, 10)
    (first, epoch, count, payload), second = store.read_log(1)
    assert (first, epoch, count) == (1, 0, 3)
    assert _core.split_turns(payload) == [blob for *_, blob in turns]
    assert second[0] == 4
    assert store.read_log(4) == [second]
    assert store.read_log(1, max_bytes=1) == [(first, epoch, count, payload)]
    assert store.read_log(5) == []


def test_many_batches_share_few_syncs(open_store: Callable[..., _core.Store]) -> None:
    store = open_store()
    for number in range(500):
        position = store.commit([turn(number)], encode([execution(number)]), number)
    assert store.wait_applied(position, 30)
    stats = store.sync_stats()
    assert stats["batches"] == stats["records"] == 500
    assert stats["syncs"] < 250


def test_a_full_queue_blocks_and_then_goes_on(open_store: Callable[..., _core.Store]) -> None:
    store = open_store(queue_bytes=10_000)
    for number in range(200):
        position = store.commit([turn(number, data=b"x" * 2000)], b"\x90", number)
    assert store.wait_applied(position, 30)
    assert store.sync_stats()["syncs"] >= 200 // 5 - 1


def test_the_log_is_cut_by_itself_once_storage_is_flushed(open_store: Callable[..., _core.Store]) -> None:
    store = open_store(segment_bytes=20_000, flush_bytes=50_000)
    for number in range(300):
        position = store.commit([turn(number, data=b"x" * 1000)], encode([execution(number)]), number)
        store.wait_applied(position, 10)
    stats = store.sync_stats()
    assert 1 < stats["log_start"] <= stats["flushed"] + 1


def test_a_kept_log_is_cut_on_demand_but_never_beyond_what_is_flushed(open_store: Callable[..., _core.Store]) -> None:
    store = open_store(segment_bytes=10_000, flush_bytes=20_000, keeps_log=True)
    for number in range(100):
        position = store.commit([turn(number, data=b"x" * 1000)], b"\x90", number)
        store.wait_applied(position, 10)
    assert store.sync_stats()["log_start"] == 1
    flushed = store.flush()
    assert flushed == 100
    for number in range(100):
        position = store.commit([turn(number, data=b"x" * 1000)], b"\x90", number)
    store.wait_applied(position, 10)
    assert 50 < store.truncate_log(10_000) <= store.sync_stats()["flushed"] + 1
