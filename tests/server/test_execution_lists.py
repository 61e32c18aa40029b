"""ListExecutions by AWS's rules (API semantics, chapter 7): filters, order, pages, map runs."""

from __future__ import annotations

from typing import Any

from .support import PASS, WAIT, ended, machine, refusal

FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail"}}}


def spread(definition: dict[str, Any], type: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    """A machine that is one distributed Map state."""
    item = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": type}, **definition}
    return {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "Label": "many", "ItemProcessor": item, "End": True, **fields}},
    }


def names(sfn: Any, **asked: Any) -> list[str]:
    """The names in all pages of two."""
    pages = sfn.get_paginator("list_executions").paginate(**asked, PaginationConfig={"PageSize": 2})
    return [each["name"] for page in pages for each in page["executions"]]


def test_ended_executions_are_listed_by_their_ends_and_running_ones_by_their_starts(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, WAIT)
    started = {called: sfn.start_execution(stateMachineArn=arn, name=called)["executionArn"] for called in "abcde"}
    for called in "dbc":
        sfn.stop_execution(executionArn=started[called])
    assert names(sfn, stateMachineArn=arn, statusFilter="ABORTED") == ["c", "b", "d"]
    assert names(sfn, stateMachineArn=arn, statusFilter="RUNNING") == ["e", "a"]
    assert names(sfn, stateMachineArn=arn) == ["c", "b", "d", "e", "a"]
    assert names(sfn, stateMachineArn=arn, statusFilter="TIMED_OUT") == []
    for called in "ae":
        sfn.stop_execution(executionArn=started[called])


def test_an_item_has_what_aws_says_of_it(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, FAIL)
    execution = sfn.start_execution(stateMachineArn=arn, name="one")["executionArn"]
    ended(sfn, execution)
    (item,) = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert set(item) == {"executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "redriveCount"}
    found = sfn.describe_execution(executionArn=execution)
    assert item == {member: found[member] for member in item}
    sfn.redrive_execution(executionArn=execution)
    ended(sfn, execution)
    (item,) = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert (item["redriveCount"], item["redriveDate"] >= item["startDate"]) == (1, True)


def test_a_token_is_for_its_list_only(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    for number in range(3):
        ended(sfn, sfn.start_execution(stateMachineArn=arn, name=f"n{number}")["executionArn"])
    token = sfn.list_executions(stateMachineArn=arn, maxResults=2)["nextToken"]
    assert len(sfn.list_executions(stateMachineArn=arn, nextToken=token)["executions"]) == 1
    for other in (
        {"stateMachineArn": machine(sfn, name + "-other")},
        {"stateMachineArn": arn, "statusFilter": "FAILED"},
    ):
        assert refusal(sfn.list_executions, nextToken=token, **other)[0] == "InvalidToken"


def test_wrong_filters_are_refused(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    expected = ("ValidationException", "1 validation error detected: Must provide a StateMachine ARN or MapRun ARN")
    assert refusal(sfn.list_executions) == expected
    run = f"arn:aws:states:us-east-1:000000000000:mapRun:{name}/many:e1234567-0123456789abcdef-00000001-r1"
    for wrong in (
        {"stateMachineArn": arn, "mapRunArn": run},
        {"stateMachineArn": arn, "redriveFilter": "REDRIVEN"},
        {"stateMachineArn": arn, "statusFilter": "PENDING_REDRIVE"},
        {"stateMachineArn": arn, "statusFilter": "GONE"},
    ):
        assert refusal(sfn.list_executions, **wrong)[0] == "ValidationException"
    assert refusal(sfn.list_executions, mapRunArn=run)[0] == "ResourceNotFound"
    assert refusal(sfn.list_executions, mapRunArn=arn)[0] == "InvalidArn"
    for missing in (arn + "x", f"{arn}:1", f"{arn}:prod"):
        assert refusal(sfn.list_executions, stateMachineArn=missing)[0] == "StateMachineDoesNotExist"
    express = machine(sfn, name + "-x", PASS, type="EXPRESS")
    expected = ("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    assert refusal(sfn.list_executions, stateMachineArn=express) == expected


def test_children_are_listed_by_their_map_run(sfn: Any, name: str) -> None:
    for type in ("STANDARD", "EXPRESS"):
        arn = machine(sfn, f"{name}-{type}", spread(PASS, type, ItemBatcher={"MaxItemsPerBatch": 2}))
        execution = sfn.start_execution(stateMachineArn=arn, input="[1,2,3]")["executionArn"]
        assert ended(sfn, execution)["status"] == "SUCCEEDED"
        (run,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
        items = sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        assert sorted(each["itemCount"] for each in items) == [1, 2]
        assert {each["mapRunArn"] for each in items} == {run["mapRunArn"]}
        assert {each["stateMachineArn"] for each in items} == {f"{arn}/many"}
        assert len(names(sfn, mapRunArn=run["mapRunArn"], statusFilter="SUCCEEDED")) == 2
        assert names(sfn, mapRunArn=run["mapRunArn"], redriveFilter="REDRIVEN") == []
        assert len(names(sfn, mapRunArn=run["mapRunArn"], redriveFilter="NOT_REDRIVEN")) == 2
        described = [sfn.describe_execution(executionArn=each["executionArn"]) for each in items]
        assert [each["name"] for each in described] == [each["name"] for each in items]
        assert len(sfn.list_executions(stateMachineArn=arn)["executions"]) == 1


def test_redriven_children_are_told_apart(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, spread(FAIL, ToleratedFailureCount=0, MaxConcurrency=1))
    execution = sfn.start_execution(stateMachineArn=arn, input="[1]")["executionArn"]
    ended(sfn, execution)
    (run,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
    sfn.redrive_execution(executionArn=execution)
    ended(sfn, execution)
    (item,) = sfn.list_executions(mapRunArn=run["mapRunArn"], redriveFilter="REDRIVEN")["executions"]
    assert (item["status"], item["redriveCount"]) == ("FAILED", 1)
    assert names(sfn, mapRunArn=run["mapRunArn"], redriveFilter="NOT_REDRIVEN") == []
    assert names(sfn, mapRunArn=run["mapRunArn"]) == [item["name"]]
