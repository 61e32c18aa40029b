"""ValidateStateMachineDefinition and TestState over HTTP (API semantics, chapters 11 and 12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .support import PASS, ROLE, refusal


def states(**names: dict[str, Any]) -> str:
    return json.dumps({"StartAt": next(iter(names)), "States": names})


def test_a_definition_that_is_right(sfn: Any) -> None:
    answer = sfn.validate_state_machine_definition(definition=json.dumps(PASS))
    assert (answer["result"], answer["diagnostics"], answer["truncated"]) == ("OK", [], False)


def test_no_json_has_its_place_twice(sfn: Any) -> None:
    answer = sfn.validate_state_machine_definition(definition="not json")
    (found,) = answer["diagnostics"]
    place = '[Source: (String)"not json"; line: 1, column: 4]'
    assert (answer["result"], found["code"], found["location"]) == ("FAIL", "INVALID_JSON_DESCRIPTION", place)
    assert found["message"].endswith(f"\n at {place}")


def test_an_empty_object_lacks_fields(sfn: Any) -> None:
    (found,) = sfn.validate_state_machine_definition(definition="{}")["diagnostics"]
    assert found == {
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": "These fields are required: [States, StartAt]",
        "location": "/",
    }


def test_warnings_are_shown_when_asked_for_and_fail_nothing(sfn: Any) -> None:
    warned = states(A={"Type": "Pass", "Result": {"a.$": "$.a"}, "End": True})
    assert sfn.validate_state_machine_definition(definition=warned)["diagnostics"] == []
    answer = sfn.validate_state_machine_definition(definition=warned, severity="WARNING")
    assert (answer["result"], {each["severity"] for each in answer["diagnostics"]}) == ("OK", {"WARNING"})


def test_more_than_the_most_are_cut(sfn: Any) -> None:
    wrong = states(**{f"S{n}": {"Type": "Pass"} for n in range(150)})
    for most, shown in ((0, 100), (7, 7), (100, 100)):
        answer = sfn.validate_state_machine_definition(definition=wrong, maxResults=most)
        assert (len(answer["diagnostics"]), answer["truncated"]) == (shown, True)
    assert refusal(sfn.validate_state_machine_definition, definition="{}", maxResults=101)[0] == "ValidationException"


def test_the_type_counts(sfn: Any) -> None:
    activity = "arn:aws:states:us-east-1:000000000000:activity:a"
    definition = states(A={"Type": "Task", "Resource": activity, "End": True})
    results = [
        sfn.validate_state_machine_definition(definition=definition, type=type)["result"]
        for type in ("STANDARD", "EXPRESS")
    ]
    assert results == ["OK", "FAIL"]


# TestState


def test_a_state_is_tested_alone(sfn: Any) -> None:
    state = json.dumps({"Type": "Pass", "Result": {"a": 1}, "Next": "B"})
    answer = sfn.test_state(definition=state, roleArn=ROLE, input="{}", inspectionLevel="DEBUG")
    assert (answer["status"], answer["nextState"], answer["output"]) == ("SUCCEEDED", "B", '{"a":1}')
    assert answer["inspectionData"]["input"] == "{}"


def test_info_inspects_nothing(sfn: Any) -> None:
    answer = sfn.test_state(definition=json.dumps({"Type": "Succeed"}), roleArn=ROLE)
    assert "inspectionData" not in answer


def test_a_mock_stands_for_a_task(sfn: Any) -> None:
    state = json.dumps({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True})
    mock = {"result": '{"MessageId":"1"}', "fieldValidationMode": "NONE"}
    answer = sfn.test_state(definition=state, mock=mock)
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"MessageId": "1"})
    answer = sfn.test_state(definition=state, mock={"errorOutput": {"error": "Bad", "cause": "why"}})
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Bad", "why")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"definition": "{}"}, "InvalidDefinition"),
        ({"definition": '{"Type":"Succeed"}', "input": "nothing"}, "InvalidExecutionInput"),
        ({"definition": '{"Type":"Pass","End":true}', "mock": {"result": "{}"}}, "ValidationException"),
        ({"definition": '{"Type":"Succeed"}', "inspectionLevel": "ALL"}, "ValidationException"),
        ({"definition": '{"Type":"Succeed"}', "stateConfiguration": {"retrierRetryCount": -1}}, "ValidationException"),
        ({}, "ValidationException"),
    ],
)
def test_a_refusal_has_its_code(sfn: Any, given: dict[str, Any], code: str) -> None:
    assert refusal(sfn.test_state, **given)[0] == code
