"""What the kernel knows of a connection's other end (Linux: ``tcp(7)``); elsewhere nothing is known.

The event loop hears of an end only when it reads the connection the next time. The kernel knows it as soon as the
packet has come: a client that closes its connection sends FIN, or RST if it has not read everything.
"""

from __future__ import annotations

import struct
import sys
from typing import Protocol

from stepwell._core import tcp_state

_ESTABLISHED, _CLOSE_WAIT = 1, 8
IS_KNOWN = sys.platform == "linux"
_UNACKNOWLEDGED = 0x5411
"""``SIOCOUTQ``: the bytes that were written and not acknowledged."""


class Socket(Protocol):
    """What is asked of a socket."""

    def fileno(self) -> int: ...


def has_closed(end: Socket) -> bool:
    """Whether the other end has closed the connection."""
    return IS_KNOWN and tcp_state(end.fileno()) != _ESTABLISHED


def has_read_all(end: Socket) -> bool:
    """Whether the other end, which has closed the connection, had read all that was written.

    A program that closes a connection with unread bytes sends RST. FIN says that it has read all that it acknowledges.
    """
    if not IS_KNOWN:
        return True
    import fcntl  # Windows has none

    left = struct.unpack("i", fcntl.ioctl(end.fileno(), _UNACKNOWLEDGED, bytes(4)))[0]
    return tcp_state(end.fileno()) == _CLOSE_WAIT and left == 0
