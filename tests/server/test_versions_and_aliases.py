"""Published versions and aliases by AWS's rules (API semantics, chapters 5 and 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .support import PASS, WAIT, ended, machine, refusal

NO_SUCH = ("ResourceNotFound", "Request references a resource that does not exist.")


def giving(result: str) -> str:
    return json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": result, "End": True}}})


def published(sfn: Any, name: str, count: int) -> str:
    """The ARN of a machine with so many published versions: the third gives "3"."""
    arn = machine(sfn, name, PASS)
    for number in range(1, count + 1):
        sfn.update_state_machine(stateMachineArn=arn, definition=giving(str(number)), publish=True)
    return arn


def versions(sfn: Any, arn: str) -> list[int]:
    found = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    return [int(each["stateMachineVersionArn"].rpartition(":")[2]) for each in found]


def route(arn: str, *weights: tuple[int, int]) -> list[dict[str, Any]]:
    return [{"stateMachineVersionArn": f"{arn}:{number}", "weight": weight} for number, weight in weights]


# versions


def test_publishing_a_revision_again_gives_its_version(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    first = sfn.publish_state_machine_version(stateMachineArn=arn, description="one")
    again = sfn.publish_state_machine_version(stateMachineArn=arn, description="two")
    members = ("stateMachineVersionArn", "creationDate")
    assert [first[each] for each in members] == [again[each] for each in members]
    assert sfn.describe_state_machine(stateMachineArn=f"{arn}:1")["description"] == "one"


def test_a_number_is_not_given_twice(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 2)
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:2")
    assert sfn.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"] == f"{arn}:3"
    assert versions(sfn, arn) == [3, 1]
    assert refusal(sfn.start_execution, stateMachineArn=f"{arn}:2")[0] == "StateMachineDoesNotExist"
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:2")  # what is not there is deleted, too


def test_only_the_expected_revision_is_published(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    text = "Failed to publish the State Machine version for revision {}. The current State Machine revision is {}."
    wrong = refusal(sfn.publish_state_machine_version, stateMachineArn=arn, revisionId="x")
    assert wrong == ("ConflictException", text.format("x", "INITIAL"))
    sfn.publish_state_machine_version(stateMachineArn=arn, revisionId="INITIAL")
    revision = sfn.update_state_machine(stateMachineArn=arn, definition=giving("2"))["revisionId"]
    wrong = refusal(sfn.publish_state_machine_version, stateMachineArn=arn, revisionId="INITIAL")
    assert wrong == ("ConflictException", text.format("INITIAL", revision))
    sfn.publish_state_machine_version(stateMachineArn=arn, revisionId=revision)
    assert versions(sfn, arn) == [2, 1]


def test_versions_are_listed_newest_first_page_by_page(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 5)
    numbers: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = sfn.list_state_machine_versions(stateMachineArn=arn, maxResults=2, **more)
        numbers += [each["stateMachineVersionArn"].rpartition(":")[2] for each in page["stateMachineVersions"]]
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    assert numbers == ["5", "4", "3", "2", "1"]
    other = machine(sfn, name + "-other")
    assert refusal(sfn.list_state_machine_versions, stateMachineArn=other, **more)[0] == "InvalidToken"
    assert versions(sfn, other) == []


def test_versions_that_are_not_there(sfn: Any, name: str) -> None:
    arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"
    assert refusal(sfn.list_state_machine_versions, stateMachineArn=arn) == ("InvalidArn", f"Invalid Arn: '{arn}'")
    assert refusal(sfn.publish_state_machine_version, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    assert refusal(sfn.delete_state_machine_version, stateMachineVersionArn=arn)[0] == "InvalidArn"


def test_a_version_that_an_alias_routes_to_is_not_deleted(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 2)
    for alias in ("blue", "green"):
        sfn.create_state_machine_alias(name=alias, routingConfiguration=route(arn, (1, 100)))
    text = (
        "Version to be deleted must not be referenced by an alias. "
        "Current list of aliases referencing this version: [blue, green]"
    )
    call = sfn.delete_state_machine_version
    assert refusal(call, stateMachineVersionArn=f"{arn}:1") == ("ConflictException", text)
    for alias in ("blue", "green"):
        sfn.delete_state_machine_alias(stateMachineAliasArn=f"{arn}:{alias}")
    call(stateMachineVersionArn=f"{arn}:1")
    assert versions(sfn, arn) == [2]


def test_running_executions_of_a_version_outlive_it(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, WAIT, publish=True)
    execution = sfn.start_execution(stateMachineArn=f"{arn}:1")["executionArn"]
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    found = sfn.describe_execution(executionArn=execution)
    assert (found["status"], found["stateMachineVersionArn"]) == ("RUNNING", f"{arn}:1")
    assert found["stateMachineArn"] == arn
    sfn.stop_execution(executionArn=execution)


def test_a_machine_has_a_thousand_versions_at_most() -> None:
    from stepwell.step_functions.errors import Fault
    from stepwell.step_functions.operations.versions import MOST_VERSIONS, check_quota

    check_quota(MOST_VERSIONS - 1)
    with pytest.raises(Fault, match="ServiceQuotaExceededException"):
        check_quota(MOST_VERSIONS)


# aliases


def test_an_alias_is_created_once_and_described(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 2)
    given = {"name": "prod", "description": "most", "routingConfiguration": route(arn, (1, 90), (2, 10))}
    first = sfn.create_state_machine_alias(**given)
    assert first["stateMachineAliasArn"] == f"{arn}:prod"
    assert sfn.create_state_machine_alias(**given)["creationDate"] == first["creationDate"]
    found = sfn.describe_state_machine_alias(stateMachineAliasArn=f"{arn}:prod")
    found.pop("ResponseMetadata")
    dates = dict.fromkeys(("creationDate", "updateDate"), first["creationDate"])
    assert found == {"stateMachineAliasArn": f"{arn}:prod", **given, **dates}
    text = "Failed to create alias because an alias with the same name and a different routing configuration already"
    for change in ({"description": "other"}, {"routingConfiguration": route(arn, (1, 100))}):
        assert refusal(sfn.create_state_machine_alias, **given | change) == (
            "ConflictException",
            f"{text} exists.",
        )


def test_an_alias_is_changed(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 2)
    alias = sfn.create_state_machine_alias(name="prod", routingConfiguration=route(arn, (1, 100)))
    arn_of_alias, created = alias["stateMachineAliasArn"], alias["creationDate"]
    sfn.update_state_machine_alias(stateMachineAliasArn=arn_of_alias, description="")
    updated = sfn.update_state_machine_alias(
        stateMachineAliasArn=arn_of_alias, routingConfiguration=route(arn, (2, 100))
    )
    found = sfn.describe_state_machine_alias(stateMachineAliasArn=arn_of_alias)
    assert (found["routingConfiguration"], found["description"]) == (route(arn, (2, 100)), "")
    assert (found["creationDate"], found["updateDate"]) == (created, updated["updateDate"])
    assert refusal(sfn.update_state_machine_alias, stateMachineAliasArn=arn_of_alias)[0] == "ValidationException"


def test_wrong_routings_are_refused(sfn: Any, name: str) -> None:
    arn, other = published(sfn, name, 2), published(sfn, name + "-other", 1)

    def refused(*routes: dict[str, Any]) -> tuple[str, str]:
        return refusal(sfn.create_state_machine_alias, name="prod", routingConfiguration=list(routes))

    code = "ValidationException"
    plain = {"stateMachineVersionArn": arn, "weight": 100}
    text = f"Routing configuration must contain state machine version ARNs. Received: [{arn}]"
    assert refused(plain) == (code, text)
    text = f"Routing configuration must contain distinct state machine version ARNs. Received: [{arn}:1, {arn}:1]"
    assert refused(*route(arn, (1, 50), (1, 50))) == (code, text)
    text = "Sum of routing configuration weights must equal 100. Received: [50, 49]"
    assert refused(*route(arn, (1, 50), (2, 49))) == (code, text)
    assert refused(*route(arn, (1, 50)), *route(other, (1, 50)))[0] == code
    assert refused(*route(arn, (1, 40), (2, 40), (3, 20)))[0] == code
    assert refused()[0] == code
    assert refused(*route(arn, (7, 100))) == NO_SUCH
    assert refused(*route(arn + "-none", (1, 100))) == NO_SUCH
    sfn.create_state_machine_alias(name="prod", routingConfiguration=route(arn, (1, 100)))
    alias = {"stateMachineVersionArn": f"{arn}:prod", "weight": 100}
    assert refused(alias)[0] == code
    wrong = {"stateMachineAliasArn": f"{arn}:prod", "routingConfiguration": route(other, (1, 100))}
    assert refusal(sfn.update_state_machine_alias, **wrong)[0] == code


def test_aliases_that_are_not_there(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    missing = f"{arn}:prod"
    assert refusal(sfn.describe_state_machine_alias, stateMachineAliasArn=missing) == NO_SUCH
    assert refusal(sfn.update_state_machine_alias, stateMachineAliasArn=missing, description="x") == NO_SUCH
    sfn.delete_state_machine_alias(stateMachineAliasArn=missing)
    assert refusal(sfn.start_execution, stateMachineArn=missing)[0] == "StateMachineDoesNotExist"
    assert refusal(sfn.describe_state_machine_alias, stateMachineAliasArn=arn)[0] == "InvalidArn"
    assert refusal(sfn.list_state_machine_aliases, stateMachineArn=arn + "x")[0] == "StateMachineDoesNotExist"


def test_aliases_are_listed_oldest_first_and_by_version(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 2)
    for alias, weights in (("c", ((1, 100),)), ("b", ((2, 100),)), ("a", ((1, 50), (2, 50)))):
        sfn.create_state_machine_alias(name=alias, routingConfiguration=route(arn, *weights))

    def listed(of: str) -> list[str]:
        names: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = sfn.list_state_machine_aliases(stateMachineArn=of, maxResults=1, **more)
            names += [each["stateMachineAliasArn"].rpartition(":")[2] for each in page["stateMachineAliases"]]
            if "nextToken" not in page:
                return names
            more = {"nextToken": page["nextToken"]}

    assert (listed(arn), listed(f"{arn}:1"), listed(f"{arn}:2")) == (["c", "b", "a"], ["c", "a"], ["b", "a"])
    assert set(sfn.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"][0]) == {
        "stateMachineAliasArn",
        "creationDate",
    }


def test_executions_tell_their_version_and_alias(sfn: Any, name: str) -> None:
    arn = published(sfn, name, 2)
    sfn.create_state_machine_alias(name="prod", routingConfiguration=route(arn, (1, 100)))
    started = {
        of: sfn.start_execution(stateMachineArn=of)["executionArn"]
        for of in (arn, f"{arn}:2", f"{arn}:1", f"{arn}:prod")
    }
    outputs = {of: ended(sfn, execution)["output"] for of, execution in started.items()}
    assert outputs == {arn: '"2"', f"{arn}:2": '"2"', f"{arn}:1": '"1"', f"{arn}:prod": '"1"'}
    for of, version, alias in ((arn, None, None), (f"{arn}:2", 2, None), (f"{arn}:prod", 1, f"{arn}:prod")):
        expected = {"stateMachineVersionArn": version and f"{arn}:{version}", "stateMachineAliasArn": alias}
        found = sfn.describe_execution(executionArn=started[of])
        first = sfn.get_execution_history(executionArn=started[of])["events"][0]["executionStartedEventDetails"]
        listed = sfn.list_executions(stateMachineArn=arn)["executions"]
        item = next(each for each in listed if each["executionArn"] == started[of])
        for shown in (found, first, item):
            assert {member: shown.get(member) for member in expected} == expected
        assert found["stateMachineArn"] == arn
    by_version = sfn.list_executions(stateMachineArn=f"{arn}:1")["executions"]
    assert {each["executionArn"] for each in by_version} == {started[f"{arn}:1"], started[f"{arn}:prod"]}
    by_alias = sfn.list_executions(stateMachineArn=f"{arn}:prod")["executions"]
    assert [each["executionArn"] for each in by_alias] == [started[f"{arn}:prod"]]


def test_synchronous_executions_by_alias(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, PASS, type="EXPRESS", publish=True)
    sfn.create_state_machine_alias(name="prod", routingConfiguration=route(arn, (1, 100)))
    answer = sfn.start_sync_execution(stateMachineArn=f"{arn}:prod", input="7")
    assert (answer["status"], answer["output"], answer["stateMachineArn"]) == ("SUCCEEDED", "7", arn)
