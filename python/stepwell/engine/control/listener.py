"""The listening end: a socket that a file in the data folder names, and the thread that waits for clients.

An executor opens it, so it loads nothing that an executor does without: the server is loaded for the first client.
"""

from __future__ import annotations

import _socket
import os
import select
import threading
import time
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.errors import StorageError
from stepwell.logs import logger

from . import at_fork
from .address import address_of, announce, draw_name, open_directory, withdraw

if TYPE_CHECKING:
    from .server import Server
    from .target import Target

log = logger("stepwell.control")

BACKLOG = 64
FULL_SECONDS = 0.1
"""How long the thread waits when the process has no descriptor for another client."""


class Listener:
    """Serves a folder that this process holds. The folder must be locked before, and until ``close`` has returned."""

    def __init__(self, folder: _core.Folder, target: Target) -> None:
        self._target = target
        self._server: Server | None = None
        self._closing = False
        self._directory = _directory_of(folder)
        self._file: int | None = None
        self._end = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            name = draw_name()
            self._end.bind(address_of(self._directory, name))
            self._end.listen(BACKLOG)
            self._end.setblocking(False)
            self._file = announce(self._directory, folder.path, name)
        except BaseException:
            self._release()
            raise
        at_fork.register(self)
        self._thread = threading.Thread(target=self._run, name="stepwell-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove the file, answer what clients have asked, and let go of them."""
        self._closing = True
        self._withdraw()
        self._end.shutdown(_socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        if self._server is not None:
            self._server.close()
        at_fork.forget(self)
        self._release()

    def close_in_child(self) -> None:
        """A forked process keeps neither the socket nor the file's lock: clients learn of its parent's end."""
        self._release()

    def _withdraw(self) -> None:
        try:
            if self._file is not None:
                withdraw(self._directory, self._file)
        except OSError as error:  # somebody removed it, or the folder
            log.debug("the file of the control socket is not removed: %s", error)

    def _release(self) -> None:
        self._end.close()
        for descriptor in (self._file, self._directory):
            if descriptor is not None:
                os.close(descriptor)

    # the thread

    def _run(self) -> None:
        waiting = select.poll()
        waiting.register(self._end.fileno(), select.POLLIN)
        while True:
            waiting.poll()
            if self._closing:
                return
            try:
                self._accept()
            except Exception as error:  # noqa: BLE001 - one client that cannot be served is nobody else's trouble
                log.warning("a client of the control socket is not served: %s", error)
                time.sleep(FULL_SECONDS)

    def _accept(self) -> None:
        if self._server is None:
            from .server import Server

            self._server = Server(os.dup(self._end.fileno()), self._target)
        self._server.accept()


def _directory_of(folder: _core.Folder) -> int:
    directory = open_directory(folder.path)
    found = os.fstat(directory)
    if (found.st_dev, found.st_ino) != folder.which:
        os.close(directory)
        raise StorageError(f"{folder.path} is another folder by now")
    return directory
