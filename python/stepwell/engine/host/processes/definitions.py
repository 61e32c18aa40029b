"""Definitions of an executor with several partitions: each partition has all of them.

What AWS's API keeps beside them, and executions never need, only the first partition has.

The first partition gets a version last, so all partitions have what it has. If the program ended before that, the
next opening copies the versions to the partitions that lack them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from stepwell.engine.host.promises import Callback, Latch, PendingPromises
from stepwell.engine.log.document import NONE
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.state.workflows import DELETED_BEFORE, Workflows
from stepwell.engine.storage.contexts import VisibilityContext, WorkflowContext, tag_of
from stepwell.engine.storage.storage import Storage

from .partition_client import PartitionClient

_PAGE = 1000
_TAG = tag_of(WorkflowContext)
_decode = msgspec.msgpack.Decoder(WorkflowContext).decode


class Definitions:
    """The deployed definitions, read from the first partition and written to all."""

    def __init__(
        self,
        partitions: Sequence[PartitionClient],
        storage: Storage,
        promises: PendingPromises,
        kind: type[Workflows] = Workflows,
    ) -> None:
        self._partitions, self._promises = partitions, promises
        self._storage = storage
        self.workflows = kind.over(storage)

    def put(self, command: PutWorkflowCommand, deliver: Callback) -> None:
        """Write a version to all partitions. It is called in a thread that may wait."""
        try:
            bare = replace(command, publish=0, description=None, tags=b"")
            for latch in [self._submit(bare, partition) for partition in self._partitions[1:]]:
                latch.wait()
            result = self._submit(command, self._partitions[0]).wait()
            row = self._storage.get(WorkflowContext, command.name, command.version)
            assert row is not None
            self.workflows.put(row)
        except Exception as error:  # noqa: BLE001 - the caller gets any error
            deliver(None, error)
        else:
            deliver(result, None)

    def delete(self, command: DeleteWorkflowCommand, deliver: Callback) -> None:
        """Delete a workflow in all partitions, or in none; it is called in a thread that may wait.

        One that waits for its executions is marked in all of them. Later it is deleted in those where none run.
        """
        # The first partition's definitions are read for executions of all.
        kept = DeleteWorkflowCommand(command.name, command.version, remains=True, waits=command.waits)
        newest = self.workflows.get(f"{command.name}:{command.version}").context
        self.workflows.put(replace(newest, deleting=True))  # nobody starts it from now on
        try:
            for partition in self._partitions[:0:-1]:
                self._delete_in(partition, kept)
            self._delete_in(self._partitions[0], replace(command, remains=True))
        except Exception as error:  # noqa: BLE001 - whoever deletes is told
            self.workflows.put(newest)
            if not newest.deleting:
                self._restore(error)
            deliver(None, error)
        else:
            deleted = not command.waits
            self.workflows.put(replace(newest, deleting=not deleted, deleted=deleted))
            deliver("", None)

    def _delete_in(self, partition: PartitionClient, command: DeleteWorkflowCommand) -> None:
        try:
            self._submit(command, partition).wait()
        except Rejected as error:
            if str(error) != DELETED_BEFORE:
                raise

    def _restore(self, error: Exception) -> None:
        """Executions of a workflow run in one partition: those that deleted it before get it back."""
        if isinstance(error, Rejected):
            self.copy_missing_versions()

    def copy_missing_versions(self) -> None:
        """Bring every version to the partitions that lack it, or that deleted it where another one did not."""
        found = [
            {(row.name, row.version): _command(row) for row in _live(self._all(partition))}
            for partition in self._partitions
        ]
        every = {key: command for commands in reversed(found) for key, command in commands.items()}
        for partition, commands in zip(reversed(self._partitions), reversed(found), strict=True):
            for key in sorted(every):
                if commands.get(key) != every[key]:
                    self._submit(every[key], partition).wait()

    def finish_deletions(self) -> None:
        """Remove the definitions of deleted workflows that have no executions any more, in any partition."""
        for name in self.workflows.names():
            newest = self.workflows.newest(name)
            if newest is None or not newest.context.deleted or not newest.context.definition:
                continue
            if self._storage.scan(VisibilityContext, name, limit=1):
                continue
            for partition in reversed(self._partitions):
                with suppress(Rejected):  # it has done so, when the program ended before the others had
                    self._submit(DeleteWorkflowCommand(name, newest.version), partition).wait()

    def _all(self, partition: PartitionClient) -> list[WorkflowContext]:
        rows: list[WorkflowContext] = []
        after: tuple[str, int] | None = None
        while page := self._read(partition, after):
            rows += page
            after = (page[-1].name, page[-1].version)
        return rows

    def _read(self, partition: PartitionClient, after: tuple[str, int] | None) -> list[WorkflowContext]:
        ask = partial(partition.read, operation="scan", tag=_TAG, after=after, limit=_PAGE)
        return [_decode(row) for row in self._wait(ask).wait()]

    def _submit(self, command: PutWorkflowCommand | DeleteWorkflowCommand, partition: PartitionClient) -> Latch:
        return self._wait(partial(partition.submit, command, NONE))

    def _wait(self, ask: Any) -> Latch:
        latch = Latch()
        answer = self._promises.owe(latch.deliver)
        try:
            ask(answer)
        except BaseException:
            answer.forget()
            raise
        return latch


def _live(rows: list[WorkflowContext]) -> list[WorkflowContext]:
    """The versions that were not deleted, of those of a partition."""
    newest = {row.name: row for row in rows}  # they come in the order of their versions
    return [row for row in rows if not newest[row.name].deleted and row.version >= newest[row.name].first]


def _command(row: WorkflowContext) -> PutWorkflowCommand:
    return PutWorkflowCommand(
        row.name,
        version=row.version,
        definition=row.definition,
        type=row.type,
        retention=row.retention,
        revision_id=row.revision_id,
        role=row.role,
        logging=row.logging,
        tracing=row.tracing,
        encryption=row.encryption,
        deleting=row.deleting,
    )
