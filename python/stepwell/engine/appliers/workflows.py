"""Definitions: kept under a name, and deleted."""

from __future__ import annotations

from msgspec.structs import replace

from stepwell.engine.log.document import Document
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand
from stepwell.engine.state.turn import Turn
from stepwell.engine.storage.contexts import REMOVE_WORKFLOW, WorkflowContext


def put_workflow(turn: Turn, command: PutWorkflowCommand, document: Document) -> None:
    newest = turn.state.workflows.newest(command.name)
    known = newest.context if newest is not None else None
    is_there = known is not None and known.version == command.version  # with another retention, or deleted in vain
    begins = known is None or (known.deleted and known.version < command.version)
    context = WorkflowContext(
        command.name,
        version=command.version,
        definition=command.definition,
        type=command.type,
        created_at=known.created_at if known is not None and is_there else turn.now,
        retention=command.retention,
        first=command.version if known is None or begins else known.first,
    )
    turn.put(_key(command.name, command.version), context)
    turn.state.workflows.put(context)


def delete_workflow(turn: Turn, command: DeleteWorkflowCommand, document: Document) -> None:
    """Mark the newest version. Without executions that need them the definitions go; numbers count on from it."""
    name, version = command.name, command.version
    workflows = turn.state.workflows
    newest = workflows.get(f"{name}:{version}").context
    context = replace(newest, deleted=True, definition=newest.definition if command.remains else b"")
    turn.put(_key(name, version), context)
    if not command.remains:
        for former in range(1, version):
            turn.drop(_key(name, former), (REMOVE_WORKFLOW, name, former))
        workflows.forget(name, range(1, version))
    workflows.put(context)


def _key(name: str, version: int) -> str:
    return f"workflow {name}:{version}"
