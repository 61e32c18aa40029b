"""What a newer version wrote is refused, with both formats in the text; and definitions outlive their successors."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.support import machine, passing, task
from stepwell import Executor, Follower, StepwellError, StorageError, _core

CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
GOLDEN = Path(__file__).parents[1] / "golden" / "format-1" / "log"
NEWER = "has format 2, and this version knows 1 and older; upgrade it"


def crc32c(data: bytes) -> int:
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F6_3B78 if crc & 1 else 0)
    return crc ^ 0xFFFF_FFFF


def with_format(segment: bytes, version: int) -> bytes:
    """A log's first frame, as that format writes it (layout: ``rust/core/src/log/frame.rs``)."""
    header = segment[:4] + bytes([version]) + segment[5:60]
    return header + crc32c(header).to_bytes(4, "little") + segment[64:]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The folder of an engine whose log has format 2."""
    shutil.copytree(GOLDEN, tmp_path / "newer" / "log")
    (segment,) = (tmp_path / "newer" / "log").glob("*.log")
    segment.write_bytes(with_format(segment.read_bytes(), 2))
    return tmp_path / "newer"


def test_a_log_of_a_newer_format_is_refused_with_both_numbers_and_left_as_it_is(newer: Path) -> None:
    before = {path.name: path.read_bytes() for path in (newer / "log").glob("*.log")}
    with pytest.raises(StorageError, match=NEWER):
        Executor(newer)
    for read in (_core.log_verify, lambda path: list(_core.log_dump(path)), _core.log_repair):
        with pytest.raises(StorageError, match=NEWER):
            read(newer)
    assert before == {path.name: path.read_bytes() for path in (newer / "log").glob("*.log")}


def test_a_follower_refuses_a_leader_of_a_newer_format(newer: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=NEWER):
        Follower(newer, tmp_path / "copy").promote()
    assert not (newer / "log" / "FENCE").exists()


def test_a_running_execution_keeps_the_definition_that_it_began_with(tmp_path: Path) -> None:
    tokens: list[str] = []
    handlers: dict[str, Any] = {CALLBACK: lambda input: tokens.append(input["MessageBody"]["token"])}
    ask = task("Done", CALLBACK, Parameters={"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}})
    first = machine({"Ask": ask, "Done": passing(Result=1)})
    second = machine({"Ask": ask, "Done": passing("More", Result=2), "More": passing(Result=3)})

    def answer() -> None:
        executor.send_task_success(tokens.pop(), "yes")

    with Executor(tmp_path / "data", handlers=handlers) as executor:
        assert executor.deploy("w", first).id == "w:1"
        old = executor.start("w")
        assert executor.deploy("w", second).id == "w:2"
        new = executor.start("w")
        while len(tokens) < 2:
            assert {old.status, new.status} == {"Running"}
    with Executor(tmp_path / "data", handlers=handlers) as executor:
        answer()
        answer()
        assert executor.get(old.id).wait(60).output == 1
        assert executor.get(new.id).wait(60).output == 3
        assert executor.context(old.id).workflow_id == "w:1"
        states = [
            event["stateEnteredEventDetails"]["name"]
            for event in executor.history(old.id)
            if "stateEnteredEventDetails" in event
        ]
        assert states == ["Ask", "Done"]


def test_records_that_are_not_known_are_refused_and_not_passed_over(tmp_path: Path) -> None:
    log = _core.LogStream.open(tmp_path / "data" / "log")
    log.append([(1, b"\x94\xa0\x01\x01\x91\x92\x7e\x01")], 0, 0)  # a command of a tag that no version has
    log.sync()
    log.close()
    with pytest.raises(StepwellError, match=r"position 1 .* upgrade"):
        Executor(tmp_path / "data")
