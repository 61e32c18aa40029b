"""What a handle tells: statuses in both spellings, times, names; and that a redrive is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.support import ACTIVITY, machine, passing, task
from stepwell import AsyncExecutor, Executor, Follower, TaskError

WAITS = machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
SLOW = machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}}, TimeoutSeconds=1)
FAILS = machine({"F": {"Type": "Fail", "Error": "Broken"}})


START = "arn:aws:states:::states:startExecution"


class Flaky:
    """A handler that fails until it is mended."""

    def __init__(self) -> None:
        self.is_mended = False

    def __call__(self, input: Any) -> str:
        if not self.is_mended:
            raise TaskError("Broken", "not mended yet")
        return "done"


def test_a_handle_that_saw_an_end_sees_a_redrive(anywhere: Callable[..., Executor]) -> None:
    flaky = Flaky()
    ex = anywhere(handlers={"flaky": flaky})
    ex.deploy("w", machine({"T": task(resource="flaky")}))
    execution = ex.start("w").wait(60)
    assert (execution.status, execution.error, execution.aws_status) == ("Failed", "Broken", "FAILED")
    flaky.is_mended = True
    ex.redrive(execution.id)
    assert execution.wait(60).output == "done"
    assert (execution.status, execution.error, execution.stopped_at) == (
        "Succeeded",
        None,
        ex.get(execution.id).stopped_at,
    )


def test_an_async_handle_that_saw_an_end_sees_a_redrive() -> None:
    async def main() -> None:
        flaky = Flaky()
        async with AsyncExecutor(handlers={"flaky": flaky}) as ex:
            await ex.deploy("w", machine({"T": task(resource="flaky")}))
            execution = await (await ex.start("w")).wait(60)
            assert execution.status == "Failed"
            flaky.is_mended = True
            await ex.redrive(execution.short_id)
            assert (await execution.wait(60)).status == "Succeeded"

    asyncio.run(main())


def test_a_handle_of_a_stopped_execution_waits_again_once_it_is_redriven() -> None:
    with Executor() as ex:
        ex.deploy("w", machine({"A": task(resource=ACTIVITY)}))
        execution = ex.start("w").stop().wait(60)
        assert execution.aws_status == "ABORTED"
        ex.redrive(execution.id)
        assert (execution.status, execution.stopped_at) == ("Running", None)
        execution.wait_for("A", 10).complete("A", 7)
        assert execution.wait(60).output == 7


@pytest.mark.parametrize("definition", [FAILS, machine({"P": passing()})], ids=["failed", "succeeded"])
def test_a_handle_that_saw_the_end_tells_it_when_all_is_gone(definition: dict[str, Any]) -> None:
    with Executor() as ex:
        ex.deploy("w", definition)
        deleted, left = ex.start("w").wait(60), ex.start("w").wait(10)
        status = deleted.status
        ex.delete(deleted.id)
        assert (deleted.status, deleted.wait(1).status) == (status, status)
    assert (left.status, left.wait(1).status, left.aws_status) == (status, status, status.upper())


def test_statuses_in_both_spellings(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    for name, definition in {"waits": WAITS, "slow": SLOW, "fails": FAILS, "passes": machine({"P": passing()})}.items():
        ex.deploy(name, definition)
    timed_out, failed, passed = (ex.start(name) for name in ("slow", "fails", "passes"))
    running, stopped, pending = ex.start("waits"), ex.start("waits").stop(), ex.start("waits", delay=3600)
    for execution in (timed_out, failed, passed, stopped):
        execution.wait(60)
    assert [(each.status, each.aws_status) for each in (timed_out, stopped, failed, passed, running, pending)] == [
        ("Canceled", "TIMED_OUT"),
        ("Canceled", "ABORTED"),
        ("Failed", "FAILED"),
        ("Succeeded", "SUCCEEDED"),
        ("Running", "RUNNING"),
        ("Pending", "RUNNING"),
    ]
    assert (timed_out.timed_out, stopped.timed_out, failed.timed_out) == (True, False, False)
    assert repr(timed_out) == f"<Execution {timed_out.id} Canceled (TIMED_OUT)>"
    assert repr(running) == f"<Execution {running.id} Running>"
    for asked, expected in {
        "TIMED_OUT": {timed_out},
        "TimedOut": {timed_out},
        "ABORTED": {stopped},
        "Canceled": {timed_out, stopped},
        "RUNNING": {running, pending},
        "Running": {running},
        ("FAILED", "Succeeded"): {failed, passed},
        ("ABORTED", "Canceled"): {timed_out, stopped},
        ("PENDING_REDRIVE",): set(),
        (): set(),
    }.items():
        assert set(ex.list(status=asked)) == expected, asked


def test_a_handle_s_text_is_there_when_its_executor_is_closed() -> None:
    with Executor() as ex:
        ex.deploy("waits", WAITS)
        execution = ex.start("waits")
    assert repr(execution) == f"<Execution {execution.id}>"


def test_times_and_what_it_is(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("waits", FAILS)
    ex.deploy("waits", WAITS)
    before = datetime.now(UTC)
    execution = ex.start("waits", execution_name="one")
    assert before - timedelta(seconds=1) <= execution.started_at <= datetime.now(UTC)
    assert execution.started_at.tzinfo is UTC
    assert execution.stopped_at is None
    assert timedelta(0) <= execution.duration <= datetime.now(UTC) - before + timedelta(seconds=1)
    assert (execution.workflow, execution.version, execution.name, execution.parent) == ("waits", 2, "one", None)
    assert execution.arn == "arn:aws:states:us-east-1:000000000000:execution:waits:one"
    execution.stop().wait(60)
    assert execution.stopped_at is not None
    assert execution.duration == execution.stopped_at - execution.started_at


def test_a_child_of_a_map_run_knows_its_parent(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **machine({"P": passing()})}
    states = {"M: all": {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True}}
    ex.deploy("w", machine(states))
    parent = ex.start("w", [1, 2, 3], "p").wait(60)
    children = ex.list(parent=parent.short_id)
    assert {child.parent for child in children} == {parent.id}
    assert sorted(child.output for child in children) == [1, 2, 3]
    assert {(child.workflow, child.version) for child in children} == {("w", 1)}
    assert {ex.get(child.arn) for child in children} == {ex.get(child.short_id) for child in children} == set(children)
    assert ex.list(parent=parent.arn, workflow="w", status="SUCCEEDED", limit=2) == children[:2]
    assert ex.list(parent=parent.id, workflow="other") == ex.list(parent=parent.id, status="FAILED") == []
    assert ex.list("w") == [parent]


@pytest.mark.parametrize("resource", [f"{START}.sync:2", START, "arn:aws:states:::aws-sdk:sfn:startExecution"])
def test_an_execution_that_a_task_started_knows_its_parent(anywhere: Callable[..., Executor], resource: str) -> None:
    ex = anywhere()
    ex.deploy("child", machine({"P": passing()}))
    ex.deploy("w", machine({"S": task(resource=resource, Parameters={"StateMachineArn": "child"})}))
    parent = ex.start("w").wait(60)
    [child] = ex.list("child")
    assert child.wait(60).parent == parent.id
    assert parent.parent is None


def test_a_follower_tells_the_same(tmp_path: Path) -> None:
    with Executor(tmp_path / "leader", tenant="acme", namespace="a-b") as ex:
        ex.deploy("slow", SLOW)
        execution = ex.start("slow", execution_name="one").wait(60)
        with Follower(tmp_path / "leader", tmp_path / "copy") as follower:
            assert follower.wait_level(20)
            view = follower.get(workflow="slow", name="one")
            assert (view.id, view.aws_status, view.version) == (execution.id, "TIMED_OUT", 1)
            assert [each.id for each in (follower.get(view.short_id), follower.get(view.arn))] == [view.id] * 2
            assert follower.list(status=["TIMED_OUT"]) == list(follower.executions("slow:1")) == [view]
            assert [workflow.id for workflow in follower.workflows()] == ["slow:1"]
            assert follower.open_tasks() == []
