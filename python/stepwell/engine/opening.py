"""Opening a folder: in this process, or with a process for each of its partitions."""

from __future__ import annotations

import os

from stepwell.errors import InvalidInput, StorageError
from stepwell.tasks.handlers import Handlers

from .arguments import folder_path
from .host import Host
from .hosting import Hosting, Options
from .partitions.folder import MOST, is_partition


def open_host(data: str | os.PathLike[str] | None, handlers: Handlers, partitions: int, options: Options) -> Hosting:
    """The partitions of a folder, at work. Raises ``StorageError`` where the folder has another number of them."""
    if isinstance(partitions, bool) or not 1 <= partitions <= MOST:
        raise InvalidInput(f"an executor has 1 to {MOST} partitions, not {partitions!r}")
    data = folder_path(data)
    if partitions == 1:
        _check_is_whole(data)
        return Host(data, handlers, options)
    from .partitions.host import PartitionedHost  # a program with one partition starts no processes

    return PartitionedHost(data, handlers, options, partitions)


def _check_is_whole(data: str | None) -> None:
    """Refuse one partition of several: what is started there alone, nobody finds by its id in the folder of all."""
    folder = None if data is None else os.path.realpath(data)
    if folder is not None and is_partition(folder):
        raise StorageError(f"{data} is one of several partitions: open {os.path.dirname(folder)}, which has them all")
