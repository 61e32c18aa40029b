"""Published versions, aliases, tags and activities: rows that are written and removed by their names."""

from __future__ import annotations

from stepwell.engine.ids import tags_of_activity, versions_sequence
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    DeleteActivityQueueCommand,
    DeleteAliasCommand,
    DeletePublishedVersionCommand,
    PublishVersionCommand,
    PutActivityQueueCommand,
    PutAliasCommand,
    PutTagsCommand,
)
from stepwell.engine.state.turn import Turn
from stepwell.engine.storage.contexts import (
    REMOVE_ACTIVITY_QUEUE,
    REMOVE_ALIAS,
    REMOVE_PUBLISHED_VERSION,
    REMOVE_TAGS,
    ActivityQueueContext,
    AliasContext,
    PublishedVersionContext,
    SequenceContext,
    TagsContext,
)


def publish_version(turn: Turn, command: PublishVersionCommand, document: Document) -> None:
    name, number = command.workflow, command.number
    row = PublishedVersionContext(name, number, command.version, turn.now, command.description)
    turn.put(f"published {name}:{number}", row)
    turn.put(f"versions {name}", SequenceContext(versions_sequence(name), number))


def delete_published_version(turn: Turn, command: DeletePublishedVersionCommand, document: Document) -> None:
    drop_published_version(turn, command.workflow, command.number)


def drop_published_version(turn: Turn, workflow: str, number: int) -> None:
    """Remove a published version."""
    turn.drop(f"published {workflow}:{number}", (REMOVE_PUBLISHED_VERSION, workflow, number))


def put_alias(turn: Turn, command: PutAliasCommand, document: Document) -> None:
    created_at = command.created_at or turn.now
    row = AliasContext(
        command.workflow, command.name, command.routing, created_at, turn.now, description=command.description
    )
    turn.put(f"alias {command.workflow}:{command.name}", row)


def delete_alias(turn: Turn, command: DeleteAliasCommand, document: Document) -> None:
    drop_alias(turn, command.workflow, command.name)


def drop_alias(turn: Turn, workflow: str, name: str) -> None:
    """Remove an alias."""
    turn.drop(f"alias {workflow}:{name}", (REMOVE_ALIAS, workflow, name))


def put_tags(turn: Turn, command: PutTagsCommand, document: Document) -> None:
    turn.put(f"tags {command.resource}", TagsContext(command.resource, command.tags))


def put_activity_queue(turn: Turn, command: PutActivityQueueCommand, document: Document) -> None:
    turn.put(f"activity {command.name}", ActivityQueueContext(command.name, turn.now, command.encryption))
    if command.tags:
        resource = tags_of_activity(command.name)
        turn.put(f"tags {resource}", TagsContext(resource, command.tags))


def delete_activity_queue(turn: Turn, command: DeleteActivityQueueCommand, document: Document) -> None:
    resource = tags_of_activity(command.name)
    turn.drop(f"activity {command.name}", (REMOVE_ACTIVITY_QUEUE, command.name))
    turn.drop(f"tags {resource}", (REMOVE_TAGS, resource))
