"""Activities: queues of tasks that workers poll, by their ARNs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from stepwell.engine.arns import activity_arn
from stepwell.engine.client.arguments import check_name
from stepwell.errors import InvalidName
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.service import Operation, Service


async def create_activity(service: Service, request: model.CreateActivityInput) -> dict[str, Any]:
    """The ARN of an activity."""
    try:
        check_name("an activity", request.name)
    except InvalidName as error:
        raise errors.invalid_name(request.name) from error
    return {
        "activityArn": activity_arn(request.name),
        "creationDate": errors.date(int(time.time() * 1_000_000)),
    }


def find_activity(service: Service, text: str) -> None:
    """Check that there is an activity of this ARN. Raises ``Fault``."""
    arns.own(text, errors.no_activity, arns.ACTIVITY)


OPERATIONS: Mapping[str, Operation] = {"CreateActivity": create_activity}
