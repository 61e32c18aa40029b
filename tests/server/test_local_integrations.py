"""State machines that call Step Functions through aws-sdk:sfn and states:, created and run over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

from .support import serving

ROLE = "arn:aws:iam::000000000000:role/any"
SDK = "arn:aws:states:::aws-sdk:sfn:"


def created(sfn: Any, name: str, state: dict[str, Any], **more: Any) -> str:
    definition = {"StartAt": "S", "States": {"S": {"End": True, **state}}}
    made = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **more)
    return made["stateMachineArn"]


def called(action: str, resource: str = SDK, **parameters: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource + action, "Parameters": parameters}


def ended(sfn: Any, arn: str, input: Any = None) -> dict[str, Any]:
    started = sfn.start_execution(stateMachineArn=arn, input=json.dumps(input))
    end = time.monotonic() + 30
    while (found := sfn.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.02)
    return found


def test_a_machine_approves_what_another_waits_for(sfn: Any, name: str) -> None:
    activity = sfn.create_activity(name=f"{name}-approval")["activityArn"]
    order = created(sfn, f"{name}-order", {"Type": "Task", "Resource": activity})
    waiting = sfn.start_execution(stateMachineArn=order)["executionArn"]
    token = sfn.get_activity_task(activityArn=activity)["taskToken"]
    approver = created(sfn, name, called("sendTaskSuccess", **{"TaskToken.$": "$.token", "Output": {"ok": True}}))
    assert ended(sfn, approver, {"token": token})["status"] == "SUCCEEDED"
    end = time.monotonic() + 30
    while (found := sfn.describe_execution(executionArn=waiting))["status"] == "RUNNING":
        assert time.monotonic() < end
    assert json.loads(found["output"]) == {"ok": True}


def test_a_machine_describes_and_stops_another(sfn: Any, name: str) -> None:
    slow = created(sfn, f"{name}-slow", {"Type": "Wait", "Seconds": 3600})
    running = sfn.start_execution(stateMachineArn=slow, name="r")["executionArn"]
    described = ended(sfn, created(sfn, f"{name}-d", called("describeExecution", ExecutionArn=running)))
    assert json.loads(described["output"])["Status"] == "RUNNING"
    stop = called("stopExecution", ExecutionArn=running, Error="Replaced")
    assert ended(sfn, created(sfn, f"{name}-s", stop))["status"] == "SUCCEEDED"
    assert sfn.describe_execution(executionArn=running)["error"] == "Replaced"
    missing = called("describeExecution", ExecutionArn=running + "x")
    assert ended(sfn, created(sfn, f"{name}-m", missing))["error"] == "Sfn.ExecutionDoesNotExistException"


def test_a_nested_execution_is_waited_for(sfn: Any, name: str) -> None:
    child = created(sfn, f"{name}-child", {"Type": "Pass"})
    start = called("startExecution.sync:2", "arn:aws:states:::states:", StateMachineArn=child, Input={"x": 1})
    output = json.loads(ended(sfn, created(sfn, name, start))["output"])
    assert (output["Output"], output["Status"]) == ({"x": 1}, "SUCCEEDED")


def test_it_works_in_a_server_of_several_processes(tmp_path: Any) -> None:
    with serving("--data", str(tmp_path / "data"), "--partitions", "2") as server:
        sfn = server.client
        child = created(sfn, "child", {"Type": "Pass"})
        for number in range(3):
            start = called("startExecution.sync", "arn:aws:states:::states:", StateMachineArn=child, Name=f"n{number}")
            assert ended(sfn, created(sfn, f"caller-{number}", start))["status"] == "SUCCEEDED"
            arn = f"{child.replace('stateMachine', 'execution')}:n{number}"
            found = ended(sfn, created(sfn, f"d-{number}", called("describeExecution", ExecutionArn=arn)))
            assert json.loads(found["output"])["Name"] == f"n{number}"
