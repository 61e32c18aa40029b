"""Whether a command about workflows, and what is kept beside them, was done before its partition's process ended."""

from __future__ import annotations

from stepwell.engine.log import records as r
from stepwell.engine.storage import contexts as c
from stepwell.engine.storage.storage import Storage


def was_resource_command_done(storage: Storage, command: r.Command) -> bool:
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
