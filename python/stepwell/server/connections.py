"""Connections with limits for clients that are slow, greedy or too many.

uvicorn limits the time between two requests only: it waits without end for the first byte, for the rest of a request
and for a client that does not read its answer.
"""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from stepwell.logs import logger

from .limits import Limits
from .protocol import Protocol
from .tcp import has_closed, has_read_all

log = logger("stepwell.server")

NEVER = math.inf
_AT_ONCE = struct.pack("ii", 1, 0)


class HeadTooLarge(Exception):
    """The first line and the headers of a request have too many bytes."""


CALLER = "stepwell.caller"
"""The key of a scope that has its connection."""


class LimitedProtocol(Protocol):
    """One connection; for operations it is the caller (``step_functions.callers``).

    ``deadline`` and ``write_deadline`` are when it is cut off, in the loop's time.
    """

    def __init__(self, limits: Limits, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = limits
        self.deadline = self.write_deadline = NEVER
        self._head_bytes = self._received = 0
        self._in_head = True
        self._running: RequestResponseCycle | None = None
        self._if_left: dict[Callable[[], None], None] = {}
        self._unread: list[Callable[[], None]] = []

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._socket: socket.socket = transport.get_extra_info("socket")
        if len(self.connections) > self._limits.connections:
            self.transport.abort()
        self._expect(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._running is not None:  # uvicorn tells only the last one of requests that were sent together
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)
        if exc is not None:  # it was reset
            self._give_back()
        self._unread.clear()
        _call_all(list(self._if_left))

    def eof_received(self) -> None:
        if self._unread and (self.transport.get_write_buffer_size() or not has_read_all(self._socket)):
            self._give_back()

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._received += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._received > self._limits.head_bytes:  # the parser keeps a header that has not ended, however long it is
            self.send_400_response("Too large.")
        elif self.deadline == NEVER and self.cycle.response_complete:
            self._expect(self._limits.head_seconds)  # empty lines, which begin no request

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CALLER] = self  # type: ignore[typeddict-unknown-key]
        self._unread.clear()  # whoever asks for more has read what it got
        self._head_bytes, self._in_head = 0, True
        self._expect(self._limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._received, self._in_head = 0, False
        self._expect(self._limits.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self.deadline = NEVER
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self._if_left.clear()
        super().on_response_complete()

    # the caller

    def has_left(self) -> bool:
        return self.transport.is_closing() or has_closed(self._socket)

    def when_left(self, function: Callable[[], None]) -> Callable[[], None]:
        if self.transport.is_closing():
            function()
        else:
            self._if_left[function] = None
        return partial(self._if_left.pop, function, None)

    def unless_read(self, undo: Callable[[], None]) -> None:
        self._unread.append(undo)

    def _give_back(self) -> None:
        _call_all(self._unread)

    # limits

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request; as too large if that is the reason."""
        if max(self._head_bytes, self._received) <= self._limits.head_bytes:
            super().send_400_response(msg)
            return
        head = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[431] + head)
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.write_deadline = self.loop.time() + self._limits.answer_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self.write_deadline = NEVER

    def look(self, now: float) -> bool:
        """Cut the connection off if its client is too slow; returns whether it was."""
        if self.flow.read_paused:  # we do not read: the client can send nothing
            self._expect(self._limits.body_seconds)
        elif self.transport.is_closing() and self.write_deadline == NEVER:  # the rest of an answer is left
            self.write_deadline = now + self._limits.answer_seconds
        if now < min(self.deadline, self.write_deadline):
            return False
        self._cut_off()
        return True

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection without requests, at once: who has not read the last answer by now never will."""
        self._cut_off() if self.transport.get_write_buffer_size() else self.transport.close()

    def _cut_off(self) -> None:
        """End the connection, and what the kernel keeps for it too."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
        self._give_back()

    def _expect(self, seconds: float) -> None:
        self.deadline = self.loop.time() + seconds

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes:
            raise HeadTooLarge


def _call_all(functions: list[Callable[[], None]]) -> None:
    """Call each function once."""
    while functions:
        functions.pop()()


def cut_off_slow(connections: Iterable[Any], now: float) -> None:
    """Cut off all connections whose clients are too slow, and log how many there were."""
    count = sum(each.look(now) for each in list(connections) if isinstance(each, LimitedProtocol))
    if count:
        log.warning("cut off %d connections: their clients are too slow", count)
