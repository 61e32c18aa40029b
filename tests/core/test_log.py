"""The log alone, in files and in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell import _core
from stepwell.engine.log import records as records_
from stepwell.errors import Closed, CorruptionError, FencedError, StorageError

from .support import encode

Log = _core.LogStream | _core.MemoryLogStream


@pytest.fixture(params=["memory", "files"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    return _core.MemoryLogStream() if request.param == "memory" else _core.LogStream.open(tmp_path)


def test_batches_are_durable_after_a_sync_and_come_back(log: Log) -> None:
    assert log.append([(2, b"one"), (1, b"two")], 0, 0) == 3
    assert (log.tail(), log.durable()) == (3, 0)
    assert log.read(1) == []
    assert log.sync() == 3
    assert log.read(1) == [(1, 0, 2, b"one"), (3, 0, 1, b"two")]
    assert log.read(3) == log.read(1)[1:]
    assert log.start() == 1


def test_an_append_that_does_not_fit_is_refused(log: Log) -> None:
    log.append([(1, b"one")], 3, 0)
    with pytest.raises(StorageError, match="ends at position 1"):
        log.append([(1, b"two")], 3, 0)
    with pytest.raises(FencedError):
        log.append([(1, b"two")], 2, 1)
    log.fence(4)
    with pytest.raises(FencedError):
        log.append([(1, b"two")], 3, 1)
    assert log.epoch() == 4


def test_a_log_is_reopened_where_it_was(tmp_path: Path) -> None:
    log = _core.LogStream.open(tmp_path)
    log.append([(5, b"one")], 0, 0)
    log.sync()
    log.close()
    with pytest.raises(Closed):
        log.tail()
    log = _core.LogStream.open(tmp_path)
    assert log.tail() == log.durable() == 5
    assert log.recovered is None


def test_a_log_is_cut_by_segments(tmp_path: Path) -> None:
    log = _core.LogStream.open(tmp_path, segment_bytes=1000)
    for number in range(20):
        log.append([(1, b"x" * 300)], 0, number)
        log.sync()
    assert 5 < log.truncate_before(11) <= 11
    with pytest.raises(StorageError, match="was cut off"):
        log.read(1)


def test_what_is_no_batch_is_refused(log: Log) -> None:
    bad: list[Callable[[], object]] = [lambda: log.append([(-1, b"x")], 0, 0), lambda: log.append([(1, "x")], 0, 0)]  # type: ignore[list-item]
    for append in bad:
        with pytest.raises((TypeError, OverflowError)):
            append()
    assert log.tail() == 0


def test_a_log_is_verified_and_dumped_record_by_record(tmp_path: Path) -> None:
    records = [records_.HeartbeatTaskCommand(f"/t/n/t0000001/{number:08x}", number) for number in range(5)]
    with _core.Store.open(tmp_path) as store:
        for number, record in enumerate(records):
            turn = encode(["", number, 7, [record, records_.TaskHeartbeatEvent()]])
            position = store.commit([("", 0, 2, turn)], b"\x90", number)
        assert store.wait_applied(position, 10)
    report = _core.log_verify(tmp_path)
    assert report == _core.log_verify(tmp_path / "log")
    assert (report["records"], report["first"], report["last"], report["torn"]) == (10, 1, 10, None)
    lines = [json.loads(line) for line in _core.log_dump(tmp_path)]
    assert [line["position"] for line in lines] == list(range(1, 11))
    assert [line["record"] for line in lines[:2]] == ["HeartbeatTask", "TaskHeartbeat"]
    assert [json.loads(line) for line in _core.log_dump(tmp_path, 4, 3)] == lines[3:6]


def test_a_damaged_log_is_named_by_verify(tmp_path: Path) -> None:
    log = _core.LogStream.open(tmp_path)
    log.append([(1, encode(["", 1, 1, [records_.HeartbeatTaskCommand("t", 1)]]))] * 5, 0, 0)
    log.sync()
    log.close()
    segment = next(tmp_path.glob("*.log"))
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(CorruptionError, match="position 3"):
        _core.log_verify(tmp_path)
    with pytest.raises(CorruptionError):
        list(_core.log_dump(tmp_path))
    with pytest.raises(StorageError):
        _core.log_verify(tmp_path / "nowhere")
