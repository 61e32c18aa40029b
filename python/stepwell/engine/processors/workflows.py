"""The life of a workflow: definitions are kept under its name, and it is deleted."""

from __future__ import annotations

from stepwell.engine.log.document import NONE
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand
from stepwell.engine.state.turn import Turn
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import OVER


def accept_put(turn: Turn, command: PutWorkflowCommand) -> str | None:
    turn.hold(command.definition)
    return None


def accept_delete(turn: Turn, command: DeleteWorkflowCommand) -> str | None:
    """Refused while executions run. One that was deleted before is deleted again when its last execution goes.

    ``remains`` may be asked for: of several partitions another one may still need the definitions.
    """
    newest = turn.state.workflows.newest(command.name)
    if newest is None or newest.version != command.version:
        return "there is no such workflow, or it has a newer version"
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
        return "the workflow was deleted before"
    return None


def _is_of(workflow: Workflow, command: DeleteWorkflowCommand) -> bool:
    return workflow.context.name == command.name


def finish_deletion(turn: Turn, workflow: Workflow) -> None:
    """Of a workflow that was deleted an execution goes: where it is the last one, the definitions go too.

    With several partitions they go at the next opening.
    """
    newest = turn.state.workflows.newest(workflow.context.name)
    if newest is not None and newest.context.deleted and turn.services.is_alone:
        turn.send("", DeleteWorkflowCommand(newest.name, newest.version), NONE)
