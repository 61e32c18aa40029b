"""The listening end: a socket in the data folder, and the thread that waits for somebody to connect.

An executor opens it, so it loads nothing that an executor does without: the server is loaded for the first client.
"""

from __future__ import annotations

import _socket
import os
import select
import stat
import threading
import time
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.errors import StorageError
from stepwell.logs import logger

from . import at_fork
from .address import NAME, address_in, open_directory

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
        self._end = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            _remove_stale(self._directory, folder.path)
            os.fchmod(self._end.fileno(), 0o600)  # Linux gives the file of a socket that is bound this mode
            self._end.bind(address_in(self._directory, folder.path))
            self._inode = os.stat(NAME, dir_fd=self._directory, follow_symlinks=False).st_ino
            self._end.listen(BACKLOG)
            self._end.setblocking(False)
        except BaseException:
            self._end.close()
            os.close(self._directory)
            raise
        at_fork.register(self)
        self._thread = threading.Thread(target=self._run, name="stepwell-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove the socket, answer what clients have asked, and let go of them."""
        self._closing = True
        self._remove()
        self._end.shutdown(_socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        if self._server is not None:
            self._server.close()
        at_fork.forget(self)
        self._end.close()
        os.close(self._directory)

    def close_in_child(self) -> None:
        """A forked process does not keep the socket open: whoever connects to its parent learns of that one's end."""
        self._end.close()
        os.close(self._directory)

    def _remove(self) -> None:
        try:
            if os.stat(NAME, dir_fd=self._directory, follow_symlinks=False).st_ino == self._inode:
                os.unlink(NAME, dir_fd=self._directory)
        except OSError as error:  # somebody removed it, or the folder
            log.debug("the control socket is not removed: %s", error)

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


def _remove_stale(directory: int, path: str) -> None:
    """Remove the socket of a process that was killed: the folder is locked, so nobody else serves it."""
    try:
        found = os.stat(NAME, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise StorageError(f"{os.path.join(path, NAME)} is no socket: move it away")
    os.unlink(NAME, dir_fd=directory)
