"""Activities: queues of tasks that workers poll, by their ARNs (API semantics, chapter 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.engine.arns import activity_arn
from stepwell.engine.client.arguments import check_name
from stepwell.errors import InvalidName
from stepwell.step_functions import arns, errors, machine_settings, model
from stepwell.step_functions.in_thread import in_thread
from stepwell.step_functions.service import Operation, Service, page_size

from .tags import checked_tags


def create_activity(service: Service, request: model.CreateActivityInput) -> dict[str, Any]:
    """Create an activity; one of this name stays as it is, with its tags."""
    name, given = request.name, request.encryption_configuration
    try:
        check_name("an activity", name)
    except InvalidName as error:
        raise errors.invalid_name(name) from error
    arn = activity_arn(name)
    tags = checked_tags(request.tags, arn)
    encryption = b"" if given is None else machine_settings.encryption_text(given)
    resources = service.client.resources
    with resources.changing:
        row = resources.activity(name)
        if row is None:
            row = resources.put_activity(name, encryption, tags)
        elif row.encryption != encryption:
            raise errors.Fault("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'")
    return {"activityArn": arn, "creationDate": errors.date(row.created_at)}


def describe_activity(service: Service, request: model.DescribeActivityInput) -> dict[str, Any]:
    """An activity."""
    arn = arns.own(request.activity_arn, errors.no_activity, arns.ACTIVITY)
    row = service.client.resources.activity(arn.name)
    if row is None:
        raise errors.no_activity(arn.text)
    return {
        "activityArn": arn.text,
        "name": row.name,
        "creationDate": errors.date(row.created_at),
        "encryptionConfiguration": machine_settings.shown_encryption(row.encryption),
    }


def delete_activity(service: Service, request: model.DeleteActivityInput) -> dict[str, Any]:
    """Delete an activity; nothing happens if there is none."""
    arn = arns.parse(request.activity_arn, arns.ACTIVITY)
    resources = service.client.resources
    with resources.changing:
        if arn.is_ours and resources.activity(arn.name) is not None:
            resources.delete_activity(arn.name)
    return {}


def list_activities(service: Service, request: model.ListActivitiesInput) -> dict[str, Any]:
    """The activities, by name."""
    after = service.pages.read("ListActivities", None, request.next_token)
    most = page_size(request.max_results)
    rows = service.client.resources.activities(after, most + 1)
    answer: dict[str, Any] = {
        "activities": [
            {
                "activityArn": activity_arn(row.name),
                "name": row.name,
                "creationDate": errors.date(row.created_at),
            }
            for row in rows[:most]
        ]
    }
    if len(rows) > most:
        answer["nextToken"] = service.pages.make("ListActivities", None, rows[most - 1].name)
    return answer


def find_activity(service: Service, text: str) -> None:
    """Check that there is an activity of this ARN. Raises ``Fault``."""
    arn = arns.own(text, errors.no_activity, arns.ACTIVITY)
    if service.client.resources.activity(arn.name) is None:
        raise errors.no_activity(text)


OPERATIONS: Mapping[str, Operation] = {
    "CreateActivity": in_thread(create_activity),
    "DescribeActivity": in_thread(describe_activity),
    "DeleteActivity": in_thread(delete_activity),
    "ListActivities": in_thread(list_activities),
}
