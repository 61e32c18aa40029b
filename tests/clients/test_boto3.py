"""All 37 operations through boto3, as a team uses them: machines with versions and aliases, activities, map runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from server.support import Served

LONG = 60
ROLE = "arn:aws:iam::000000000000:role/none"


def one(**state: Any) -> str:
    return json.dumps({"StartAt": "S", "States": {"S": {**state, "End": True}}})


PASS = one(Type="Pass")


@pytest.fixture(scope="module")
def sfn(served: Served) -> Any:
    return served.client


def until(look: Callable[[], Any]) -> Any:
    """What ``look`` finds, once it finds something."""
    end = time.monotonic() + LONG
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def ended(sfn: Any, arn: str) -> Any:
    def look() -> Any:
        execution = sfn.describe_execution(executionArn=arn)
        return execution if execution["status"] not in ("RUNNING", "PENDING_REDRIVE") else None

    return until(look)


def error_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_a_machine_is_created_described_changed_and_deleted(sfn: Any) -> None:
    tags = [{"key": "team", "value": "orders"}]
    created = sfn.create_state_machine(name="life", definition=PASS, roleArn=ROLE, tags=tags)
    arn = created["stateMachineArn"]
    assert isinstance(created["creationDate"], datetime)
    assert sfn.create_state_machine(name="life", definition=PASS, roleArn=ROLE, tags=tags)["stateMachineArn"] == arn
    described = sfn.describe_state_machine(stateMachineArn=arn)
    assert (described["name"], described["status"], described["type"]) == ("life", "ACTIVE", "STANDARD")
    assert json.loads(described["definition"]) == json.loads(PASS)
    changed = one(Type="Pass", Result=7)
    updated = sfn.update_state_machine(stateMachineArn=arn, definition=changed)
    assert sfn.describe_state_machine(stateMachineArn=arn)["revisionId"] == updated["revisionId"]
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    assert ended(sfn, execution)["output"] == "7"
    of_execution = sfn.describe_state_machine_for_execution(executionArn=execution)
    assert (of_execution["name"], json.loads(of_execution["definition"])) == ("life", json.loads(changed))
    names = [each["name"] for page in pages(sfn, "list_state_machines") for each in page["stateMachines"]]
    assert "life" in names
    sfn.delete_state_machine(stateMachineArn=arn)
    until(lambda: is_gone(sfn.describe_state_machine, stateMachineArn=arn))
    assert error_of(sfn.start_execution, stateMachineArn=arn) == "StateMachineDoesNotExist"


def pages(sfn: Any, operation: str, **parameters: Any) -> list[Any]:
    return list(sfn.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": 2}))


def is_gone(call: Any, **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] == "StateMachineDoesNotExist"
    return False


def test_versions_are_published_and_aliases_route_to_them(sfn: Any) -> None:
    created = sfn.create_state_machine(
        name="routed", definition=PASS, roleArn=ROLE, publish=True, versionDescription="first"
    )
    arn, first = created["stateMachineArn"], created["stateMachineVersionArn"]
    sfn.update_state_machine(stateMachineArn=arn, definition=one(Type="Pass", Result="second"))
    second = sfn.publish_state_machine_version(stateMachineArn=arn, description="second")["stateMachineVersionArn"]
    listed = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in listed] == [second, first]
    route = [{"stateMachineVersionArn": second, "weight": 100}]
    alias = sfn.create_state_machine_alias(name="prod", description="live", routingConfiguration=route)
    alias_arn = alias["stateMachineAliasArn"]
    assert sfn.describe_state_machine_alias(stateMachineAliasArn=alias_arn)["routingConfiguration"] == route
    execution = sfn.start_execution(stateMachineArn=alias_arn, name="by-alias", input="1")["executionArn"]
    described = ended(sfn, execution)
    assert described["output"] == '"second"'
    assert (described["stateMachineAliasArn"], described["stateMachineVersionArn"]) == (alias_arn, second)
    halves = [{"stateMachineVersionArn": first, "weight": 50}, {"stateMachineVersionArn": second, "weight": 50}]
    sfn.update_state_machine_alias(stateMachineAliasArn=alias_arn, routingConfiguration=halves)
    aliases = sfn.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [each["stateMachineAliasArn"] for each in aliases] == [alias_arn]
    assert error_of(sfn.delete_state_machine_version, stateMachineVersionArn=second) == "ConflictException"
    by_version = sfn.list_executions(stateMachineArn=second)["executions"]
    assert [each["executionArn"] for each in by_version] == [execution]
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias_arn)
    assert error_of(sfn.describe_state_machine_alias, stateMachineAliasArn=alias_arn) == "ResourceNotFound"
    sfn.delete_state_machine_version(stateMachineVersionArn=second)
    assert error_of(sfn.start_execution, stateMachineArn=second) == "StateMachineDoesNotExist"


def test_tags_are_set_read_and_removed(sfn: Any) -> None:
    machine = sfn.create_state_machine(name="tagged", definition=PASS, roleArn=ROLE)["stateMachineArn"]
    activity = sfn.create_activity(name="tagged", tags=[{"key": "a", "value": "1"}])["activityArn"]
    for arn in (machine, activity):
        sfn.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": ""}])
        sfn.untag_resource(resourceArn=arn, tagKeys=["b", "unknown"])
        assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "2"}]
    unknown = machine.replace("tagged", "none")
    assert error_of(sfn.tag_resource, resourceArn=unknown, tags=[]) == "ResourceNotFound"


def test_an_activity_is_polled_kept_alive_and_answered(sfn: Any) -> None:
    activity = sfn.create_activity(name="life")["activityArn"]
    assert sfn.describe_activity(activityArn=activity)["name"] == "life"
    machine = sfn.create_state_machine(
        name="polled", definition=one(Type="Task", Resource=activity, HeartbeatSeconds=60), roleArn=ROLE
    )["stateMachineArn"]
    executions = [sfn.start_execution(stateMachineArn=machine, input=str(number)) for number in range(2)]
    for answer in ({"output": '"done"'}, {"error": "Refused", "cause": "by hand"}):
        task = sfn.get_activity_task(activityArn=activity, workerName="worker")
        sfn.send_task_heartbeat(taskToken=task["taskToken"])
        call = sfn.send_task_success if "output" in answer else sfn.send_task_failure
        call(taskToken=task["taskToken"], **answer)
        assert error_of(sfn.send_task_success, taskToken=task["taskToken"], output="1") == "TaskTimedOut"
    statuses = sorted(ended(sfn, each["executionArn"])["status"] for each in executions)
    assert statuses == ["FAILED", "SUCCEEDED"]
    assert "life" in {each["name"] for page in pages(sfn, "list_activities") for each in page["activities"]}
    sfn.delete_activity(activityArn=activity)
    assert error_of(sfn.describe_activity, activityArn=activity) == "ActivityDoesNotExist"


def test_executions_are_listed_stopped_redriven_and_read(sfn: Any) -> None:
    machine = sfn.create_state_machine(name="runs", definition=one(Type="Wait", Seconds=3600), roleArn=ROLE)
    arn = machine["stateMachineArn"]
    started = [sfn.start_execution(stateMachineArn=arn, name=f"run-{number}")["executionArn"] for number in range(5)]
    stopped = sfn.stop_execution(executionArn=started[0], error="Enough", cause="of it")
    assert isinstance(stopped["stopDate"], datetime)
    assert ended(sfn, started[0])["status"] == "ABORTED"

    def listed(**filters: Any) -> list[str]:
        found = [
            each
            for page in pages(sfn, "list_executions", stateMachineArn=arn, **filters)
            for each in page["executions"]
        ]
        return [each["name"] for each in found]

    assert listed() == [f"run-{number}" for number in (0, 4, 3, 2, 1)]  # by its end where it has one
    assert listed(statusFilter="ABORTED") == ["run-0"]
    sfn.redrive_execution(executionArn=started[0], clientToken="once")
    assert until(lambda: listed(statusFilter="RUNNING"))[0] == "run-0"  # by its redrive
    events = [
        event for page in pages(sfn, "get_execution_history", executionArn=started[0]) for event in page["events"]
    ]
    assert [event["type"] for event in events][-1] in ("ExecutionRedriven", "WaitStateEntered")
    backwards = sfn.get_execution_history(executionArn=started[0], reverseOrder=True, includeExecutionData=False)
    assert backwards["events"][-1]["type"] == "ExecutionStarted"
    sfn.delete_state_machine(stateMachineArn=arn)
    assert sfn.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
    assert error_of(sfn.start_execution, stateMachineArn=arn) == "StateMachineDeleting"
    for each in started:
        sfn.stop_execution(executionArn=each)
    until(lambda: is_gone(sfn.describe_state_machine, stateMachineArn=arn))


def test_map_runs_are_listed_described_and_changed(sfn: Any) -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    processor |= {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    machine = sfn.create_state_machine(name="map", definition=one(Type="Map", ItemProcessor=processor), roleArn=ROLE)
    execution = sfn.start_execution(stateMachineArn=machine["stateMachineArn"], input="[1, 2, 3]")["executionArn"]
    (run,) = until(lambda: sfn.list_map_runs(executionArn=execution)["mapRuns"])
    arn = run["mapRunArn"]
    sfn.update_map_run(mapRunArn=arn, maxConcurrency=2, toleratedFailureCount=3, toleratedFailurePercentage=50.0)
    described = sfn.describe_map_run(mapRunArn=arn)
    assert (described["status"], described["maxConcurrency"]) == ("RUNNING", 2)
    assert (described["toleratedFailureCount"], described["toleratedFailurePercentage"]) == (3, 50.0)
    children = until(lambda: sfn.list_executions(mapRunArn=arn)["executions"])
    assert {each["mapRunArn"] for each in children} == {arn}
    assert sfn.list_executions(mapRunArn=arn, redriveFilter="REDRIVEN", maxResults=1)["executions"] == []
    sfn.stop_execution(executionArn=execution)
    assert ended(sfn, execution)["status"] == "ABORTED"


def test_express_machines_and_definitions_are_tried_at_once(sfn: Any) -> None:
    machine = sfn.create_state_machine(name="quick", definition=PASS, roleArn=ROLE, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=machine["stateMachineArn"], input="[1]", name="n")
    assert (answer["status"], answer["output"], answer["name"]) == ("SUCCEEDED", "[1]", "n")
    tested = sfn.test_state(definition='{"Type": "Pass", "Next": "Other"}', roleArn=ROLE, input="7")
    assert (tested["status"], tested["output"], tested["nextState"]) == ("SUCCEEDED", "7", "Other")
    assert sfn.validate_state_machine_definition(definition=PASS)["result"] == "OK"
    assert sfn.validate_state_machine_definition(definition="{}")["result"] == "FAIL"


BAD_ARN = "arn:aws:states:us-east-1:000000000000:nothing:x"
ROUTE = [{"stateMachineVersionArn": BAD_ARN, "weight": 100}]
NO_ARNS = [
    ("describe_state_machine", {"stateMachineArn": BAD_ARN}),
    ("update_state_machine", {"stateMachineArn": BAD_ARN, "definition": PASS}),
    ("delete_state_machine", {"stateMachineArn": BAD_ARN}),
    ("publish_state_machine_version", {"stateMachineArn": BAD_ARN}),
    ("list_state_machine_versions", {"stateMachineArn": BAD_ARN}),
    ("delete_state_machine_version", {"stateMachineVersionArn": BAD_ARN}),
    ("create_state_machine_alias", {"name": "x", "routingConfiguration": ROUTE}),
    ("describe_state_machine_alias", {"stateMachineAliasArn": BAD_ARN}),
    ("update_state_machine_alias", {"stateMachineAliasArn": BAD_ARN, "routingConfiguration": ROUTE}),
    ("delete_state_machine_alias", {"stateMachineAliasArn": BAD_ARN}),
    ("list_state_machine_aliases", {"stateMachineArn": BAD_ARN}),
    ("start_execution", {"stateMachineArn": BAD_ARN}),
    ("start_sync_execution", {"stateMachineArn": BAD_ARN}),
    ("stop_execution", {"executionArn": BAD_ARN}),
    ("redrive_execution", {"executionArn": BAD_ARN}),
    ("describe_execution", {"executionArn": BAD_ARN}),
    ("describe_state_machine_for_execution", {"executionArn": BAD_ARN}),
    ("list_executions", {"stateMachineArn": BAD_ARN}),
    ("get_execution_history", {"executionArn": BAD_ARN}),
    ("list_map_runs", {"executionArn": BAD_ARN}),
    ("describe_map_run", {"mapRunArn": BAD_ARN}),
    ("update_map_run", {"mapRunArn": BAD_ARN, "maxConcurrency": 1}),
    ("describe_activity", {"activityArn": BAD_ARN}),
    ("delete_activity", {"activityArn": BAD_ARN}),
    ("get_activity_task", {"activityArn": BAD_ARN}),
    ("tag_resource", {"resourceArn": BAD_ARN, "tags": []}),
    ("untag_resource", {"resourceArn": BAD_ARN, "tagKeys": []}),
    ("list_tags_for_resource", {"resourceArn": BAD_ARN}),
]


@pytest.mark.parametrize(("operation", "request_"), NO_ARNS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_arn_of_the_kind_is_named(sfn: Any, operation: str, request_: dict[str, Any]) -> None:
    assert error_of(getattr(sfn, operation), **request_) == "InvalidArn"


MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:paged"
NO_PAGES = [
    ("list_state_machines", {"maxResults": 1, "nextToken": "none"}),
    ("list_activities", {"maxResults": 1, "nextToken": "none"}),
    ("list_executions", {"stateMachineArn": MACHINE, "maxResults": 1, "nextToken": "none"}),
    ("list_state_machine_versions", {"stateMachineArn": MACHINE, "maxResults": 1, "nextToken": "none"}),
    ("list_state_machine_aliases", {"stateMachineArn": MACHINE, "maxResults": 1, "nextToken": "none"}),
]


@pytest.mark.parametrize(("operation", "request_"), NO_PAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_page_tokens_that_nobody_made_are_named(sfn: Any, operation: str, request_: dict[str, Any]) -> None:
    sfn.create_state_machine(name="paged", definition=PASS, roleArn=ROLE)
    assert error_of(getattr(sfn, operation), **request_) == "InvalidToken"


def test_names_and_settings_that_may_not_be_are_named(sfn: Any) -> None:
    machine = {"definition": PASS, "roleArn": ROLE}
    assert error_of(sfn.create_state_machine, name="a b", **machine) == "InvalidName"
    assert error_of(sfn.create_activity, name="a b") == "InvalidName"
    assert error_of(sfn.create_state_machine, name="bad", definition="{}", roleArn=ROLE) == "InvalidDefinition"
    arn = sfn.create_state_machine(name="kept", **machine)["stateMachineArn"]
    other = {"definition": one(Type="Pass", Result=1), "roleArn": ROLE}
    assert error_of(sfn.create_state_machine, name="kept", **other) == "StateMachineAlreadyExists"
    assert error_of(sfn.update_state_machine, stateMachineArn=arn, definition="{}") == "InvalidDefinition"
    assert error_of(sfn.update_state_machine, stateMachineArn=arn) == "MissingRequiredParameter"
    logging = {"level": "ALL", "includeExecutionData": True, "destinations": []}
    for call, more in (
        (sfn.create_state_machine, {"name": "logged", **machine}),
        (sfn.update_state_machine, {"stateMachineArn": arn}),
    ):
        assert error_of(call, loggingConfiguration=logging, **more) == "InvalidLoggingConfiguration"
    assert error_of(sfn.start_sync_execution, stateMachineArn=arn) == "StateMachineTypeNotSupported"


def test_settings_are_kept_and_shown(sfn: Any) -> None:
    tracing, encryption = {"enabled": True}, {"type": "AWS_OWNED_KEY"}
    arn = sfn.create_state_machine(
        name="settings",
        definition=PASS,
        roleArn=ROLE,
        tracingConfiguration=tracing,
        loggingConfiguration={"level": "OFF"},
        encryptionConfiguration=encryption,
    )["stateMachineArn"]
    described = sfn.describe_state_machine(stateMachineArn=arn, includedData="ALL_DATA")
    assert (described["tracingConfiguration"], described["encryptionConfiguration"]) == (tracing, encryption)
    role = ROLE.replace("none", "other")
    updated = sfn.update_state_machine(
        stateMachineArn=arn,
        roleArn=role,
        tracingConfiguration={"enabled": False},
        loggingConfiguration={"level": "OFF"},
        encryptionConfiguration=encryption,
        publish=True,
        versionDescription="quiet",
    )
    assert updated["stateMachineVersionArn"] == f"{arn}:1"
    described = sfn.describe_state_machine(stateMachineArn=arn)
    assert (described["roleArn"], described["tracingConfiguration"]) == (role, {"enabled": False})
    activity = sfn.create_activity(name="settings", encryptionConfiguration=encryption)["activityArn"]
    assert sfn.describe_activity(activityArn=activity)["encryptionConfiguration"] == encryption
