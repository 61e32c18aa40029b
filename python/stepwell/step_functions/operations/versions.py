"""Published versions of state machines (API semantics, chapter 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.engine.client.resources import routes_of
from stepwell.step_functions import errors, model
from stepwell.step_functions.in_thread import in_thread
from stepwell.step_functions.service import Operation, Service, page_size

from .state_machines import check_is_kept, existing, unlabelled, version_arn

INITIAL = "INITIAL"
"""The name of the revision that has no id."""
MOST_VERSIONS = 1000


def publish_state_machine_version(service: Service, request: model.PublishStateMachineVersionInput) -> dict[str, Any]:
    """Publish the current revision; once it is published, it is that version again."""
    arn = unlabelled(request.state_machine_arn)
    resources = service.client.resources
    with resources.changing:
        workflow = existing(service, arn)
        check_is_kept(workflow, arn.text)
        current = workflow.context.revision_id or INITIAL
        if request.revision_id not in (None, current):
            raise errors.Fault(
                "ConflictException",
                f"Failed to publish the State Machine version for revision {request.revision_id}. "
                f"The current State Machine revision is {current}.",
            )
        if resources.published_of(workflow) is None:
            check_quota(len(resources.published_versions(workflow.name, limit=MOST_VERSIONS)))
        row = resources.publish(workflow, request.description)
    return {"creationDate": errors.date(row.created_at), "stateMachineVersionArn": version_arn(row)}


def check_quota(count: int) -> None:
    """Refuse a published version beyond the number that a state machine may have."""
    if count >= MOST_VERSIONS:
        text = f"A state machine has at most {MOST_VERSIONS} versions. Delete those that are not used."
        raise errors.Fault("ServiceQuotaExceededException", text)


def list_state_machine_versions(service: Service, request: model.ListStateMachineVersionsInput) -> dict[str, Any]:
    """The published versions, the newest first."""
    arn = unlabelled(request.state_machine_arn)
    if not arn.is_ours or arn.qualifier is not None or service.client.deployments.latest(arn.name) is None:
        raise errors.invalid_arn(arn.text)
    before = service.pages.read("ListStateMachineVersions", arn.name, request.next_token)
    most = page_size(request.max_results)
    resources = service.client.resources
    if before is None:
        rows = resources.published_versions(arn.name, limit=most + 1)
    else:
        rows = resources.published_versions(arn.name, before=before, limit=most + 1)
    answer: dict[str, Any] = {
        "stateMachineVersions": [
            {"stateMachineVersionArn": version_arn(row), "creationDate": errors.date(row.created_at)}
            for row in rows[:most]
        ]
    }
    if len(rows) > most:
        answer["nextToken"] = service.pages.make("ListStateMachineVersions", arn.name, rows[most - 1].number)
    return answer


def delete_state_machine_version(service: Service, request: model.DeleteStateMachineVersionInput) -> dict[str, Any]:
    """Delete a published version, unless an alias routes to it; nothing happens if there is none."""
    arn = unlabelled(request.state_machine_version_arn)
    number = arn.version
    if number is None:
        raise errors.invalid_arn(arn.text)
    resources = service.client.resources
    with resources.changing:
        if not arn.is_ours or resources.published_version(arn.name, number) is None:
            return {}
        aliases = [each.name for each in resources.aliases(arn.name) if number in dict(routes_of(each))]
        if aliases:
            raise errors.Fault(
                "ConflictException",
                "Version to be deleted must not be referenced by an alias. "
                f"Current list of aliases referencing this version: [{', '.join(aliases)}]",
            )
        resources.delete_published_version(arn.name, number)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "PublishStateMachineVersion": in_thread(publish_state_machine_version),
    "ListStateMachineVersions": in_thread(list_state_machine_versions),
    "DeleteStateMachineVersion": in_thread(delete_state_machine_version),
}
