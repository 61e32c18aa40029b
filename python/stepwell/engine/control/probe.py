"""Whether a process serves a folder: a connection that is ended at once."""

from __future__ import annotations

import os
import socket

from stepwell.errors import StorageError

from .address import address_in, open_directory

SECONDS = 1.0


def is_served(data: str) -> bool:
    """Whether a process listens at the folder's socket. The kernel answers: that process need not do anything."""
    try:
        directory = open_directory(data)
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
            end.settimeout(SECONDS)
            end.connect(address_in(directory, data))
            return True
    except (OSError, StorageError):
        return False
    finally:
        os.close(directory)
