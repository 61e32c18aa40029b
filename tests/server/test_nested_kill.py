"""A server is killed while state machines start executions: after a restart each was started once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from stepwell import Executor

from .support import serving

ROLE = "arn:aws:iam::000000000000:role/any"
ITEMS, PARENTS = 8, 4


def created(sfn: Any, name: str, states: dict[str, Any], **more: Any) -> str:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]


def starts(resource: str, child: str) -> dict[str, Any]:
    """States that start a child for each item."""
    task = {"Type": "Task", "Resource": resource, "End": True}
    task["Parameters"] = {"StateMachineArn": child, "Input": {"n.$": "$"}}
    each = {"StartAt": "Start", "States": {"Start": task}}
    return {"M": {"Type": "Map", "Iterator": each, "End": True}}


def ended(sfn: Any, execution: str) -> str:
    end = time.monotonic() + 60
    while (status := sfn.describe_execution(executionArn=execution)["status"]) == "RUNNING":
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.02)
    return status


@pytest.mark.covers("A15.68")
@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_each_child_is_started_once_whenever_the_server_is_killed(
    tmp_path: Path, partitions: int, seconds: float
) -> None:
    options = "--data", str(tmp_path / "data"), "--partitions", str(partitions)
    executions: list[str] = []
    with serving(*options) as server:
        sfn = server.client
        child = created(sfn, "child", {"P": {"Type": "Pass", "End": True}})
        express = created(sfn, "quick", {"P": {"Type": "Pass", "End": True}}, type="EXPRESS")
        states = "arn:aws:states:::states:startExecution.sync:2"
        parents = [
            created(sfn, "waits", starts(states, child)),
            created(sfn, "goes-on", starts("arn:aws:states:::aws-sdk:sfn:startExecution", child)),
            created(sfn, "calls", starts("arn:aws:states:::aws-sdk:sfn:startSyncExecution", express)),
        ]
        for _ in range(PARENTS):
            for parent in parents:
                input = json.dumps(list(range(ITEMS)))
                executions.append(sfn.start_execution(stateMachineArn=parent, input=input)["executionArn"])
        time.sleep(seconds)
        server.process.kill()
    with serving(*options) as server:
        assert [ended(server.client, each) for each in executions] == ["SUCCEEDED"] * len(executions)
        assert server.stop() == 0
    with Executor(tmp_path / "data", partitions=partitions) as ex:
        assert len(list(ex.executions("child"))) == 2 * PARENTS * ITEMS
        assert len(list(ex.executions("quick"))) == PARENTS * ITEMS
