"""A socket between two processes of an executor, with frames of messages."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import time
from typing import Any, Generic, TypeVar

import msgspec

from stepwell import _core

Message = TypeVar("Message")

_PREFIX = 4
_RECEIVE_BYTES = 1 << 18
_FRAME_MESSAGES = 1024
_encode = msgspec.msgpack.Encoder().encode


class Wire(Generic[Message]):
    """Any thread may send; one receives.

    Whoever comes first writes for all: a message that another thread hands in meanwhile goes with the next
    frame of the one that writes, so that a burst of small messages is a few writes.
    """

    def __init__(
        self,
        end: socket.socket,
        decoder: msgspec.msgpack.Decoder[tuple[int, list[Message]]],
        clock: Callable[[], _core.Clock | None],
    ) -> None:
        self._end, self._decoder, self._clock = end, decoder, clock
        self._outgoing: deque[Any] = deque()
        self._writing = threading.Lock()
        self._received = bytearray()
        self._broken = False

    def post(self, message: Any) -> None:
        """Let a message go with the next ones that are sent."""
        self._outgoing.append(message)

    def post_first(self, message: Any) -> None:
        """Let a message go before all that were posted."""
        self._outgoing.appendleft(message)

    def send(self, message: Any) -> None:
        """Send a message, or let a thread that is at it do so."""
        self._outgoing.append(message)
        self.flush()

    def flush(self) -> None:
        """Send what was posted."""
        outgoing = self._outgoing
        while outgoing and self._writing.acquire(blocking=False):
            try:
                while outgoing and not self._broken:
                    count = min(len(outgoing), _FRAME_MESSAGES)
                    self._write([outgoing.popleft() for _ in range(count)])
                if self._broken:
                    outgoing.clear()
            finally:
                self._writing.release()

    def _write(self, messages: list[Any]) -> None:
        clock = self._clock()
        frame = _encode((clock.last if clock is not None else 0, messages))
        try:
            self._end.sendall(len(frame).to_bytes(_PREFIX, "little") + frame)
        except OSError:  # the other end is gone; whoever receives finds out
            self._broken = True

    def receive(self) -> list[Message] | None:
        """What has come, waiting for it as long as the socket does; None when the other end is closed."""
        try:
            received = self._end.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not received:
            return None
        self._received += received
        return [message for frame in self._frames() for message in frame]

    def _frames(self) -> Iterator[list[Message]]:
        received, start = self._received, 0
        while len(received) - start >= _PREFIX:
            end = start + _PREFIX + int.from_bytes(received[start : start + _PREFIX], "little")
            if len(received) < end:
                break
            with memoryview(received) as view:
                clock, messages = self._decoder.decode(view[start + _PREFIX : end])
            self._take_over(clock)
            yield messages
            start = end
        del received[:start]

    def _take_over(self, remote: int) -> None:
        """Be later than the other end was."""
        clock = self._clock()
        if clock is not None and remote > clock.last:
            clock.update(remote, int(time()))
