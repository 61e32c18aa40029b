"""Where the process that serves a folder is reached: a socket outside the folder, and the file in it that names it.

The socket has a name in the kernel's abstract namespace, made of the folder's device and inode and of what the file
``socket`` says. So no copy of a folder leads to the original's process, a folder that was moved still leads to its own,
and whatever copies folders meets an ordinary file. The process keeps the file locked: a file that is not locked is one
that a killed process left, or a copy (docs/adr/0022).
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import struct
from typing import NamedTuple

from stepwell.errors import StorageError

NAME = "socket"
UNFINISHED = "socket.new"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TEXT = re.compile(rb"[0-9a-f]{32}\n")
_OURS = re.compile(rb"[0-9a-f\0]{0,32}[\n\0]?")
"""What the file may contain after a power cut, too."""
_LONGEST = 64
_LOCK = struct.Struct("hhqqi4x")
"""C's ``struct flock``: type, whence, start, length, process."""


class Served(NamedTuple):
    """The process that serves a folder: its socket's address, and the user that the file belongs to."""

    address: bytes
    user: int


def open_directory(path: str) -> int:
    """A descriptor of the folder at a path. Raises ``OSError``."""
    return os.open(path, _FOLDER)


def draw_name() -> bytes:
    """A name that nobody can have guessed, and taken before."""
    return os.urandom(16).hex().encode()


def address_of(directory: int, name: bytes) -> bytes:
    """The address of a name for a folder."""
    folder = os.fstat(directory)
    return b"\0stepwell/%x-%x/%s" % (folder.st_dev, folder.st_ino, name)


def announce(directory: int, path: str, name: bytes) -> int:
    """Put the file into a folder that this process has locked, and serves already: a descriptor, which locks the file.

    It takes the place of one that a killed process left. Raises ``StorageError`` for something else of that name.
    """
    _check_place(directory, path)
    descriptor = os.open(UNFINISHED, os.O_RDWR | os.O_CREAT | os.O_TRUNC | _FILE, 0o600, dir_fd=directory)
    try:
        os.fchmod(descriptor, 0o600)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        os.write(descriptor, name + b"\n")
        os.rename(UNFINISHED, NAME, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def withdraw(directory: int, descriptor: int) -> None:
    """Remove the file, if it is still that of ``announce``. Raises ``OSError``."""
    found = os.stat(NAME, dir_fd=directory, follow_symlinks=False)
    if os.path.samestat(found, os.fstat(descriptor)):
        os.unlink(NAME, dir_fd=directory)


def find(directory: int) -> Served | None:
    """The process that serves a folder, if there is one. Raises ``OSError`` where the file cannot be read."""
    try:
        descriptor = os.open(NAME, os.O_RDONLY | _FILE, dir_fd=directory)
    except FileNotFoundError:
        return None
    try:
        text = os.read(descriptor, _LONGEST)
        if not _TEXT.fullmatch(text) or not _is_locked(descriptor):
            return None
        return Served(address_of(directory, text.rstrip()), os.fstat(descriptor).st_uid)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Whether a process has a file locked, wherever it runs. Asking takes no lock, so it disturbs nobody."""
    asked = _LOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    return _LOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))[0] != fcntl.F_UNLCK


def _check_place(directory: int, path: str) -> None:
    """Raise for a file that is not ours: it is not replaced."""
    try:
        descriptor = os.open(NAME, os.O_RDONLY | _FILE, dir_fd=directory)
    except FileNotFoundError:
        return
    except OSError as error:  # a link, a socket
        raise StorageError(f"{os.path.join(path, NAME)} is not Stepwell's: move it away") from error
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if not is_file or not _OURS.fullmatch(os.read(descriptor, _LONGEST)):
            raise StorageError(f"{os.path.join(path, NAME)} is not Stepwell's: move it away")
    finally:
        os.close(descriptor)
