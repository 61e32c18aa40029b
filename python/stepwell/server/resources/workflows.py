"""A workflow by its name: what AWS's operations do not tell of it, and its revisions."""

from __future__ import annotations

from itertools import islice
from typing import Any

from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import PublishedVersionContext
from stepwell.step_functions import errors
from stepwell.step_functions.service import Service

from .query import Query

PAGE, MOST = 100, 500


def workflow(service: Service, ids: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """A revision of a workflow, the newest one unless another is named (``name:version``), with its definition."""
    found = service.client.queries.workflow(ids[0])
    return {
        "arn": found.arn,
        **_revision(found),
        "updatedDate": errors.date(found.context.created_at),
        "definition": found.context.definition.decode(),
    }


def revisions(service: Service, ids: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """The revisions of a workflow, the newest first, with the numbers under which they were published."""
    queries = service.client.queries
    newest = queries.workflow(ids[0])
    limit = max(1, query.number("limit", PAGE, MOST))
    before = query.number("before", newest.version + 1, newest.version + 1)
    first = newest.context.first
    versions = range(before - 1, first - 1, -1)
    found = [queries.workflow_of(f"{newest.name}:{version}") for version in islice(versions, limit)]
    published = _published(service, newest.name)
    answer: dict[str, Any] = {
        "revisions": [{**_revision(each), "published": published.get(each.version, [])} for each in found]
    }
    return answer | {"before": found[-1].version} if len(versions) > limit else answer


def _revision(found: Workflow) -> dict[str, Any]:
    context = found.context
    return {
        "version": found.version,
        "createdDate": errors.date(context.created_at),
        "revisionId": context.revision_id or None,
        "bytes": len(context.definition),
    }


def _published(service: Service, name: str) -> dict[int, list[dict[str, Any]]]:
    """Published versions, by the revision that each stands for."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in service.client.host.storage.scan(PublishedVersionContext, name):
        about: dict[str, Any] = {"number": row.number, "createdDate": errors.date(row.created_at)}
        if row.description:
            about["description"] = row.description
        found.setdefault(row.version, []).append(about)
    return found
