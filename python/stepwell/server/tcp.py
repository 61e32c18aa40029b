"""What the kernel knows of a connection's other end (Linux: ``tcp(7)``); elsewhere nothing is known.

The event loop hears of an end only when it reads the connection the next time. The kernel knows it as soon as the
packet has come: a client that closes its connection sends FIN, or RST if it has not read everything.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import Protocol

_STATE = struct.Struct("B")  # the first member of ``tcp_info``
_ESTABLISHED, _CLOSE_WAIT = 1, 8
IS_KNOWN = sys.platform == "linux"
_UNACKNOWLEDGED = 0x5411
"""``SIOCOUTQ``: the bytes that were written and not acknowledged."""


class Socket(Protocol):
    """What is asked of a socket."""

    def fileno(self) -> int: ...

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def has_closed(end: Socket) -> bool:
    """Whether the other end has closed the connection."""
    return IS_KNOWN and _state(end) != _ESTABLISHED


def has_read_all(end: Socket) -> bool:
    """Whether the other end, which has closed the connection, had read all that was written.

    A program that closes a connection with unread bytes sends RST. FIN says that it has read all that it acknowledges.
    """
    if not IS_KNOWN:
        return True
    import fcntl  # Windows has none

    left = struct.unpack("i", fcntl.ioctl(end.fileno(), _UNACKNOWLEDGED, bytes(4)))[0]
    return _state(end) == _CLOSE_WAIT and left == 0


def _state(end: Socket) -> int:
    state: int = _STATE.unpack(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _STATE.size))[0]
    return state
