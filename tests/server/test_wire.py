"""The wire: targets, bodies, errors and their texts (API semantics, chapters 1 to 3)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import urllib3

from .support import Served, refusal

CORAL = "com.amazon.coral.validate#ValidationException"
LONG = "x" * 81


@pytest.mark.parametrize("target", [None, "", "NoSuchOperation", "startExecution"])
def test_an_unknown_operation_has_no_message(served: Served, target: str | None) -> None:
    assert served.post(target, "{}") == (400, {"__type": "UnknownOperationException"})


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '"text"',
        "null",
        b"\xff{}",
        '{"name": 7}',
        '{"name": "a", "tags": {}}',
        '{"name": "a", "tags": [null]}',
        '{"name": "a", "encryptionConfiguration": "none"}',
        '{"name": "\\ud800"}',
        '{"unknown": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
    ids=lambda body: str(body[:30]),
)
def test_a_body_that_cannot_be_read_is_a_serialization_error(served: Served, body: bytes | str) -> None:
    assert served.post("CreateActivity", body) == (400, {"__type": "SerializationException"})


def test_an_empty_body_is_an_empty_request(served: Served) -> None:
    assert served.post("ListStateMachines", "")[0] == 200


def test_null_is_absent_and_unknown_members_are_ignored(served: Served, name: str) -> None:
    body = {"name": name, "tags": None, "unknown": {"a": [1]}}
    status, answer = served.post("CreateActivity", json.dumps(body))
    assert (status, set(answer)) == (200, {"activityArn", "creationDate"})


def test_a_broken_constraint_names_the_value_and_the_member(sfn: Any) -> None:
    assert refusal(sfn.create_activity, name=LONG) == (
        "ValidationException",
        f"1 validation error detected: Value '{LONG}' at 'name' failed to satisfy constraint: "
        "Member must have length less than or equal to 80",
    )


def test_all_broken_constraints_are_told_and_no_sensitive_value(served: Served) -> None:
    assert served.post("CreateStateMachine", json.dumps({"name": LONG, "definition": ""})) == (
        400,
        {
            "__type": CORAL,
            "message": f"3 validation errors detected: Value '{LONG}' at 'name' failed to satisfy constraint: "
            "Member must have length less than or equal to 80; "
            "Value at 'definition' failed to satisfy constraint: Member must have length greater than or equal to 1; "
            "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        },
    )


def test_names_are_counted_in_characters(sfn: Any) -> None:
    assert sfn.create_activity(name="é" * 80)["activityArn"].endswith("é" * 80)


@pytest.mark.covers("A16.73")
def test_every_answer_has_a_request_id_and_the_content_type(served: Served) -> None:
    ids = set[str]()
    for target in ("ListStateMachines", "Nothing"):
        headers = {"X-Amz-Target": f"AWSStepFunctions.{target}"}
        answer = urllib3.request("POST", served.url, body=b"{}", headers=headers)
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert re.fullmatch(
            "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", answer.headers["x-amzn-requestid"]
        )
        ids.add(answer.headers["x-amzn-requestid"])
    assert len(ids) == 2


def test_a_body_has_a_largest_size(served: Served) -> None:
    status, answer = served.post("CreateActivity", b"x" * (9 << 20))
    assert (status, answer["__type"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health(served: Served, path: str) -> None:
    assert urllib3.request("GET", served.url + path).status == 200


def test_other_paths_and_methods_are_refused(served: Served) -> None:
    assert urllib3.request("GET", served.url + "/").status == 404
    assert urllib3.request("POST", served.url + "/other", body=b"{}").status == 405
    assert urllib3.request("PUT", served.url + "/", body=b"{}").status == 405
