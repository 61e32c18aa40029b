"""Definitions."""

from __future__ import annotations

from ..contexts import WorkflowContext
from ..documents import Document
from ..records import PutWorkflowCommand
from ..turn import Turn


def put_workflow(turn: Turn, command: PutWorkflowCommand, document: Document) -> None:
    latest = turn.state.workflows.latest(command.name)
    is_there = latest is not None and latest.context.version == command.version  # with another retention
    created_at = latest.context.created_at if latest is not None and is_there else turn.now
    context = WorkflowContext(
        command.name, command.version, command.definition, command.type, created_at, command.retention
    )
    turn.put(f"workflow {command.name}:{command.version}", context)
    turn.state.workflows.put(context)
