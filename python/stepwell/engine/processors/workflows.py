"""The life of a workflow: definitions are kept under its name, and it is deleted."""

from __future__ import annotations

from stepwell.engine.ids import tags_of_workflow
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import (
    CancelExecutionCommand,
    DeleteWorkflowCommand,
    PublishVersionCommand,
    PutTagsCommand,
    PutWorkflowCommand,
)
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.turn import Turn
from stepwell.engine.state.workflows import DELETED_BEFORE, Workflow
from stepwell.engine.status import OVER

from .follow_ups import Items, item


def accept_put(turn: Turn, command: PutWorkflowCommand) -> str | None:
    turn.hold(command.definition, command.logging, command.encryption, command.tags)
    return None


def put(turn: Turn, command: PutWorkflowCommand, document: Document) -> Items:
    """Publish the version and set the tags that came with it, in the same turn: all of it is done, or nothing."""
    follow: Items = []
    if command.publish:
        publish = PublishVersionCommand(command.name, command.publish, command.version, command.description)
        follow.append(item(publish))
    if command.tags:
        follow.append(item(PutTagsCommand(tags_of_workflow(command.name), command.tags)))
    return follow


def accept_delete(turn: Turn, command: DeleteWorkflowCommand) -> str | None:
    """Refused while executions run, unless it ``waits``. One that was deleted is deleted again when its last goes.

    ``remains`` may be asked for: of several partitions another one may still need the definitions.
    """
    newest = turn.state.workflows.newest(command.name)
    if newest is None or newest.version != command.version:
        return "there is no such workflow, or it has a newer version"
    if command.waits:
        return DELETED_BEFORE if newest.context.deleted or newest.context.deleting else None
    running = next(
        (
            each.id
            for each in turn.state.executions.values()
            if each.status not in OVER and _is_of(each.workflow, command)
        ),
        None,
    )
    statuses = turn.services.statuses_of(command.name)
    if running is not None or not statuses <= OVER:
        return f"executions of workflow {command.name!r} have not ended"
    command.remains = (
        command.remains
        or bool(statuses)
        or any(_is_of(each.workflow, command) for each in turn.state.executions.values())
    )
    if newest.context.deleted and (command.remains or not newest.context.definition):
        return DELETED_BEFORE
    return None


def is_being_deleted(turn: Turn, execution: LiveExecution) -> bool:
    """Whether the workflow of an execution is being deleted: it ends instead of entering its next state, as on AWS."""
    deleting = turn.state.workflows.deleting
    return bool(deleting) and execution.workflow.context.name in deleting


def end_for_deletion(execution: LiveExecution) -> Items:
    """End an execution of a workflow that is being deleted."""
    return [item(CancelExecutionCommand(execution.id, None, None))]


def _is_of(workflow: Workflow, command: DeleteWorkflowCommand) -> bool:
    return workflow.context.name == command.name


def finish_deletion(turn: Turn, workflow: Workflow) -> None:
    """Of a workflow that was deleted an execution goes: where it is the last one, the definitions go too.

    With several partitions they go at the next opening.
    """
    newest = turn.state.workflows.newest(workflow.context.name)
    if newest is not None and newest.context.deleted and turn.services.is_alone:
        turn.send("", DeleteWorkflowCommand(newest.name, newest.version), NONE)
