"""Where the control socket of a folder is, and how it is reached: by the folder's descriptor, however long its path.

The address of a local socket has 107 bytes at most. ``/proc/self/fd/N`` is short, and leads to the folder that was
opened, whatever its path leads to by now (docs/adr/0017).
"""

from __future__ import annotations

import os

from stepwell.errors import StorageError

NAME = "socket"
LONGEST = 107
"""How many bytes a local socket's address may have on Linux."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_directory(path: str) -> int:
    """A descriptor of the folder at a path. Raises ``OSError``."""
    return os.open(path, _FOLDER)


def address_in(descriptor: int, path: str) -> bytes:
    """The address of the socket in a folder that is open under ``descriptor``; ``path`` led to it.

    Raises ``StorageError`` where there is no ``/proc``, and the path is too long.
    """
    through = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(through):
        return os.fsencode(os.path.join(through, NAME))
    address = os.fsencode(os.path.join(path, NAME))
    if len(address) > LONGEST:
        raise StorageError(f"the path of a socket has {LONGEST} bytes at most without /proc: {path} is too long")
    return address
