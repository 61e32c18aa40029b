"""Tags of state machines and activities (API semantics, chapter 10)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from stepwell.engine.client.resources import tags_of_activity, tags_of_workflow
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.errors import Fault
from stepwell.step_functions.in_thread import in_thread
from stepwell.step_functions.service import Operation, Service

MOST_TAGS = 50
RESERVED = "aws:"
"""Begins the keys of AWS's own tags."""
_SIGNS = frozenset("_.:/=+-@")


def tag_resource(service: Service, request: model.TagResourceInput) -> dict[str, Any]:
    """Set tags; a key that is there already gets another value."""
    resources = service.client.resources
    with resources.changing:
        resource = _resource(service, request.resource_arn)
        before = resources.tags(resource)
        tags = checked_tags(request.tags, request.resource_arn, before)
        if tags != before:
            resources.put_tags(resource, tags)
    return {}


def untag_resource(service: Service, request: model.UntagResourceInput) -> dict[str, Any]:
    """Remove tags by their keys; those that are not there are no error."""
    resources = service.client.resources
    with resources.changing:
        resource = _resource(service, request.resource_arn)
        before = resources.tags(resource)
        tags = [tag for tag in before if tag[0] not in request.tag_keys]
        if tags != before:
            resources.put_tags(resource, tags)
    return {}


def list_tags_for_resource(service: Service, request: model.ListTagsForResourceInput) -> dict[str, Any]:
    """The tags, in the order in which they were set."""
    tags = service.client.resources.tags(_resource(service, request.resource_arn))
    return {"tags": [{"key": key, "value": value} for key, value in tags]}


def checked_tags(given: Sequence[model.Tag] | None, arn: str, before: Sequence[Sequence[str]] = ()) -> list[list[str]]:
    """Tags with those that are set, as ``[key, value]``. Raises ``Fault``."""
    tags = {tag[0]: tag[1] for tag in before}
    for tag in given or ():
        key, value = tag.key or "", tag.value or ""
        if not key or not _is_legal(key) or not _is_legal(value):
            raise errors.invalid(f"The tag {key!r} has a key or a value that tags may not have")
        if key.lower().startswith(RESERVED):
            raise errors.invalid(f"The tag {key!r} has a key that is reserved: it begins with {RESERVED}")
        tags[key] = value
    if len(tags) > MOST_TAGS:
        raise Fault("TooManyTags", f"Too Many Tags: '{arn}'", {"resourceName": arn})
    return [[key, value] for key, value in tags.items()]


def _is_legal(text: str) -> bool:
    """Letters, digits, white space, and some signs."""
    return all(sign in _SIGNS or unicodedata.category(sign)[0] in "LNZ" for sign in text)


def _resource(service: Service, text: str) -> str:
    """The name under which a resource's tags are kept. Raises ``Fault``."""
    arn = arns.parse(text, arns.MACHINE, arns.ACTIVITY)
    client = service.client
    if not arn.is_ours or arn.label is not None or arn.qualifier is not None:
        raise _no_such(text)
    if arn.kind == arns.ACTIVITY:
        if client.resources.activity(arn.name) is None:
            raise _no_such(text)
        return tags_of_activity(arn.name)
    if client.deployments.latest(arn.name) is None:
        raise _no_such(text)
    return tags_of_workflow(arn.name)


def _no_such(arn: str) -> Fault:
    return errors.no_resource(f"Resource not found: '{arn}'", arn)


OPERATIONS: Mapping[str, Operation] = {
    "TagResource": in_thread(tag_resource),
    "UntagResource": in_thread(untag_resource),
    "ListTagsForResource": in_thread(list_tags_for_resource),
}
