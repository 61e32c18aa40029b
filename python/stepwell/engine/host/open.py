"""Opens a folder: in this process, or with a process for each partition."""

from __future__ import annotations

import os
from collections.abc import Callable

from stepwell.engine import wall_clock
from stepwell.engine.folders.partitions import MAX_PARTITIONS, is_partition
from stepwell.engine.folders.paths import Folder, folder_path
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidInput, InvalidName, StorageError
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.items import ItemFiles

from .host import Host, Options
from .local import LocalHost

MAX_WORKERS = 1 << 20
Open = Callable[[str | None, Handlers, int, Options], Host]


def open_host(
    data: Folder | None, handlers: Handlers, partitions: int, options: Options, open: Open | None = None
) -> Host:
    """Open a folder and run its partitions. Raises ``StorageError`` if it has another number of them.

    ``open`` opens it otherwise than with threads and processes of its own.
    """
    _check_number("partitions", partitions, MAX_PARTITIONS)
    _check_options(options)
    wall_clock.check()
    data = folder_path(data)
    if partitions == 1:
        _check_is_whole(data)
    if open is not None:
        return open(data, handlers, partitions, options)
    if partitions == 1:
        return LocalHost(data, handlers, options)
    from stepwell.engine.host.processes.host import MultiProcessHost

    return MultiProcessHost(data, handlers, options, partitions)


def _check_options(options: Options) -> None:
    """Refuse options that would otherwise fail later, or never. ``limits`` are checked before."""
    _check_number("max_workers", options.max_workers, MAX_WORKERS)
    if not isinstance(options.strict_handlers, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"strict_handlers is True or False, not {shown(options.strict_handlers)}")
    for what, name in (("tenant", options.tenant), ("namespace", options.namespace)):
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidName(f"{what} is a text, not {shown(name)}")
    files = options.item_files
    if files is not None and not isinstance(files, ItemFiles):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"item_files are ItemFiles, not {shown(files)}")


def _check_number(what: str, number: object, most: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise InvalidInput(f"{what} is a whole number from 1 to {most}, not {shown(number)}")


def _check_is_whole(data: str | None) -> None:
    """Refuse one partition of several: an execution started there alone could not be found by its id."""
    folder = None if data is None else os.path.realpath(data)
    if folder is not None and is_partition(folder):
        raise StorageError(f"{data} is one of several partitions: open {os.path.dirname(folder)}, which has them all")
