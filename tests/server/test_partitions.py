"""With several partitions rows are read from other processes: the server's event loop never waits for one of them."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from stepwell import AsyncExecutor
from stepwell.engine.host.promises import Latch
from stepwell.step_functions.api import Api
from stepwell.step_functions.errors import Fault
from stepwell.step_functions.service import Service

ROLE = "arn:aws:iam::123456789012:role/any"
ENDS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}}
MAPS = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **WAITS},
            "End": True,
        }
    },
}


async def use(api: Api) -> None:
    """Call the operations on executions."""

    async def call(operation: str, **request: Any) -> dict[str, Any]:
        return await api.answer(operation, json.dumps(request).encode())

    async def machine(name: str, definition: dict[str, Any], type: str = "STANDARD") -> str:
        made = await call(
            "CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE, type=type, publish=True
        )
        return str(made["stateMachineVersionArn"])

    ends, waits, maps = await machine("ends", ENDS), await machine("waits", WAITS), await machine("maps", MAPS)
    await call("StartSyncExecution", stateMachineArn=await machine("quick", ENDS, "EXPRESS"))
    await call("StartExecution", stateMachineArn=ends, name="taken")
    with pytest.raises(Fault, match="Already Exists"):
        await call("StartExecution", stateMachineArn=ends, name="taken", input="1")
    arn = (await call("StartExecution", stateMachineArn=waits))["executionArn"]
    assert (await call("DescribeExecution", executionArn=arn))["status"] == "RUNNING"
    await call("DescribeStateMachineForExecution", executionArn=arn)
    await call("GetExecutionHistory", executionArn=arn)
    await call("ListExecutions", stateMachineArn=waits.rpartition(":")[0])
    await call("StopExecution", executionArn=arn)
    await call("RedriveExecution", executionArn=arn)
    with pytest.raises(Fault, match=r"cannot be redriven|RUNNING"):
        await call("RedriveExecution", executionArn=arn)
    above = (await call("StartExecution", stateMachineArn=maps, input="[1]"))["executionArn"]
    while not (runs := (await call("ListMapRuns", executionArn=above))["mapRuns"]):
        await asyncio.sleep(0)
    await call("UpdateMapRun", mapRunArn=runs[0]["mapRunArn"], maxConcurrency=2)
    await call("DescribeMapRun", mapRunArn=runs[0]["mapRunArn"])


def test_no_operation_on_executions_waits_on_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: set[int] = set()
    wait = Latch.wait

    def watched(latch: Latch, timeout: float | None = None) -> Any:
        waited.add(threading.get_ident())
        return wait(latch, timeout)

    async def main() -> None:
        async with AsyncExecutor(tmp_path / "data", partitions=2, profile="aws") as executor:
            api = Api(Service(executor))
            monkeypatch.setattr(Latch, "wait", watched)
            await use(api)
            monkeypatch.undo()

    asyncio.run(main())
    assert waited
    assert threading.get_ident() not in waited
