"""Definitions: kept under a name, and deleted with what belongs to them."""

from __future__ import annotations

from msgspec.structs import replace

from stepwell.asl.json import loads
from stepwell.engine.ids import tags_of_workflow, versions_sequence
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand
from stepwell.engine.state.turn import Turn
from stepwell.engine.storage.contexts import REMOVE_SEQUENCE, REMOVE_TAGS, REMOVE_WORKFLOW, WorkflowContext

from .resources import drop_alias, drop_published_version


def put_workflow(turn: Turn, command: PutWorkflowCommand, document: Document) -> None:
    newest = turn.state.workflows.newest(command.name)
    known = newest.context if newest is not None else None
    is_there = known is not None and known.version == command.version  # with other settings, or deleted in vain
    begins = known is None or (known.deleted and known.version < command.version)
    context = WorkflowContext(
        command.name,
        version=command.version,
        definition=command.definition,
        type=command.type,
        created_at=known.created_at if known is not None and is_there else turn.now,
        retention=command.retention,
        first=command.version if known is None or begins else known.first,
        revision_id=command.revision_id,
        role=command.role,
        logging=command.logging,
        tracing=command.tracing,
        encryption=command.encryption,
        deleting=command.deleting,
    )
    turn.put(_key(command.name, command.version), context)
    turn.state.workflows.put(context)


def delete_workflow(turn: Turn, command: DeleteWorkflowCommand, document: Document) -> None:
    """Mark the newest version. Without executions that need them the definitions go; numbers count on from it."""
    name, version = command.name, command.version
    workflows = turn.state.workflows
    newest = workflows.get(f"{name}:{version}").context
    for number in command.published:
        drop_published_version(turn, name, number)
    for alias in loads(command.aliases) if command.aliases else ():
        drop_alias(turn, name, alias)
    if command.waits:
        context = replace(newest, deleting=True)
    else:
        context = replace(
            newest, deleting=False, deleted=True, definition=newest.definition if command.remains else b""
        )
        turn.drop(f"tags {name}", (REMOVE_TAGS, tags_of_workflow(name)))
        turn.drop(f"versions {name}", (REMOVE_SEQUENCE, versions_sequence(name)))
    turn.put(_key(name, version), context)
    if context.deleted and not command.remains:
        for former in range(1, version):
            turn.drop(_key(name, former), (REMOVE_WORKFLOW, name, former))
        workflows.forget(name, range(1, version))
    workflows.put(context)


def _key(name: str, version: int) -> str:
    return f"workflow {name}:{version}"
