"""Who is at the other end of a local socket."""

from __future__ import annotations

import socket
import struct

_CREDENTIALS = struct.Struct("3i")
"""C's ``struct ucred``: process, user, group."""


def user_of(end: socket.socket) -> int:
    """The user of the process that has connected, or that listens; the kernel says so."""
    credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return user
