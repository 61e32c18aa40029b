"""Whether a command was done before its partition ended: the next process, or node, gets it again."""

from __future__ import annotations

from stepwell.engine.log import records as r
from stepwell.engine.partition.router import OF_NO_EXECUTION
from stepwell.engine.storage import contexts as c
from stepwell.engine.storage.storage import Storage
from stepwell.errors import StorageError


def was_done(storage: Storage, command: r.Command, unknown: str) -> bool:
    """Whether a repeated command was done the first time. Raises ``StorageError`` (``unknown``) if nobody can know."""
    if _shows(storage, command):
        return True
    if (
        isinstance(command, r.CompleteTaskCommand | r.FailTaskCommand)
        and storage.get(c.TaskContext, command.id) is None
    ):
        raise StorageError(unknown)
    return False


def _shows(storage: Storage, command: r.Command) -> bool:
    """Whether storage shows that a command was done."""
    if isinstance(command, r.StartExecutionCommand):
        return storage.get(c.ExecutionContext, command.id) is not None
    if isinstance(command, r.DeleteExecutionCommand):
        return storage.get(c.ExecutionContext, command.id) is None
    if isinstance(command, r.RedriveExecutionCommand):
        context = storage.get(c.ExecutionContext, command.id)
        return context is not None and context.redrive_count >= command.count
    if isinstance(command, OF_NO_EXECUTION):
        return _was_resource_command_done(storage, command)
    if isinstance(command, r.ActivateTaskCommand):
        task = storage.get(c.TaskContext, command.id)
        return task is not None and task.status == "Active" and task.worker == command.worker
    return False


def scope_of(command: r.Command) -> str:
    """The execution or task that a command is about, which its reply names."""
    return getattr(command, "id", "")


def _was_resource_command_done(storage: Storage, command: r.Command) -> bool:
    """Whether storage has what a repeated command was to make of it."""
    if isinstance(command, r.PutWorkflowCommand):
        row = storage.get(c.WorkflowContext, command.name, command.version)
        return row is not None and all(getattr(row, name) == getattr(command, name) for name in _PUT)
    if isinstance(command, r.DeleteWorkflowCommand):
        row = storage.get(c.WorkflowContext, command.name, command.version)
        return row is not None and (row.deleted or (command.waits and row.deleting))
    if isinstance(command, r.PublishVersionCommand):
        return storage.get(c.PublishedVersionContext, command.workflow, command.number) is not None
    if isinstance(command, r.PutActivityQueueCommand):
        return storage.get(c.ActivityQueueContext, command.name) is not None
    return False  # done twice it leaves the same


_PUT = ("definition", "retention", "revision_id", "role", "logging", "tracing", "encryption", "deleting")
