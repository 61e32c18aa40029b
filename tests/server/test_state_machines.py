"""State machines are created, described, updated, deleted and listed by AWS's rules (API semantics, chapter 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .support import PASS, ROLE, WAIT, Served, ended, machine, refusal

DEFINITION = json.dumps(PASS)
OTHER = json.dumps({**PASS, "Comment": "other"})
GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:machines:*"
LOGGING = {
    "level": "ALL",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
}
KEY = {
    "type": "CUSTOMER_MANAGED_KMS_KEY",
    "kmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/1",
    "kmsDataKeyReusePeriodSeconds": 60,
}


def create(sfn: Any, name: str, **more: Any) -> dict[str, Any]:
    answer = sfn.create_state_machine(**{"name": name, "definition": DEFINITION, "roleArn": ROLE} | more)
    answer.pop("ResponseMetadata")
    return dict(answer)


def described(sfn: Any, arn: str, **more: Any) -> dict[str, Any]:
    answer = sfn.describe_state_machine(stateMachineArn=arn, **more)
    answer.pop("ResponseMetadata")
    return dict(answer)


# CreateStateMachine


def test_the_same_request_again_gives_the_same_machine(sfn: Any, name: str) -> None:
    first = create(sfn, name, tags=[{"key": "a", "value": "1"}])
    again = create(sfn, name, roleArn=ROLE + "-other", tags=[{"key": "b", "value": "2"}])
    assert again == first
    assert described(sfn, first["stateMachineArn"])["roleArn"] == ROLE
    tags = sfn.list_tags_for_resource(resourceArn=first["stateMachineArn"])["tags"]
    assert tags == [{"key": "a", "value": "1"}]


@pytest.mark.parametrize(
    "change",
    [
        {"definition": DEFINITION + " "},
        {"definition": OTHER},
        {"type": "EXPRESS"},
        {"loggingConfiguration": LOGGING},
        {"tracingConfiguration": {"enabled": True}},
        {"encryptionConfiguration": KEY},
        {"publish": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_request_for_the_name_is_refused(sfn: Any, name: str, change: dict[str, Any]) -> None:
    arn = create(sfn, name)["stateMachineArn"]
    text = f"State Machine Already Exists: '{arn}'"
    code, message = refusal(
        sfn.create_state_machine, **{"name": name, "definition": DEFINITION, "roleArn": ROLE} | change
    )
    assert (code, message) == ("StateMachineAlreadyExists", text)


def test_a_creation_that_publishes_gives_the_first_version_each_time(sfn: Any, name: str) -> None:
    first = create(sfn, name, publish=True, versionDescription="one")
    assert first["stateMachineVersionArn"] == first["stateMachineArn"] + ":1"
    assert create(sfn, name, publish=True, versionDescription="one") == first
    more = {"name": name, "definition": DEFINITION, "roleArn": ROLE, "publish": True, "versionDescription": "two"}
    assert refusal(sfn.create_state_machine, **more)[0] == "StateMachineAlreadyExists"
    assert len(sfn.list_state_machine_versions(stateMachineArn=first["stateMachineArn"])["stateMachineVersions"]) == 1


def test_a_description_needs_a_publication(sfn: Any, name: str) -> None:
    given = {"name": name, "definition": DEFINITION, "roleArn": ROLE, "versionDescription": "one"}
    expected = ("ValidationException", "Version description can only be set when publish is true")
    assert refusal(sfn.create_state_machine, **given) == expected
    arn = machine(sfn, name)
    assert refusal(sfn.update_state_machine, stateMachineArn=arn, roleArn=ROLE, versionDescription="x") == expected


def test_a_wrong_definition_is_refused_with_its_places(sfn: Any, name: str) -> None:
    code, message = refusal(sfn.create_state_machine, name=name, definition="{}", roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert message.startswith("Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: ")
    arn = machine(sfn, name)
    assert refusal(sfn.update_state_machine, stateMachineArn=arn, definition="{}") == (code, message)
    assert described(sfn, arn)["definition"] == DEFINITION


@pytest.mark.parametrize("bad", ["a b", "a:b", "a/b", "a*b", "a\x7fb"])
def test_a_wrong_name_is_refused(sfn: Any, bad: str) -> None:
    expected = ("InvalidName", f"Invalid Name: '{bad}'")
    assert refusal(sfn.create_state_machine, name=bad, definition=DEFINITION, roleArn=ROLE) == expected
    assert refusal(sfn.create_activity, name=bad) == expected


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"level": "ALL"}, "Must specify exactly one Log Destination."),
        ({"level": "ERROR", "destinations": []}, "Must specify exactly one Log Destination."),
        ({**LOGGING, "destinations": LOGGING["destinations"] * 2}, "Must specify exactly one Log Destination."),  # type: ignore[operator]
        ({"level": "OFF", "destinations": [{}]}, "Log Destination not found."),
    ],
)
def test_a_wrong_logging_configuration_is_refused(
    sfn: Any, name: str, configuration: dict[str, Any], reason: str
) -> None:
    given = {"name": name, "definition": DEFINITION, "roleArn": ROLE, "loggingConfiguration": configuration}
    expected = ("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {reason}")
    assert refusal(sfn.create_state_machine, **given) == expected


@pytest.mark.parametrize("wrong", [{"type": KEY["type"]}, {"type": "AWS_OWNED_KEY", "kmsKeyId": "k"}])
def test_a_wrong_encryption_configuration_is_refused(sfn: Any, name: str, wrong: dict[str, Any]) -> None:
    given = {"name": name, "definition": DEFINITION, "roleArn": ROLE, "encryptionConfiguration": wrong}
    assert refusal(sfn.create_state_machine, **given)[0] == "InvalidEncryptionConfiguration"
    assert refusal(sfn.create_activity, name=name, encryptionConfiguration=wrong)[0] == "InvalidEncryptionConfiguration"


# DescribeStateMachine


def test_a_new_machine_is_described_with_aws_defaults(sfn: Any, name: str) -> None:
    created = create(sfn, name)
    assert described(sfn, created["stateMachineArn"]) == {
        "stateMachineArn": created["stateMachineArn"],
        "name": name,
        "status": "ACTIVE",
        "definition": DEFINITION,
        "roleArn": ROLE,
        "type": "STANDARD",
        "creationDate": created["creationDate"],
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    assert described(sfn, created["stateMachineArn"], includedData="METADATA_ONLY")["definition"] == "{}"


@pytest.mark.covers("A16.84")
@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_settings_come_back_as_they_were_given(sfn: Any, name: str, type: str) -> None:
    given = {"loggingConfiguration": LOGGING, "tracingConfiguration": {"enabled": True}, "encryptionConfiguration": KEY}
    found = described(sfn, create(sfn, name, type=type, **given)["stateMachineArn"])
    assert {member: found[member] for member in given} == given
    assert found["type"] == type


def test_a_version_is_described_as_it_was_published(sfn: Any, name: str) -> None:
    created = create(sfn, name, publish=True, versionDescription="first")
    arn = created["stateMachineArn"]
    updated = sfn.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    first, second = described(sfn, f"{arn}:1"), described(sfn, f"{arn}:2")
    assert (first["stateMachineArn"], first["name"], first["definition"]) == (f"{arn}:1", name, DEFINITION)
    assert (first["description"], "revisionId" in first) == ("first", False)
    assert (second["definition"], second["revisionId"]) == (OTHER, updated["revisionId"])
    assert "description" not in second


def test_labels_and_aliases_are_described_as_far_as_they_are_machines(sfn: Any, name: str) -> None:
    item = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}
    spread = {"StartAt": "M", "States": {"M": {"Type": "Map", "Label": "many", "ItemProcessor": item, "End": True}}}
    arn = machine(sfn, name, spread, publish=True)
    found = described(sfn, f"{arn}/many")
    assert (found["stateMachineArn"], found["label"], found["name"]) == (f"{arn}/many", "many", name)
    route = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    sfn.create_state_machine_alias(name="prod", routingConfiguration=route)
    for missing in (f"{arn}/other", f"{arn}:prod", f"{arn}:7", arn + "x"):
        expected = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'")
        assert refusal(sfn.describe_state_machine, stateMachineArn=missing) == expected


# UpdateStateMachine


def test_a_change_is_a_revision_and_the_same_again_is_none(sfn: Any, name: str) -> None:
    arn = create(sfn, name)["stateMachineArn"]
    same = sfn.update_state_machine(stateMachineArn=arn, definition=DEFINITION, roleArn=ROLE)
    assert "revisionId" not in same
    revisions: list[str] = []
    changes: list[dict[str, Any]] = [
        {"definition": OTHER},
        {"roleArn": ROLE + "-2"},
        {"loggingConfiguration": LOGGING},
        {"tracingConfiguration": {"enabled": True}},
    ]
    for change in changes:
        updated = sfn.update_state_machine(stateMachineArn=arn, **change)
        found = described(sfn, arn)
        assert found["revisionId"] == updated["revisionId"]
        assert {member: found[member] for member in change} == change
        assert sfn.update_state_machine(stateMachineArn=arn, **change)["revisionId"] == updated["revisionId"]
        revisions.append(updated["revisionId"])
    assert len(set(revisions)) == len(changes)
    sfn.update_state_machine(stateMachineArn=arn, encryptionConfiguration=KEY)
    found = described(sfn, arn)
    assert (found["encryptionConfiguration"], found["revisionId"]) == (KEY, revisions[-1])
    assert found["creationDate"] == create_date(sfn, name)


def create_date(sfn: Any, name: str) -> Any:
    page = sfn.get_paginator("list_state_machines").paginate().search("stateMachines[]")
    return next(each["creationDate"] for each in page if each["name"] == name)


def test_an_update_publishes_what_is_not_published_yet(sfn: Any, name: str) -> None:
    arn = create(sfn, name)["stateMachineArn"]
    first = sfn.update_state_machine(stateMachineArn=arn, definition=DEFINITION, publish=True)
    assert (first["stateMachineVersionArn"], "revisionId" in first) == (f"{arn}:1", False)
    second = sfn.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True, versionDescription="two")
    assert second["stateMachineVersionArn"] == f"{arn}:2"
    again = sfn.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    assert again["stateMachineVersionArn"] == f"{arn}:2"
    assert described(sfn, f"{arn}:2")["description"] == "two"


def test_running_executions_keep_the_definition_they_began_with(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, WAIT)
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    sfn.update_state_machine(stateMachineArn=arn, definition=DEFINITION)
    found = sfn.describe_state_machine_for_execution(executionArn=execution)
    assert (found["definition"], "revisionId" in found) == (json.dumps(WAIT), False)
    new = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    assert ended(sfn, new)["status"] == "SUCCEEDED"
    assert sfn.describe_state_machine_for_execution(executionArn=new)["revisionId"]
    sfn.stop_execution(executionArn=execution)


def test_what_cannot_be_updated(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, publish=True)
    assert refusal(sfn.update_state_machine, stateMachineArn=arn)[0] == "MissingRequiredParameter"
    for missing in (f"{arn}:1", arn + "x"):
        expected = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'")
        assert refusal(sfn.update_state_machine, stateMachineArn=missing, roleArn=ROLE) == expected
    for call in (
        sfn.update_state_machine,
        sfn.delete_state_machine,
        sfn.publish_state_machine_version,
        sfn.start_execution,
    ):
        more = {"roleArn": ROLE} if call == sfn.update_state_machine else {}
        assert refusal(call, stateMachineArn=f"{arn}/label", **more)[0] == "ValidationException"


# DeleteStateMachine


def test_a_machine_without_executions_is_gone_at_once(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    sfn.delete_state_machine(stateMachineArn=arn)
    assert refusal(sfn.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    assert refusal(sfn.start_execution, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    sfn.delete_state_machine(stateMachineArn=arn)  # what is not there is deleted, too


def test_a_machine_is_deleting_while_executions_run(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, WAIT, publish=True)
    route = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    alias = sfn.create_state_machine_alias(name="prod", routingConfiguration=route)["stateMachineAliasArn"]
    execution = sfn.start_execution(stateMachineArn=alias)["executionArn"]
    sfn.delete_state_machine(stateMachineArn=arn)
    assert described(sfn, arn)["status"] == "DELETING"
    text = f"State Machine is being deleted: '{arn}'"
    refused = [
        (sfn.create_state_machine, {"name": name, "definition": DEFINITION, "roleArn": ROLE}),
        (sfn.update_state_machine, {"stateMachineArn": arn, "roleArn": ROLE + "2"}),
        (sfn.publish_state_machine_version, {"stateMachineArn": arn}),
        (sfn.start_execution, {"stateMachineArn": arn}),
        (sfn.create_state_machine_alias, {"name": "other", "routingConfiguration": route}),
        (sfn.list_state_machine_aliases, {"stateMachineArn": arn}),
    ]
    for call, parameters in refused:
        assert refusal(call, **parameters) == ("StateMachineDeleting", text)
    assert sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"] == []
    assert refusal(sfn.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"
    assert sfn.describe_execution(executionArn=execution)["stateMachineAliasArn"] == alias
    sfn.stop_execution(executionArn=execution)
    assert refusal(sfn.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"


def test_an_execution_ends_at_its_next_state_while_its_machine_is_deleted(sfn: Any, name: str) -> None:
    waits = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "Next": "B"}, "B": {"Type": "Succeed"}}}
    arn = machine(sfn, name, waits)
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    sfn.delete_state_machine(stateMachineArn=arn)
    assert ended(sfn, execution)["status"] == "ABORTED"


def test_a_machine_that_is_created_again_is_another_one(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, publish=True)
    old = sfn.start_execution(stateMachineArn=arn, name="one", input='"old"')["executionArn"]
    ended(sfn, old)
    sfn.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    sfn.delete_state_machine(stateMachineArn=arn)
    created = create(sfn, name, publish=True)
    assert created["stateMachineVersionArn"] == f"{arn}:1"
    assert "revisionId" not in described(sfn, arn)
    assert sfn.list_executions(stateMachineArn=arn)["executions"] == []
    new = sfn.start_execution(stateMachineArn=arn, name="one", input='"new"')["executionArn"]
    assert ended(sfn, new)["output"] == '"new"'
    assert [each["name"] for each in sfn.list_executions(stateMachineArn=arn)["executions"]] == ["one"]


# ListStateMachines, and both doors


def test_machines_are_listed_by_name_page_by_page(served: Served) -> None:
    sfn = served.client
    arns = {machine(sfn, f"paged-{number:02}") for number in range(7)}
    pages = list(sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 3}))
    found = [each for page in pages for each in page["stateMachines"]]
    names = [each["name"] for each in found]
    assert (names, arns <= {each["stateMachineArn"] for each in found}) == (sorted(names), True)
    assert all(len(page["stateMachines"]) <= 3 for page in pages)
    assert set(found[0]) == {"stateMachineArn", "name", "type", "creationDate"}
    assert refusal(sfn.list_state_machines, nextToken="made-up") == ("InvalidToken", "Invalid Token: 'Invalid token'")


def test_an_arn_that_only_begins_like_one_is_not_taken_for_it(sfn: Any, name: str) -> None:
    arn, activity = machine(sfn, name), sfn.create_activity(name=name)["activityArn"]
    for wrong in (f"{arn}/", f"{arn}/a/b", f"{arn}/a/", arn.replace(name, f"/{name}")):
        for call in (sfn.describe_state_machine, sfn.list_executions, sfn.delete_state_machine):
            assert refusal(call, stateMachineArn=wrong) == ("InvalidArn", f"Invalid Arn: '{wrong}'")
    for wrong in (f"{activity}/", f"{activity}/x"):
        for call in (sfn.describe_activity, sfn.get_activity_task, sfn.delete_activity):
            assert refusal(call, activityArn=wrong) == ("InvalidArn", f"Invalid Arn: '{wrong}'")
    elsewhere = arn.replace("arn:aws:", "arn:aws-cn:")
    assert refusal(sfn.describe_state_machine, stateMachineArn=elsewhere)[0] == "StateMachineDoesNotExist"
    sfn.delete_state_machine(stateMachineArn=elsewhere)
    assert sfn.describe_state_machine(stateMachineArn=arn)["status"] == "ACTIVE"
    assert sfn.describe_activity(activityArn=activity)["name"] == name
