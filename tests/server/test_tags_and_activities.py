"""Tags, and activities as resources, by AWS's rules (API semantics, chapters 8 and 10)."""

from __future__ import annotations

from typing import Any

import pytest

from .support import machine, refusal


def tag(**pairs: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


def tags(sfn: Any, arn: str) -> list[tuple[str, str]]:
    return [(each["key"], each["value"]) for each in sfn.list_tags_for_resource(resourceArn=arn)["tags"]]


@pytest.fixture(params=["state machine", "activity"])
def resource(sfn: Any, name: str, request: pytest.FixtureRequest) -> str:
    """A resource that can have tags."""
    return machine(sfn, name) if request.param == "state machine" else sfn.create_activity(name=name)["activityArn"]


def test_tags_keep_the_order_in_which_they_were_set(sfn: Any, resource: str) -> None:
    assert tags(sfn, resource) == []
    sfn.tag_resource(resourceArn=resource, tags=[])
    sfn.tag_resource(resourceArn=resource, tags=tag(b="1", a=""))
    sfn.tag_resource(resourceArn=resource, tags=[*tag(c="1"), *tag(c="2"), *tag(b="3")])
    assert tags(sfn, resource) == [("b", "3"), ("a", ""), ("c", "2")]
    sfn.untag_resource(resourceArn=resource, tagKeys=[])
    sfn.untag_resource(resourceArn=resource, tagKeys=["a", "a", "unknown"])
    assert tags(sfn, resource) == [("b", "3"), ("c", "2")]


def test_a_resource_has_fifty_tags_at_most(sfn: Any, resource: str) -> None:
    sfn.tag_resource(resourceArn=resource, tags=tag(**{f"k{n}": "v" for n in range(50)}))
    assert refusal(sfn.tag_resource, resourceArn=resource, tags=tag(more="v"))[0] == "TooManyTags"
    sfn.tag_resource(resourceArn=resource, tags=tag(k7="w"))
    assert len(tags(sfn, resource)) == 50


@pytest.mark.parametrize("wrong", [tag(**{"aws:k": "v"}), tag(**{"a*b": "v"}), tag(k="v\n\x00"), tag(k="<v>")])
def test_wrong_tags_are_refused(sfn: Any, name: str, wrong: list[dict[str, str]]) -> None:
    arn = machine(sfn, name)
    assert refusal(sfn.tag_resource, resourceArn=arn, tags=wrong)[0] == "ValidationException"
    assert tags(sfn, arn) == []


def test_what_has_no_tags(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, publish=True)
    for missing in (f"{arn}:1", arn + "x", arn.replace(":stateMachine:", ":activity:")):
        expected = ("ResourceNotFound", f"Resource not found: '{missing}'")
        assert refusal(sfn.list_tags_for_resource, resourceArn=missing) == expected
        assert refusal(sfn.tag_resource, resourceArn=missing, tags=tag(a="b")) == expected
        assert refusal(sfn.untag_resource, resourceArn=missing, tagKeys=["a"]) == expected


def test_tags_go_with_their_resource(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, tags=tag(a="b"))
    sfn.delete_state_machine(stateMachineArn=arn)
    assert refusal(sfn.list_tags_for_resource, resourceArn=arn)[0] == "ResourceNotFound"
    machine(sfn, name)
    assert tags(sfn, arn) == []
    activity = sfn.create_activity(name=name, tags=tag(a="b"))["activityArn"]
    assert tags(sfn, activity) == [("a", "b")]
    sfn.delete_activity(activityArn=activity)
    sfn.create_activity(name=name)
    assert tags(sfn, activity) == []


# activities


def test_an_activity_is_created_once(sfn: Any, name: str) -> None:
    first = sfn.create_activity(name=name, tags=tag(a="b"))
    again = sfn.create_activity(name=name, tags=tag(c="d"))
    arn = f"arn:aws:states:us-east-1:000000000000:activity:{name}"
    assert (first["activityArn"], again["creationDate"]) == (arn, first["creationDate"])
    assert tags(sfn, arn) == [("a", "b")]
    found = sfn.describe_activity(activityArn=arn)
    found.pop("ResponseMetadata")
    assert found == {
        "activityArn": arn,
        "name": name,
        "creationDate": first["creationDate"],
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    key = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "key"}
    expected = ("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'")
    assert refusal(sfn.create_activity, name=name, encryptionConfiguration=key) == expected
    other = sfn.create_activity(name=name + "-2", encryptionConfiguration=key)["activityArn"]
    shown = sfn.describe_activity(activityArn=other)["encryptionConfiguration"]
    assert shown == {**key, "kmsDataKeyReusePeriodSeconds": 300}


def test_activities_are_listed_by_name_page_by_page(sfn: Any, name: str) -> None:
    for number in range(5):
        sfn.create_activity(name=f"{name}-{number}")
    pages = list(sfn.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": 2}))
    found = [each for page in pages for each in page["activities"]]
    assert [each["name"] for each in found] == sorted(each["name"] for each in found)
    assert len([each for each in found if each["name"].startswith(f"{name}-")]) == 5
    assert set(found[0]) == {"activityArn", "name", "creationDate"}


def test_an_activity_that_is_not_there(sfn: Any, name: str) -> None:
    arn = sfn.create_activity(name=name)["activityArn"]
    sfn.delete_activity(activityArn=arn)
    sfn.delete_activity(activityArn=arn)
    expected = ("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    assert refusal(sfn.describe_activity, activityArn=arn) == expected
    assert refusal(sfn.get_activity_task, activityArn=arn) == expected
