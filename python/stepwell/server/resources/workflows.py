"""A workflow by its name: what AWS's operations do not tell of it."""

from __future__ import annotations

from typing import Any

from stepwell.step_functions import errors
from stepwell.step_functions.service import Service

from .query import Query


def workflow(service: Service, ids: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """The ARN and the newest version of a workflow."""
    found = service.client.queries.workflow(ids[0])
    return {"arn": found.arn, "version": found.version, "updatedDate": errors.date(found.context.created_at)}
