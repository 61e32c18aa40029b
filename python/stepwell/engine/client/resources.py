"""What AWS's API keeps beside definitions: published versions, aliases, tags, activities.

Each call is durable when it returns. A caller that looks at something and changes it then holds ``changing`` meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.json import dumps, loads
from stepwell.engine.host.host import Host
from stepwell.engine.ids import tags_of_activity, tags_of_workflow, versions_sequence
from stepwell.engine.log import records as r
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import (
    ActivityQueueContext,
    AliasContext,
    PublishedVersionContext,
    SequenceContext,
    TagsContext,
    WorkflowContext,
)

from .deployments import Deployments, Publication, Settings
from .quotas import Quota

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

Route = tuple[int, int]
"""A published version and its weight."""
_LAST = 1 << 62


class Resources:
    """Reads and changes them. All methods may be called from any thread that may wait."""

    def __init__(self, host: Host, deployments: Deployments, quota: Quota) -> None:
        self._host, self.deployments, self._quota = host, deployments, quota
        self.changing = deployments.changing

    # workflows

    def workflows(self, after: str | None, limit: int) -> list[Workflow]:
        """The newest versions of the workflows whose names come after one, in the order of their names."""
        found: list[Workflow] = []
        last = None if after is None else (after, _LAST)
        while len(found) < limit and (rows := self._host.storage.scan(WorkflowContext, after=last, limit=1)):
            last = (rows[0].name, _LAST)
            workflow = self.deployments.latest(rows[0].name)
            if workflow is not None:
                found.append(workflow)
        return found

    def create(
        self,
        name: str,
        text: bytes,
        type: str,
        settings: Settings,
        machine: StateMachine,
        *,
        publish: bool = False,
        description: str | None = None,
        tags: list[list[str]] | None = None,
    ) -> Workflow:
        """Keep the first version of a workflow, published with it if ``publish``."""
        publication = Publication(1, description) if publish else None
        return self.deployments.put(
            name,
            text,
            type,
            settings,
            retention=None,
            is_new=True,
            machine=machine,
            publication=publication,
            tags=dumps(tags) if tags else b"",
        )

    def update(
        self,
        workflow: Workflow,
        text: bytes,
        settings: Settings,
        machine: StateMachine | None,
        *,
        publish: bool = False,
        description: str | None = None,
    ) -> tuple[Workflow, PublishedVersionContext | None]:
        """The newest version with this text and these settings, and what was published of it.

        Another text, role, logging or tracing makes a new version. With another encryption it is the same one.
        """
        context = workflow.context
        before = Settings.of(context)
        is_new = context.definition != text or before._replace(encryption=settings.encryption) != settings
        if is_new or before != settings:
            publication = Publication(self._next_number(workflow.name), description) if publish and is_new else None
            workflow = self.deployments.put(
                workflow.name,
                text,
                context.type,
                settings,
                retention=context.retention,
                is_new=is_new,
                machine=machine if is_new else None,
                publication=publication,
            )
        return workflow, self.publish(workflow, description) if publish else None

    # published versions

    def publish(self, workflow: Workflow, description: str | None = None) -> PublishedVersionContext:
        """What is published of a version already, or the version, published under the next number."""
        with self.changing:
            row = self.published_of(workflow)
            if row is None:
                number = self._next_number(workflow.name)
                self._host.ask(r.PublishVersionCommand(workflow.name, number, workflow.version, description))
                row = self.published_version(workflow.name, number)
                assert row is not None
            return row

    def published_of(self, workflow: Workflow) -> PublishedVersionContext | None:
        """The newest published version that stands for a version of the definition."""
        rows = self.published_versions(workflow.name)
        return next((row for row in rows if row.version == workflow.version), None)

    def published_versions(
        self, workflow: str, before: int = _LAST, limit: int = _LAST
    ) -> list[PublishedVersionContext]:
        """The published versions of a workflow with smaller numbers than ``before``, the newest first."""
        return self._host.storage.scan(
            PublishedVersionContext, workflow, after=(workflow, before), limit=limit, reverse=True
        )

    def published_version(self, workflow: str, number: int) -> PublishedVersionContext | None:
        """A published version."""
        return self._host.storage.get(PublishedVersionContext, workflow, number) if number < _LAST else None

    def delete_published_version(self, workflow: str, number: int) -> None:
        """Delete a published version."""
        self._host.ask(r.DeletePublishedVersionCommand(workflow, number))

    def _next_number(self, workflow: str) -> int:
        row = self._host.storage.get(SequenceContext, versions_sequence(workflow))
        return 1 if row is None else row.value + 1

    # aliases

    def aliases(self, workflow: str) -> list[AliasContext]:
        """The aliases of a workflow, the oldest first."""
        rows = self._host.storage.scan(AliasContext, workflow, limit=_LAST)
        return sorted(rows, key=lambda row: (row.created_at, row.name))

    def alias(self, workflow: str, name: str) -> AliasContext | None:
        """An alias."""
        return self._host.storage.get(AliasContext, workflow, name)

    def put_alias(
        self, workflow: str, name: str, routes: list[Route], description: str | None, created_at: int = 0
    ) -> AliasContext:
        """Keep an alias; ``created_at`` is that of an alias that is changed."""
        self._host.ask(r.PutAliasCommand(workflow, name, dumps(routes), description, created_at))
        row = self.alias(workflow, name)
        assert row is not None
        return row

    def delete_alias(self, workflow: str, name: str) -> None:
        """Delete an alias."""
        self._host.ask(r.DeleteAliasCommand(workflow, name))

    # tags

    def tags(self, resource: str) -> list[list[str]]:
        """The tags of a resource, as ``[key, value]``, in the order in which they were set."""
        row = self._host.storage.get(TagsContext, resource)
        return [] if row is None else loads(row.tags)

    def put_tags(self, resource: str, tags: list[list[str]]) -> None:
        """Set the tags of a resource, instead of those that it has."""
        self._host.ask(r.PutTagsCommand(resource, dumps(tags)))

    # activities

    def activities(self, after: str | None, limit: int) -> list[ActivityQueueContext]:
        """The activities whose names come after one, in the order of their names."""
        return self._host.storage.scan(ActivityQueueContext, after=None if after is None else (after,), limit=limit)

    def activity(self, name: str) -> ActivityQueueContext | None:
        """An activity."""
        return self._host.storage.get(ActivityQueueContext, name)

    def put_activity(self, name: str, encryption: bytes, tags: list[list[str]]) -> ActivityQueueContext:
        """Keep a new activity. Raises ``ApiError`` if there are too many."""
        self._quota.take()
        self._host.ask(r.PutActivityQueueCommand(name, encryption, dumps(tags) if tags else b""))
        row = self.activity(name)
        assert row is not None
        return row

    def delete_activity(self, name: str) -> None:
        """Delete an activity. Tasks that wait for its workers go on waiting."""
        self._host.ask(r.DeleteActivityQueueCommand(name))


def routes_of(alias: AliasContext) -> list[Route]:
    """The published versions of an alias, with their weights."""
    return [(number, weight) for number, weight in loads(alias.routing)]


__all__ = ["Resources", "Route", "routes_of", "tags_of_activity", "tags_of_workflow"]
