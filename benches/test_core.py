"""The cost of the native core: ``make bench``, or ``pytest benches/test_core.py --benchmark-enable``.

A figure is the time of one call on the calling thread. If a name says ``applied``, the time ends when the batch is
durable and can be read. ``raw fdatasync`` is the disk's own time, without Stepwell.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepwell import _core
from stepwell.engine.storage import contexts

encode = msgspec.msgpack.Encoder().encode

Benchmark = Callable[..., Any]


@pytest.fixture(params=["memory", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_core.Store]:
    with _core.Store.open(None if request.param == "memory" else tmp_path / "store") as store:
        yield store


def execution_id(number: int) -> str:
    return f"/default/default/e1234567/{number:016x}"


def turn(number: int, records: int) -> tuple[str, int, int, bytes]:
    """A turn of records of about 210 bytes."""
    scope = execution_id(number)
    return scope, 1, records, encode([scope, number, number, [[3, scope, b"x" * 150]] * records])


def rows(number: int) -> list[contexts.Context]:
    """The three rows that a step of an execution puts."""
    scope = execution_id(number)
    return [
        contexts.ExecutionContext(scope, "workflow", "name", "STANDARD", b"{}", number, "Running", number),
        contexts.ActivityContext(scope + "/00000001", "State", b"{}", None, None, 0, 0, 0),
        contexts.TimerContext(scope, 1, number, scope),
    ]


Commit = tuple[list[tuple[str, int, int, bytes]], bytes, int]


def small_batches() -> Iterator[Commit]:
    """Batches of 8 records and 3 puts, each for another execution."""
    ready = [([turn(number, 8)], encode(rows(number)), number) for number in range(1, 5000)]
    for number in count():
        yield ready[number % len(ready)]


def large_batch() -> Commit:
    """2,000 records in 50 turns, and 500 puts."""
    puts = [row for number in range(167) for row in rows(number)][:500]
    return [turn(number, 40) for number in range(50)], encode(puts), 1


@pytest.mark.benchmark(group="call")
def test_boundary_call(benchmark: Benchmark, store: _core.Store) -> None:
    benchmark(store.applied)


@pytest.mark.benchmark(group="call")
def test_notify(benchmark: Benchmark, store: _core.Store) -> None:
    benchmark(store.notify)


@pytest.mark.benchmark(group="call")
def test_clock_tick(benchmark: Benchmark) -> None:
    benchmark(_core.Clock().tick, 1_700_000_000)


@pytest.mark.benchmark(group="call")
def test_execution_id(benchmark: Benchmark) -> None:
    benchmark(_core.execution_id, "default", "default", "1234567", 1_700_000_000 << 32)


@pytest.mark.benchmark(group="call")
def test_activity_id(benchmark: Benchmark) -> None:
    benchmark(_core.activity_id, execution_id(1), 7)


@pytest.mark.benchmark(group="call")
def test_parse_id(benchmark: Benchmark) -> None:
    benchmark(_core.parse_id, execution_id(1))


@pytest.mark.benchmark(group="commit")
def test_commit_8_records_3_puts_on_the_calling_thread(benchmark: Benchmark, store: _core.Store) -> None:
    batches = small_batches()
    benchmark.pedantic(store.commit, setup=lambda: (next(batches), {}), rounds=20_000)  # type: ignore[attr-defined]


@pytest.mark.benchmark(group="commit")
def test_commit_2000_records_500_puts_on_the_calling_thread(benchmark: Benchmark, store: _core.Store) -> None:
    batch = large_batch()
    benchmark.pedantic(store.commit, batch, rounds=200)  # type: ignore[attr-defined]


@pytest.mark.benchmark(group="commit applied")
def test_commit_8_records_3_puts_applied(benchmark: Benchmark, store: _core.Store) -> None:
    batches = small_batches()
    benchmark(lambda: store.wait_applied(store.commit(*next(batches))))


@pytest.mark.benchmark(group="commit applied")
def test_commit_2000_records_500_puts_applied(benchmark: Benchmark, store: _core.Store) -> None:
    batch = large_batch()
    benchmark(lambda: store.wait_applied(store.commit(*batch)))


@pytest.mark.benchmark(group="commit applied")
def test_group_commit_of_1000_small_batches_applied(benchmark: Benchmark, store: _core.Store) -> None:
    batches = small_batches()

    def commit_1000() -> None:
        for _ in range(1000):
            position = store.commit(*next(batches))
        store.wait_applied(position)

    benchmark(commit_1000)


@pytest.mark.benchmark(group="read")
@pytest.mark.parametrize("read", ["get", "load", "history", "scan 10 timers"])
def test_reads(benchmark: Benchmark, store: _core.Store, read: str) -> None:
    for number in range(1, 5001):
        position = store.commit([turn(number, 8)], encode(rows(number)), number)
    store.wait_applied(position)
    scope = execution_id(2500)
    reads: dict[str, Callable[[], object]] = {
        "get": lambda: store.get(1, scope),
        "load": lambda: store.load(scope),
        "history": lambda: store.history(scope),
        "scan 10 timers": lambda: store.scan(6, limit=10, until=1 << 60),
    }
    assert reads[read]()
    benchmark(reads[read])


@pytest.mark.benchmark(group="open")
def test_open_and_close(benchmark: Benchmark, tmp_path: Path) -> None:
    benchmark(lambda: _core.Store.open(None).close())


@pytest.mark.benchmark(group="open")
def test_open_and_close_in_files(benchmark: Benchmark, tmp_path: Path) -> None:
    benchmark(lambda: _core.Store.open(tmp_path / "store").close())


@pytest.mark.benchmark(group="commit applied")
def test_raw_fdatasync_of_2_kb(benchmark: Benchmark, tmp_path: Path) -> None:
    file = os.open(tmp_path / "raw", os.O_CREAT | os.O_WRONLY)
    block = b"x" * 2000

    def write_and_sync() -> None:
        os.write(file, block)
        os.fdatasync(file)

    benchmark(write_and_sync)
    os.close(file)
