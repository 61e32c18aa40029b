"""Map runs through the API (API semantics, chapter 9)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from .support import ended, machine, refusal, run

COUNTS = dict.fromkeys(
    ["pending", "running", "failed", "timedOut", "aborted", "failuresNotRedrivable", "pendingRedrive"], 0
)


def mapping(processor: dict[str, Any], **more: Any) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "ItemProcessor": config | processor, "End": True, **more}
    return {"StartAt": "Map", "States": {"Map": state}}


PASSING = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAITING = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 300, "End": True}}}


def test_a_map_run_is_listed_and_described(sfn: Any, name: str) -> None:
    execution = run(sfn, name, mapping(PASSING, Label="each", MaxConcurrency=2), input="[1,2,3]")
    (item,) = sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    assert isinstance(item.pop("startDate"), datetime)
    assert isinstance(item.pop("stopDate"), datetime)
    arn = item["mapRunArn"]
    begin = "arn:aws:states:us-east-1:000000000000"
    assert arn.startswith(f"{begin}:mapRun:{name}/each:")
    assert item == {
        "executionArn": execution["executionArn"],
        "mapRunArn": arn,
        "stateMachineArn": f"{begin}:stateMachine:{name}/each",
    }
    found = sfn.describe_map_run(mapRunArn=arn)
    assert (found["status"], found["maxConcurrency"], found["redriveCount"]) == ("SUCCEEDED", 2, 0)
    assert (found["toleratedFailureCount"], found["toleratedFailurePercentage"]) == (0, 0.0)
    assert (
        found["itemCounts"] == found["executionCounts"] == {**COUNTS, "succeeded": 3, "total": 3, "resultsWritten": 3}
    )


def test_map_runs_come_in_pages(sfn: Any, name: str) -> None:
    two = mapping(PASSING, Label="one", Next="Again", End=None)
    del two["States"]["Map"]["End"]
    other = {"StartAt": "Q", "States": {"Q": {"Type": "Pass", "End": True}}}
    two["States"]["Again"] = mapping(other, Label="two")["States"]["Map"]
    execution = run(sfn, name, two, input="[1]")["executionArn"]
    first = sfn.list_map_runs(executionArn=execution, maxResults=1)
    second = sfn.list_map_runs(executionArn=execution, maxResults=1, nextToken=first["nextToken"])
    labels = [page["mapRuns"][0]["stateMachineArn"].partition("/")[2] for page in (first, second)]
    assert labels == ["two", "one"]
    assert "nextToken" not in second


def test_an_execution_without_map_runs_has_an_empty_list(sfn: Any, name: str) -> None:
    assert sfn.list_map_runs(executionArn=run(sfn, name)["executionArn"])["mapRuns"] == []


def test_an_unknown_map_run(sfn: Any, name: str) -> None:
    arn = f"arn:aws:states:us-east-1:000000000000:mapRun:{name}/each:e0000000-0000000000000000-00000001-r1"
    assert refusal(sfn.describe_map_run, mapRunArn=arn)[0] == "ResourceNotFound"
    assert refusal(sfn.update_map_run, mapRunArn=arn, maxConcurrency=1)[0] == "ResourceNotFound"


def test_the_limits_of_a_running_map_run_are_changed(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, mapping(WAITING, MaxConcurrency=1))
    execution = sfn.start_execution(stateMachineArn=arn, input="[1,2,3]")["executionArn"]
    run_arn = running(sfn, execution)
    sfn.update_map_run(mapRunArn=run_arn, maxConcurrency=3, toleratedFailurePercentage=50.0)
    found = sfn.describe_map_run(mapRunArn=run_arn)
    assert (found["maxConcurrency"], found["toleratedFailurePercentage"], found["status"]) == (3, 50.0, "RUNNING")
    with pytest.raises(sfn.exceptions.ValidationException) as missing:
        sfn.update_map_run(mapRunArn=run_arn)
    assert missing.value.response["reason"] == "MISSING_REQUIRED_PARAMETER"
    sfn.stop_execution(executionArn=execution)
    with pytest.raises(sfn.exceptions.ValidationException) as ended_run:
        sfn.update_map_run(mapRunArn=run_arn, maxConcurrency=1)
    assert ended_run.value.response["reason"] == "CANNOT_UPDATE_COMPLETED_MAP_RUN"


def running(sfn: Any, execution: str) -> str:
    """The ARN of the one map run of an execution."""
    while not (runs := sfn.list_map_runs(executionArn=execution)["mapRuns"]):
        assert sfn.describe_execution(executionArn=execution)["status"] == "RUNNING"
    return str(runs[0]["mapRunArn"])


def test_a_redrive_runs_a_map_run_on(sfn: Any, name: str) -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad"}}}
    execution = run(sfn, name, mapping(failing), input="[1]")["executionArn"]
    sfn.redrive_execution(executionArn=execution)
    assert ended(sfn, execution)["redriveCount"] == 1
    (item,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
    assert sfn.describe_map_run(mapRunArn=item["mapRunArn"])["redriveCount"] == 1


def test_a_child_is_described_with_what_its_map_state_runs(sfn: Any, name: str) -> None:
    sets = {"Type": "Pass", "Assign": {"x": 7}, "Next": "P"}
    reads = {"Type": "Pass", "Output": "{% $x %}", "End": True}
    definition = mapping({"StartAt": "Set", "States": {"Set": sets, "P": reads}}, Label="l")
    definition |= {"QueryLanguage": "JSONata"}
    execution = run(sfn, name, definition, input="[1]")
    assert execution["output"] == "[7]"
    (run_of,) = sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    (child,) = sfn.list_executions(mapRunArn=run_of["mapRunArn"])["executions"]
    processor = {"QueryLanguage": "JSONata", **definition["States"]["Map"]["ItemProcessor"]}
    found = sfn.describe_state_machine_for_execution(executionArn=child["executionArn"])
    assert (found["mapRunArn"], found["label"]) == (run_of["mapRunArn"], "l")
    assert json.loads(found["definition"]) == processor
    assert found["variableReferences"] == {"P": ["x"]}
    labelled = sfn.describe_state_machine(stateMachineArn=run_of["stateMachineArn"])
    assert (json.loads(labelled["definition"]), labelled["name"]) == (processor, name)
