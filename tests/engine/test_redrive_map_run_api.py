"""What a program sees of a redriven map run: its description, its results, and when a redrive is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.map_run_support import distributed, over
from engine.support import machine, passing, task
from stepwell import Executor, Limits, NotRedrivable, TaskError
from stepwell.engine.client import commands
from stepwell.tasks.items import ItemFiles

pytestmark = pytest.mark.covers("A12.59", "A16.78")


def fails_once(failing: set[Any]) -> Callable[[Any], Any]:
    """A handler that fails once for each of these."""

    def work(input: Any) -> Any:
        if input in failing:
            failing.discard(input)
            raise TaskError("Boom")
        return input

    return work


def test_describe_map_run_tells_of_the_redrive() -> None:
    with Executor(handlers={"work": fails_once({2})}) as ex:
        ex.deploy("w", over({"T": task(resource="work")}, MaxConcurrency=1))
        execution = ex.start("w", [1, 2, 3]).wait(60)
        (listed,) = ex.list_map_runs(execution.id)
        failed = ex.describe_map_run(listed["mapRunArn"])
        assert (failed["status"], failed["redriveCount"], "redriveDate" in failed) == ("FAILED", 0, False)
        assert ex.redrive(execution.id).wait(60).output == [1, 2, 3]
        (listed,) = ex.list_map_runs(execution.id)
        described = ex.describe_map_run(listed["mapRunArn"])
        assert (described["status"], described["redriveCount"]) == ("SUCCEEDED", 1)
        assert described["startDate"] < described["redriveDate"] <= described["stopDate"]
        counts = dict.fromkeys(("pending", "running", "failed", "timedOut", "aborted"), 0)
        counts |= {"succeeded": 3, "total": 3, "resultsWritten": 3, "failuresNotRedrivable": 0, "pendingRedrive": 0}
        assert described["itemCounts"] == described["executionCounts"] == counts


def test_children_that_wait_for_a_redriven_map_run_are_pending() -> None:
    failing, gate = {1, 2, 3}, threading.Event()

    def work(input: Any) -> Any:
        if input in failing:
            raise TaskError("Boom")
        assert gate.wait(60)
        return input

    with Executor(handlers={"work": work}) as ex:
        ex.deploy("w", over({"T": task(resource="work")}, MaxConcurrency=1, ToleratedFailureCount=2))
        execution = ex.start("w", [1, 2, 3]).wait(60)
        children = ex.list(parent=execution.id)
        assert {child.aws_status for child in children} == {"FAILED"}
        failing.clear()
        ex.redrive(execution.id)
        while not (running := ex.list(parent=execution.id, status="RUNNING")):
            pass
        pending = [child for child in children if child not in running]
        assert [child.aws_status for child in pending] == ["PENDING_REDRIVE"] * 2
        assert ex.list(parent=execution.id, status="PENDING_REDRIVE") == pending
        assert "PENDING_REDRIVE" in repr(pending[0])
        gate.set()
        assert execution.wait(60).output == [1, 2, 3]
        assert {child.aws_status for child in children} == {"SUCCEEDED"}
        assert ex.list(parent=execution.id, status="PendingRedrive") == []


def test_a_writer_writes_all_results(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "out"}}
    for kind in ("STANDARD", "EXPRESS"):
        processor = machine({"T": task(resource="work")})
        definition = machine({"M": distributed(processor, type=kind, ResultWriter=writer, MaxConcurrency=1)})
        with Executor(item_files=ItemFiles(s3=tmp_path), handlers={"work": fails_once({2})}) as ex:
            ex.deploy("w", definition)
            execution = ex.start("w", [1, 2, 3]).wait(60)
            assert execution.error == "States.ExceedToleratedFailureThreshold"
            output: Any = ex.redrive(execution.id).wait(60).output
        details = output["ResultWriterDetails"]
        manifest = json.loads((tmp_path / details["Bucket"] / details["Key"]).read_text())
        assert manifest["ResultFiles"]["FAILED"] == manifest["ResultFiles"]["PENDING"] == []
        (file,) = manifest["ResultFiles"]["SUCCEEDED"]
        records = json.loads((tmp_path / "out" / file["Key"]).read_text())
        assert [json.loads(record["Output"]) for record in records] == [1, 2, 3]
        assert [record["RedriveCount"] for record in records] == ([0, 1, 0] if kind == "STANDARD" else [0, 0, 0])


def test_a_redrive_waits_for_the_children_that_are_being_stopped() -> None:
    limits = Limits(batch_records=20, turn_messages=4)
    hangs = {"Type": "Wait", "Seconds": 3600, "Next": "P"}
    with Executor(limits=limits) as ex:
        ex.deploy("w", over({"W": hangs, "P": passing()}))
        execution = ex.start("w", list(range(300)))
        while not (listed := ex.list_map_runs(execution.id)) or (
            ex.describe_map_run(listed[0]["mapRunArn"])["itemCounts"]["running"] < 300
        ):
            pass
        for count in (1, 2):
            execution.stop()
            execution.wait(60)
            execution = ex.redrive(execution.id)
            described = ex.describe_map_run(listed[0]["mapRunArn"])
            assert (described["redriveCount"], described["status"], described["itemCounts"]["total"]) == (
                count,
                "RUNNING",
                300,
            )
        assert len(ex.list_map_runs(execution.id)) == 1


def test_a_redrive_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SETTLING_SECONDS", 0.05)
    monkeypatch.setattr(commands, "is_settled", lambda storage, id: False)
    with Executor() as ex:
        ex.deploy("w", over({"F": {"Type": "Fail"}}))
        execution = ex.start("w", [1]).wait(60)
        with pytest.raises(NotRedrivable, match="still being stopped"):
            ex.redrive(execution.id)
