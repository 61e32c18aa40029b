"""Several partitions on a virtual clock: all in one process, in one order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stepwell.testing import TestExecutor
from testing.support import machine, task, wait

CHILD = {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:child", "Input.$": "$"}
NESTED = task("arn:aws:states:::states:startExecution.sync:2", Parameters=CHILD, OutputPath="$.Output")
ACTIVITY = task("arn:aws:states:us-east-1:000000000000:activity:review")


def deploy(ex: TestExecutor) -> None:
    ex.register("do", lambda value, ctx: {**value, "attempt": ctx.attempt}, rate="100/s")
    ex.mock.state("Slow").returns("slow", delay="1h")
    ex.mock.state("Review").returns({"n": 1})
    ex.deploy("child", machine(wait(10), Do=task("do")))
    ex.deploy("parent", machine(Nested=NESTED, Rest=wait(60), Review=ACTIVITY, Slow=task("slow")))


def story(ex: TestExecutor) -> list[Any]:
    deploy(ex)
    executions = [ex.start("parent", {"n": n}, f"name-{n}") for n in range(6)]
    ex.advance("1d")
    assert [execution.output for execution in executions] == ["slow"] * 6
    assert len({execution.id.split("/")[3] for execution in executions}) > 2
    return [(execution.id, execution.history()) for execution in ex.executions()]


def test_the_same_again_with_partitions() -> None:
    with TestExecutor(partitions=3) as one, TestExecutor(partitions=3) as other:
        assert story(one) == story(other)


@pytest.mark.parametrize("folder", [False, True])
def test_a_crash_of_all_partitions(tmp_path: Path, folder: bool) -> None:
    with TestExecutor(tmp_path / "data" if folder else None, partitions=2) as ex:
        deploy(ex)
        executions = [ex.start("parent", {"n": n}, f"name-{n}") for n in range(4)]
        for _ in range(4):
            ex.advance("20s")
            ex.crash()
        assert [execution.wait().output for execution in executions] == ["slow"] * 4
        assert len(list(ex.executions("child"))) == 4


def test_a_child_is_stopped_with_its_parent() -> None:
    with TestExecutor(partitions=3) as ex:
        deploy(ex)
        parents = [ex.start("parent", {"n": n}, f"name-{n}").wait_for("Nested") for n in range(4)]
        ex.run_until_idle()
        for parent in parents:
            parent.stop()
        assert [child.status for child in ex.executions("child")] == ["Canceled"] * 4


def test_a_folder_is_one_of_an_executor_with_partitions(tmp_path: Path) -> None:
    from stepwell import Executor

    with TestExecutor(tmp_path / "data", partitions=2) as ex:
        deploy(ex)
        id = ex.start("parent", {"n": 1}).wait().id
    with Executor(tmp_path / "data", partitions=2) as real:
        assert real.get(id).output == "slow"
