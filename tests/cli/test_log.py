"""``stepwell log verify|dump|repair``: the log from outside, sound and damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.support import Machine, Stepwell, assert_golden


@pytest.fixture
def log(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> Path:
    """The log of a folder in which one execution has run."""
    finished = stepwell("run", machine({"A": {"Type": "Pass", "End": True}}), "--data", "data", "--name", "a", "-q")
    assert finished.code == 0
    (segment,) = (tmp_path / "data" / "log").glob("*.log")
    return segment


def damage(log: Path) -> None:
    """Flip one bit in the middle of the log."""
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)


@pytest.mark.usefixtures("log")
def test_verify_says_what_is_there(stepwell: Stepwell) -> None:
    report = stepwell("log", "verify", "--data", "data", "--json").document
    assert report["records"] == report["last"] > 0
    assert_golden("log_verify.txt", stepwell("log", "verify", "--data", "data").out)


@pytest.mark.usefixtures("log")
def test_dump_prints_each_record_with_its_position(stepwell: Stepwell) -> None:
    records = stepwell("log", "dump", "--data", "data").documents
    assert [record["position"] for record in records] == list(range(1, len(records) + 1))
    assert [records[0]["record"], records[1]["record"], records[-1]["record"]] == [
        "PutWorkflow",
        "WorkflowPut",
        "ExecutionCompleted",
    ]
    part = stepwell("log", "dump", "--data", "data", "--from", "3", "--limit", "2").documents
    assert part == records[2:4]


def test_damage_is_named_with_its_place_and_nothing_is_served(stepwell: Stepwell, log: Path) -> None:
    damage(log)
    for words, code in ((["log", "verify"], 1), (["log", "dump"], 3), (["list"], 3)):
        finished = stepwell(*words, "--data", "data")
        assert finished.code == code
        (line,) = finished.err.splitlines()
        assert f"damage in {log} at byte" in line


def test_repair_sets_the_damage_aside_and_says_what_it_cost(stepwell: Stepwell, log: Path) -> None:
    damage(log)
    repaired = stepwell("log", "repair", "--data", "data")
    assert repaired.code == 0
    assert f"set aside {log.with_suffix('.damaged')}" in repaired.out
    assert "no record is lost" in repaired.out  # storage had all of them
    assert stepwell("log", "verify", "--data", "data").code == 0
    assert stepwell("list", "--data", "data", "--json").document["status"] == "Succeeded"


def test_a_torn_end_is_reported_and_cut_off(stepwell: Stepwell, log: Path) -> None:
    content = log.read_bytes()
    log.write_bytes(content[:-3])
    assert "torn: none" not in stepwell("log", "verify", "--data", "data").out


def test_a_folder_without_a_log_is_refused(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    finished = stepwell("log", "verify", "--data", "data")
    assert (finished.code, finished.error_line()) == (2, "the folder data holds no log.")
