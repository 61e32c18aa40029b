"""Commands about workflows, and about what AWS's API keeps beside them: published versions, aliases, tags, activities.

They belong to no execution. With several partitions all of them get the definitions, and the first one the rest.
"""

from __future__ import annotations

from .commands import Command


class PutWorkflowCommand(Command, tag=22):
    """Keep a definition under a name. Executions keep the version that they started with.

    ``retention`` is how long executions are kept after their end, in microseconds (None: as the executor says).
    ``revision_id`` is AWS's name for the version, empty for the first one. ``role``, ``logging``, ``tracing`` and
    ``encryption`` are AWS's settings: an ARN, and JSON; empty where they are not set. ``deleting``: it is being
    deleted. ``publish`` publishes it under this number (0: not), with ``description``; ``tags`` are its first tags.
    """

    name: str
    version: int
    definition: bytes
    type: str
    retention: int | None = None
    revision_id: str = ""
    role: str = ""
    logging: bytes = b""
    tracing: bool = False
    encryption: bytes = b""
    deleting: bool = False
    publish: int = 0
    description: str | None = None
    tags: bytes = b""


class DeleteWorkflowCommand(Command, tag=31):
    """Delete a workflow, whose newest version is ``version``.

    ``remains``: its definitions stay, for executions that have ended, until the last of those is gone. ``waits``:
    while executions run it is only marked, so that no further ones start. ``published`` and ``aliases`` (JSON) are
    the numbers and names that go with it.
    """

    name: str
    version: int
    remains: bool = False
    waits: bool = False
    published: tuple[int, ...] = ()
    aliases: bytes = b""


class PublishVersionCommand(Command, tag=32):
    """Publish a version of a workflow, under the next number."""

    workflow: str
    number: int
    version: int
    description: str | None = None


class DeletePublishedVersionCommand(Command, tag=33):
    """Delete a published version. Its number is not given again."""

    workflow: str
    number: int


class PutAliasCommand(Command, tag=34):
    """Keep an alias: ``routing`` is a JSON array of published versions with their weights, ``[[3, 90], [4, 10]]``.

    ``created_at`` is when it was created, if it is changed (microseconds; 0: it is created now).
    """

    workflow: str
    name: str
    routing: bytes
    description: str | None = None
    created_at: int = 0


class DeleteAliasCommand(Command, tag=35):
    """Delete an alias."""

    workflow: str
    name: str


class PutTagsCommand(Command, tag=36):
    """Keep the tags of a resource, a JSON array of ``[key, value]``, instead of those that it has."""

    resource: str
    tags: bytes


class PutActivityQueueCommand(Command, tag=37):
    """Keep an activity as AWS has it: a queue that workers poll."""

    name: str
    encryption: bytes = b""
    tags: bytes = b""


class DeleteActivityQueueCommand(Command, tag=38):
    """Delete an activity."""

    name: str
