"""Which response of a mock file a call gets after a restart: the calls before are counted in the history."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from stepwell import AsyncExecutor
from stepwell.step_functions.mocks import Mocks

from .mock_support import LAMBDA, LOOP, created, options, output, types, waiting, write_files
from .support import ended, serving

pytestmark = pytest.mark.covers("A16.82")


def test_the_count_goes_on_after_a_kill(tmp_path: Path) -> None:
    write_files(tmp_path)
    with serving(*options(tmp_path)) as server:
        execution = waiting(server.client, created(server.client, "loop", LOOP) + "#Twice")
        server.process.kill()
    with serving(*options(tmp_path)) as server:
        assert output(ended(server.client, execution)) == "one or two"
        assert types(server.client, {"executionArn": execution}).count("TaskStateEntered") == 2


def test_a_task_that_the_engine_hands_out_while_it_opens_is_counted_too(tmp_path: Path) -> None:
    write_files(tmp_path)
    with serving(*options(tmp_path)) as server:
        arn = waiting(server.client, created(server.client, "loop", LOOP) + "#Twice")
        server.process.kill()

    async def go_on() -> int:
        executor, mocks = AsyncExecutor(tmp_path / "data"), Mocks(str(tmp_path / "MockConfigFile.json"))
        executor.use_mocks(mocks)
        async with executor:
            execution = await executor.get(arn)

            async def entered() -> int:
                return [event["type"] for event in await execution.history()].count("TaskStateEntered")

            while await entered() < 2:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)  # time for the answer that must not come yet
            mocks.attach(executor)
            await execution.wait(60)
            return await entered()

    assert asyncio.run(go_on()) == 2  # a third call is made if the second one is answered as if it were the first


def spread() -> dict[str, Any]:
    """A Distributed Map, one child after the other: each calls Work, waits and calls it again."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    work = {"Type": "Task", "Resource": LAMBDA}
    child = {
        "First": {"Type": "Pass", "Next": "Work"},
        "Work": {**work, "ResultPath": "$.answer", "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 2, "End": True},
    }
    child["First"]["Parameters"] = {}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}
    mapping = {"Type": "Map", "MaxConcurrency": 1, "ItemReader": reader, "ResultWriter": writer, "End": True}
    return {"All": {**mapping, "ItemProcessor": {**config, "StartAt": "First", "States": child}}}


def test_the_count_goes_on_in_the_children_of_a_map_run_and_at_its_writer(tmp_path: Path) -> None:
    write_files(tmp_path)
    with serving(*options(tmp_path)) as server:
        sfn = server.client
        arn = created(sfn, "spread", spread())
        execution = sfn.start_execution(stateMachineArn=f"{arn}#Counted")["executionArn"]
        first = child_that_waits(sfn, execution)
        server.process.kill()
    with serving(*options(tmp_path)) as server:
        sfn = server.client
        assert output(ended(sfn, execution)) == {"written": True}
        (run_of,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
        children = sfn.list_executions(mapRunArn=run_of["mapRunArn"])["executions"]
        outputs = {each["executionArn"]: output(ended(sfn, each["executionArn"])) for each in children}
        assert outputs.pop(first) == {"answer": "zero"}
        assert list(outputs.values()) == [{"answer": "one or two"}]


def child_that_waits(sfn: Any, execution: str) -> str:
    """The first child of the map run of an execution, once it waits."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for run_of in sfn.list_map_runs(executionArn=execution)["mapRuns"]:
            for child in sfn.list_executions(mapRunArn=run_of["mapRunArn"])["executions"]:
                if "WaitStateEntered" in types(sfn, child):
                    return str(child["executionArn"])
        time.sleep(0.02)
    raise AssertionError("no child waits")
