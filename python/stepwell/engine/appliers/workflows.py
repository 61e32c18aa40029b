"""Definitions."""

from __future__ import annotations

from ..contexts import WorkflowContext
from ..documents import Document
from ..records import PutWorkflowCommand
from ..turn import Turn


def put_workflow(turn: Turn, command: PutWorkflowCommand, document: Document) -> None:
    context = WorkflowContext(command.name, command.version, command.definition, command.type, turn.now)
    turn.put(f"workflow {command.name}:{command.version}", context)
    turn.state.workflows.put(context)
