"""A folder that is only read: its log is applied to its storage, and nothing runs on.

The folder is locked meanwhile: what is read stays as it is. No timer fires, no handler is called, no command is taken.
"""

from __future__ import annotations

import os
from typing import NoReturn

from stepwell import _core
from stepwell.engine.folders.follows import check_all_lead
from stepwell.engine.folders.partitions import PartitionedFolder, partitions_of
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import Command
from stepwell.engine.partition.counters import PartitionStats
from stepwell.engine.replay.log_replay import replay
from stepwell.engine.state.executions import Executions
from stepwell.engine.state.workflows import Workflows
from stepwell.engine.status import OVER
from stepwell.engine.storage.storage import Storage
from stepwell.errors import StepwellError
from stepwell.tasks.dispatch import Call, Result
from stepwell.tasks.handlers import Handlers

from .host import Host, Options
from .measures import PartitionMeasures
from .processes.stores import OpenStores
from .promises import Callback, Promise


class ReadOnly(StepwellError):
    """The folder is only read here: nothing can be changed."""


class IdleHost(Host):
    """A folder, of one partition or of several, open to be read. Raises ``LockedError`` if a process has it open."""

    reads_wait = False
    look_seconds = 60.0  # nothing goes on

    def __init__(self, folder: _core.Folder, handlers: Handlers, options: Options) -> None:
        super().__init__(handlers, options)
        partitions = partitions_of(folder) or 1
        check_all_lead(folder, partitions)
        self._folder = folder
        self._partitioned = PartitionedFolder(folder, partitions) if partitions > 1 else None
        self._stores: list[_core.Store] = []
        try:
            found = [self._replayed(self._folder_of(index)) for index in range(partitions)]
        except BaseException:
            self._close_folder()
            raise
        self.storage = Storage(OpenStores(self._stores)) if partitions > 1 else found[0].storage
        self._workflows = found[0].state.workflows  # each partition has all definitions

    def _folder_of(self, index: int) -> _core.Folder:
        return self._folder if self._partitioned is None else self._partitioned.partition(index)

    def _replayed(self, folder: _core.Folder) -> Executions:
        store = _core.Store.open(folder)
        self._stores.append(store)
        executions = Executions.over(Storage(store), self.limits)
        replay(store, executions)
        return executions

    @property
    def workflows(self) -> Workflows:
        return self._workflows

    @property
    def hlc(self) -> NoReturn:
        raise _refusal()

    @property
    def folder(self) -> _core.Folder:
        return self._folder

    def measure(self) -> list[PartitionMeasures]:
        return [_measured(index, store) for index, store in enumerate(self._stores)]

    def _put(self, command: Command, document: Document, answer: Promise) -> None:
        raise _refusal()

    def watch(self, id: str, deliver: Callback) -> Promise:
        self.check()
        context = self.storage.execution(id)
        answer = self.ends.add(id, deliver)
        if context.status in OVER:
            answer.reply(context, None)
        return answer

    def _observe(self, names: frozenset[str]) -> None:
        """Nothing happens that could be told."""

    def _partition_stats(self) -> list[PartitionStats]:
        return [PartitionStats() for _ in self._stores]

    def _handlers_changed(self) -> None:
        """None is called."""

    def _freed(self, call: Call) -> None:
        """No task is counted."""

    def _take_results(self, results: list[Result]) -> None:
        """No handler is called."""

    def _keep_alive(self, task_id: str) -> None:
        """No handler is called."""

    def submit_results(self, answers: list[tuple[Command, Document]]) -> None:
        """No handler is called."""

    def _end(self) -> None:
        """Nothing runs."""

    def _close_folder(self) -> None:
        for store in self._stores:
            store.close()
        if self._partitioned is not None:
            self._partitioned.close()


def _measured(index: int, store: _core.Store) -> PartitionMeasures:
    stats = store.sync_stats()
    return PartitionMeasures(index, os.getpid(), stats["log_start"], store.tail(), stats["applied"], stats["flushed"])


def _refusal() -> ReadOnly:
    return ReadOnly("the folder is only read here: start `stepwell serve`, or the program that it belongs to")
