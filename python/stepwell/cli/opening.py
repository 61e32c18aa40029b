"""Opening a data folder for a command: a free one in this process, one that is held through its owner's socket."""

from __future__ import annotations

import os
import time
from pathlib import Path

from stepwell import Executor, ItemFiles
from stepwell.engine.control.address import NAME
from stepwell.engine.control.connection import NotServed
from stepwell.engine.folders.partitions import partitions_of
from stepwell.errors import LockedError, StorageError
from stepwell.logs import logger

from .options import Handlers

log = logger("stepwell.cli")

WAITING_SECONDS = 10.0
"""How long a command waits for a folder that a process is opening or closing, or another command uses for a moment."""
_LOOK_SECONDS = 0.02


class _Private(Executor):
    """An executor for a moment: who wants the folder too waits for its end, rather than depends on it."""

    _serves = False


def open_executor(
    data: str | Path | None,
    handlers: Handlers | None = None,
    *,
    serves: bool = False,
    item_files: ItemFiles | None = None,
) -> Executor:
    """An executor over a data folder, or a connection to the process that has it open.

    ``serves``: other commands may use the folder through this one, which stays for a while. A command has all the
    handlers that it will ever have, so a start refuses a workflow of which one is missing.
    Raises ``LockedError`` where another process has the folder, and does not serve it.
    """
    if data is None:
        return Executor(handlers=handlers, strict_handlers=True, item_files=item_files)
    deadline = time.monotonic() + WAITING_SECONDS
    while True:
        try:
            kind = Executor if serves else _Private
            return kind(
                data,
                handlers=handlers,
                partitions=partitions_of(data) or 1,
                strict_handlers=True,
                item_files=item_files,
            )
        except StorageError as error:  # locked, or a follower's
            connected = _connected(data, handlers)
            if connected is not None:
                return connected
            if not isinstance(error, LockedError):
                raise
            if time.monotonic() > deadline:
                raise LockedError(
                    f"{error}; no process answers at {os.path.join(data, NAME)}: the one that has the folder is "
                    "being opened or closed, or could not make a socket there (its log says why)"
                ) from error
        time.sleep(_LOOK_SECONDS)


def _connected(data: str | Path, handlers: Handlers | None) -> Executor | None:
    try:
        executor = Executor(data, connect=True)
    except NotServed:
        return None
    if handlers:
        log.warning("another process has %s open: its handlers do the tasks, not those of --handlers", data)
    return executor
