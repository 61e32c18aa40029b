"""Opening a folder: in this process, or with a process for each of its partitions."""

from __future__ import annotations

import os

from stepwell.errors import InvalidInput
from stepwell.tasks.handlers import Handlers

from .arguments import folder_path
from .host import Host
from .hosting import Hosting, Options
from .partitions.folder import MOST


def open_host(data: str | os.PathLike[str] | None, handlers: Handlers, partitions: int, options: Options) -> Hosting:
    """The partitions of a folder, at work. Raises ``StorageError`` where the folder has another number of them."""
    if isinstance(partitions, bool) or not 1 <= partitions <= MOST:
        raise InvalidInput(f"an executor has 1 to {MOST} partitions, not {partitions!r}")
    data = folder_path(data)
    if partitions == 1:
        return Host(data, handlers, options)
    from .partitions.host import PartitionedHost  # a program with one partition starts no processes

    return PartitionedHost(data, handlers, options, partitions)
