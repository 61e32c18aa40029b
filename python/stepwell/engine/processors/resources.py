"""Published versions, aliases, tags and activities. Their clients check them before, one at a time.

What is checked here holds also where a workflow is deleted meanwhile.
"""

from __future__ import annotations

from stepwell.engine.log.records import (
    Command,
    PublishVersionCommand,
    PutActivityQueueCommand,
    PutAliasCommand,
    PutTagsCommand,
)
from stepwell.engine.state.turn import Turn


def accept(turn: Turn, command: Command) -> str | None:
    return None


def accept_publish(turn: Turn, command: PublishVersionCommand) -> str | None:
    turn.hold(command.description)
    return _gone(turn, command.workflow)


def accept_alias(turn: Turn, command: PutAliasCommand) -> str | None:
    turn.hold(command.routing, command.description)
    return _gone(turn, command.workflow)


def accept_tags(turn: Turn, command: PutTagsCommand) -> str | None:
    turn.hold(command.tags)
    return None


def accept_activity_queue(turn: Turn, command: PutActivityQueueCommand) -> str | None:
    turn.hold(command.encryption, command.tags)
    return None


def _gone(turn: Turn, workflow: str) -> str | None:
    latest = turn.state.workflows.latest(workflow)
    return "the workflow was deleted" if latest is None or latest.context.deleting else None
