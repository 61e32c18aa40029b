"""Parts of the engine that have clocks, threads or waits of their own: all of them follow the virtual clock."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

from stepwell import StepwellError
from stepwell.testing import AsyncTestExecutor, TestExecutor, explore
from stepwell.testing.virtual_time import pumped
from testing.support import machine, task, wait

pytest_plugins = ["stepwell.pytest_plugin"]


def test_start_sync_times_out_after_300_virtual_seconds(stepwell: TestExecutor) -> None:
    stepwell.mock.state("S1").returns(5)
    stepwell.deploy("short", machine(wait(100), task("f")), type="EXPRESS")
    stepwell.deploy("long", machine(wait(1000)), type="EXPRESS")
    assert stepwell.start_sync("short")["output"] == "5"
    assert stepwell.start_sync("long")["status"] == "TIMED_OUT"


def test_a_redrive_a_day_later(stepwell: TestExecutor) -> None:
    stepwell.mock.state("S0").fails("Down").returns(5)
    stepwell.deploy("w", machine(task("f")))
    execution = stepwell.start("w").wait()
    stepwell.advance("1d")
    stepwell.redrive(execution.id)
    assert execution.wait().output == 5


def test_an_item_reader_is_mocked(stepwell: TestExecutor) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    each = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Do",
        "States": {"Do": task("do", End=True)},
    }
    stepwell.mock.state("Items").returns([1, 2, 3], times=1)
    stepwell.mock.state("Do").answers(lambda value: value * 2)
    stepwell.deploy("w", machine(Items={"Type": "Map", "ItemReader": reader, "ItemProcessor": each}))
    assert stepwell.start("w").wait().output == [2, 4, 6]


def test_threads_start_executions_while_the_test_drives(stepwell: TestExecutor) -> None:
    def start() -> None:
        for _ in range(20):
            stepwell.start("w")

    stepwell.register("f", lambda value: value)
    stepwell.deploy("w", machine(task("f")))
    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        stepwell.run_until_idle()
    stepwell.run_until_idle()
    assert [execution.status for execution in stepwell.executions()] == ["Succeeded"] * 80


def test_listeners_are_called_before_a_call_returns(stepwell: TestExecutor) -> None:
    ended: list[str] = []
    stepwell.on("execution_ended", lambda event: ended.append(event.execution_id))
    stepwell.deploy("w", machine({"Type": "Pass"}))
    assert ended == [stepwell.start("w").id]


def test_a_coroutine_in_a_running_loop(stepwell: TestExecutor) -> None:
    async def add(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    async def main() -> None:
        assert stepwell.start("w", 1).wait().output == 2

    stepwell.register("add", add)
    stepwell.deploy("w", machine(task("add")))
    asyncio.run(main())


def test_an_async_handler_takes_virtual_time_and_is_cancelled(stepwell_async: AsyncTestExecutor) -> None:
    ends: list[str] = []

    async def slow(value: Any) -> None:
        try:
            await stepwell_async.advance("20s")
            await asyncio.sleep(0)  # here it hears that its task has ended
            ends.append("returned")
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def main() -> None:
        stepwell_async.register("slow", slow)
        for seconds in (30, 10):
            await stepwell_async.deploy(f"w{seconds}", machine(task("slow", TimeoutSeconds=seconds)))
            await (await stepwell_async.start(f"w{seconds}")).wait()
        assert [execution.error async for execution in stepwell_async.executions()] == ["States.Timeout", None]

    asyncio.run(main())
    assert ends == ["returned", "cancelled"]


def test_a_loop_that_never_waits_ends_the_test(stepwell: TestExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pumped, "MOST_BATCHES", 500)
    again = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "Done"}], "Default": "Rest"}
    stepwell.deploy("loop", machine(Rest=wait(0), Again=again, Done={"Type": "Succeed"}))
    with pytest.raises(StepwellError, match="does a loop of some workflow never wait"):
        stepwell.start("loop", {"n": 0}).wait()
    for execution in stepwell.executions():
        with suppress(StepwellError):
            execution.stop()
    assert [execution.wait().status for execution in stepwell.executions()] == ["Canceled"]


def test_async_handlers_are_explored() -> None:
    async def pay(value: Any) -> int:
        await asyncio.sleep(0)
        return 1

    assert explore(machine(task("pay")), {"pay": pay}, seeds=40).crashes > 3
