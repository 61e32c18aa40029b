"""Definitions."""

from __future__ import annotations

from stepwell.engine.log.document import Document
from stepwell.engine.log.records import PutWorkflowCommand
from stepwell.engine.state.turn import Turn
from stepwell.engine.storage.contexts import WorkflowContext


def put_workflow(turn: Turn, command: PutWorkflowCommand, document: Document) -> None:
    latest = turn.state.workflows.latest(command.name)
    is_there = latest is not None and latest.context.version == command.version  # with another retention
    created_at = latest.context.created_at if latest is not None and is_there else turn.now
    context = WorkflowContext(
        command.name,
        version=command.version,
        definition=command.definition,
        type=command.type,
        created_at=created_at,
        retention=command.retention,
    )
    turn.put(f"workflow {command.name}:{command.version}", context)
    turn.state.workflows.put(context)
