"""An open folder with several partitions: a process for each, and the handlers of their tasks in this process."""

from __future__ import annotations

import os

from stepwell import _core
from stepwell.engine.arns import PLACE
from stepwell.engine.folders.follows import check_all_lead
from stepwell.engine.folders.partitions import PartitionedFolder
from stepwell.engine.folders.paths import open_folder
from stepwell.engine.host.host import Options
from stepwell.engine.host.map_tasks import map_tasks
from stepwell.engine.storage.storage import Storage
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.items import ItemFiles

from . import messages as m
from .definitions import Definitions
from .partitioned import PartitionedHost
from .remote import RemotePartition
from .stores import Stores


class MultiProcessHost(PartitionedHost[RemotePartition]):
    """Runs partitions in processes of their own."""

    def __init__(
        self, data: str | os.PathLike[str] | None, handlers: Handlers, options: Options, partitions: int
    ) -> None:
        super().__init__(handlers, options, partitions)
        self._unsaved: list[Exception] = []
        folder = open_folder(data)
        check_all_lead(folder, partitions)
        self._open_folder = folder
        self._folder = None if folder is None else PartitionedFolder(folder, partitions)
        self.partitions: list[RemotePartition] = []
        for index in range(partitions):
            place = None if self._folder is None else m.Place.of(self._folder.partition(index))
            opening = m.Open(
                place,
                index,
                partitions,
                self.tenant,
                self.namespace,
                self.limits,
                PLACE.region,
                PLACE.account,
                handlers.windows(),
            )
            self.partitions.append(self._new_partition(opening))
        try:
            calls = [call for partition in self.partitions for call in partition.opened.wait()]
            self._stores = Stores(self.partitions, self.places, self.promises)
            self.storage = Storage(self._stores)
            self._definitions = Definitions(self.partitions, self.storage, self.promises)
            self._definitions.copy_missing_versions()
            self._definitions.finish_deletions()
        except BaseException:
            self._end()
            if self._folder is not None:
                self._folder.close()
            raise
        handlers.provide(map_tasks(self.storage, options.item_files or ItemFiles()))
        self._begin_events()
        self._resume(calls)

    def _new_partition(self, opening: m.Open) -> RemotePartition:
        """A partition, in a process of its own."""
        return RemotePartition(opening, self)

    @property
    def folder(self) -> _core.Folder | None:
        return self._open_folder

    # closing

    def _end(self) -> None:
        for partition in self.partitions:
            partition.close()
        self._unsaved = [error for error in [partition.join() for partition in self.partitions] if error is not None]

    def _close_folder(self) -> None:
        if self._folder is not None:
            self._folder.close()
        self._folder = self._open_folder = None  # a descriptor would keep a file system from being unmounted
        if self._unsaved and self._failure is None:  # else the callers have got the error already
            raise self._unsaved[0]
