"""Connections with limits for clients that are slow, greedy or too many.

One look a second finds those that are too slow: a timer for each request costs more than reading it.
"""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic_ns
from typing import Any

from stepwell.logs import logger

from .cycle import Cycle
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

    ``deadline`` and ``write_deadline`` are when it is cut off, in the loop's time; ``answer_deadline`` is when the
    request that is being answered is given up.
    """

    def __init__(self, limits: Limits, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = limits
        self.deadline = self.write_deadline = self.answer_deadline = NEVER
        self._head_bytes = self._received = 0
        self._seconds = 0.0
        """How long the rest of what has begun to arrive may take; 0: that is in ``deadline`` already."""
        self._is_counting = False
        """Whether so much has arrived that a head in it may be too large."""
        self.is_idle = False
        self.is_overdue = False
        self.made_at = monotonic_ns()
        self._if_left: dict[Callable[[], None], None] = {}
        self._unread: list[Callable[[], None]] = []

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._of_all[CALLER] = self
        if len(self.connections) > self._limits.connections:
            self.transport.abort()
        self._expect(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if exc is not None:  # it was reset
            self._give_back()
        self._unread.clear()
        _call_all(list(self._if_left))

    def eof_received(self) -> None:
        if self._unread and (self.transport.get_write_buffer_size() or not has_read_all(self.socket)):
            self._give_back()

    def data_received(self, data: bytes) -> None:
        most = len(data)
        if self._in_head:
            self._received = most = self._received + most
        self._is_counting = most > self._limits.head_bytes
        super().data_received(data)
        if self._seconds:
            self.deadline, self._seconds = self.loop.time() + self._seconds, 0.0
        if not self._in_head or self.transport.is_closing():
            return
        if self._received > self._limits.head_bytes:  # the parser keeps a header that has not ended, however long it is
            self.refuse()
        elif self.running is None and (self.is_idle or self.deadline == NEVER):
            self._expect(self._limits.head_seconds)  # empty lines, which begin no request

    def on_message_begin(self) -> None:
        if self._unread:
            self._unread.clear()  # whoever asks for more has read what it got
        self._head_bytes, self.is_idle = 0, False
        self._seconds = self._limits.head_seconds

    def on_trailer(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        if self._is_counting:
            self._count(len(self.url) + sum([len(name) + len(value) for name, value in self._headers]))
        self._received, self._seconds = 0, self._limits.body_seconds
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.deadline, self._seconds = NEVER, 0.0
        if self.running is None:  # it was answered before it was whole
            self._be_idle()

    def answered(self, cycle: Cycle, *, is_last: bool) -> None:
        self.answer_deadline, self.is_overdue = NEVER, False
        if self._if_left:
            self._if_left.clear()
        super().answered(cycle, is_last=is_last)
        if self.running is None and self._in_head and not self._received:
            self._be_idle()

    def _be_idle(self) -> None:
        self._expect(self._limits.idle_seconds)
        self.is_idle = True

    # the caller

    def has_left(self) -> bool:
        return self.transport.is_closing() or has_closed(self.socket)

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

    def answer_within(self, seconds: float) -> None:
        """The request that is being answered is given up if it takes longer."""
        self.answer_deadline = self.loop.time() + seconds

    def refuse(self) -> None:
        """Refuse what is no request; as too large if that is the reason."""
        if max(self._head_bytes, self._received) <= self._limits.head_bytes:
            super().refuse()
        else:
            self.end_with(431, b"")

    def pause_writing(self) -> None:
        super().pause_writing()
        self.write_deadline = self.loop.time() + self._limits.answer_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self.write_deadline = NEVER

    def look(self, now: float) -> bool:
        """Cut the connection off if its client is too slow; returns whether it was."""
        if now >= self.answer_deadline and self.task is not None:
            self.answer_deadline, self.is_overdue = NEVER, True
            self.task.cancel()
        if self.is_paused:  # we do not read: the client can send nothing
            self._expect(self._limits.body_seconds)
        elif self.transport.is_closing() and self.write_deadline == NEVER:  # the rest of an answer is left
            self.write_deadline = now + self._limits.answer_seconds
        if now < min(self.deadline, self.write_deadline):
            return False
        if self.is_idle and now < self.write_deadline and not self.transport.get_write_buffer_size():
            self.transport.close()
            return False
        self._cut_off()  # who has not read the last answer when the connection was idle for long never will
        return True

    def _cut_off(self) -> None:
        """End the connection, and what the kernel keeps for it too."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
        self._give_back()

    def _expect(self, seconds: float) -> None:
        self.is_idle = False
        self.deadline = self.loop.time() + seconds

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes:
            raise HeadTooLarge


def _call_all(functions: list[Callable[[], None]]) -> None:
    """Call each function once."""
    while functions:
        functions.pop()()


def _order(connection: LimitedProtocol) -> tuple[bool, float, int]:
    """Idle ones first, in the order in which they became idle: their clients see that before they use them again."""
    return not connection.is_idle, connection.deadline, connection.made_at


def cut_off_slow(connections: Iterable[Any], now: float) -> None:
    """Cut off all connections whose clients are too slow, and log how many there were."""
    looked_at = [each for each in connections if isinstance(each, LimitedProtocol)]
    looked_at.sort(key=_order)
    count = sum([each.look(now) for each in looked_at])
    if count:
        log.warning("cut off %d connections: their clients are too slow", count)
