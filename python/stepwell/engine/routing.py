"""Which execution a command belongs to: the turn that it is walked in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.json import canonical

from . import contexts as c
from . import records as r
from .appliers.executions import idempotency_key
from .documents import Document
from .inbox import NameTaken, Rejected, Reply
from .map_run import execution_of
from .status import DELETING, ENDED, RUNNING
from .turn import Effect, Turn

if TYPE_CHECKING:
    from .partition import Partition

_OF_EXECUTIONS = (r.CancelExecutionCommand, r.DeleteExecutionCommand, r.RedriveExecutionCommand)
_OF_TASKS = (r.ActivateTaskCommand, r.HeartbeatTaskCommand)
_ANSWERS = (r.CompleteTaskCommand, r.FailTaskCommand, r.SubmitTaskCommand)


def scope_of(
    partition: Partition, command: r.Command, document: Document, reply: Reply | None, turns: dict[str, Turn]
) -> str | None:
    """The execution that a command belongs to; None: it was answered, or refused."""
    if isinstance(command, _ANSWERS):
        partition.in_flight.ends(command.id)
        return _owner_of_task(partition, command.id, reply)
    if isinstance(command, r.StartExecutionCommand):
        return _start_scope(partition, command, document, reply, turns)
    if isinstance(command, _OF_TASKS):
        return _owner_of_task(partition, command.id, reply)
    if isinstance(command, r.TriggerTimerCommand):
        return partition.timer_owners[command.target]
    if isinstance(command, _OF_EXECUTIONS):
        return command.id
    if isinstance(command, r.UpdateMapRunCommand):
        return execution_of(command.id)
    assert isinstance(command, r.PutWorkflowCommand), f"nobody asks for a {type(command).__name__}"
    return ""


def _owner_of_task(partition: Partition, task_id: str, reply: Reply | None) -> str | None:
    """The execution of an open task; a task that is closed is refused."""
    owner = partition.state.task_owners.get(task_id)
    if owner is None:
        task = partition.storage.get(c.TaskContext, task_id)
        owner = task.activity_id.rpartition("/")[0] if task is not None else None
    if owner is None:
        partition.refuse(reply, Rejected("the task is not open"))
    return owner


def _start_scope(
    partition: Partition,
    command: r.StartExecutionCommand,
    document: Document,
    reply: Reply | None,
    turns: dict[str, Turn],
) -> str | None:
    if not command.idempotent:
        return command.id
    workflow = partition.state.workflows.get(command.workflow_id)
    key = idempotency_key(command.id, workflow.name, command.name)
    existing = partition.state.names.get(key)
    if existing is None:
        row = partition.storage.get(c.IdempotencyContext, key)
        existing = row.execution_id if row is not None else None
    if existing is None:
        partition.state.names[key] = command.id
        return command.id
    execution = partition.execution(existing)
    effects: list[Effect] = []
    if execution is not None and execution.status == DELETING:  # its name is free
        partition.state.names[key] = command.id
        return command.id
    if execution is not None:
        status, input = execution.status, execution.input
        partition.after_what_came_before(effects)
    elif (turn := turns.get(existing)) is not None:  # it starts in this very batch
        status, input, effects = RUNNING, turn.queue[0][1], turn.effects
    else:
        partition.state.names[key] = command.id
        return command.id
    if reply is not None:
        same = status not in ENDED and canonical(input.value) == canonical(document.value)
        effects.append((reply, existing, None if same else NameTaken(existing, status)))
    return None
