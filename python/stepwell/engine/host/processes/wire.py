"""A socket between two processes of an executor, with frames of messages.

A message is encoded in the thread of its sender. So one that cannot be sent raises an error there, and does not
affect other messages.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from stepwell import _core
from stepwell.engine import wall_clock
from stepwell.engine.wall_clock import seconds_of
from stepwell.errors import InvalidInput, StorageError, TooLargeError

Message = TypeVar("Message")
Part = TypeVar("Part")

MAX_BYTES = 1 << 30
"""The largest frame, for both ends: as large as one of the log."""
WAITING_BYTES = 64 << 20
"""If so many bytes wait to be sent, further senders wait too."""
_PREFIX = 4
_HEADER = 64
_RECEIVE_BYTES = 1 << 18
_FRAME_MESSAGES = 1024
_FRAME_BYTES = 4 << 20
_encode = msgspec.msgpack.Encoder().encode
_fields = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_split = msgspec.msgpack.Decoder(tuple[int, list[msgspec.Raw]]).decode


class Malformed(msgspec.Struct):
    """A message that cannot be read, and the number of its request if it has one."""

    reason: str
    number: int | None


def encoded(message: Any) -> bytes:
    """A message, encoded. Raises ``InvalidInput`` for one that cannot be sent, and ``TooLargeError``."""
    try:
        piece = _encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"this cannot be sent to a partition: {error}") from error
    if len(piece) > MAX_BYTES - _HEADER:
        raise TooLargeError(f"a message of {len(piece)} bytes cannot be sent to a partition: {MAX_BYTES} is the most")
    return piece


def in_shares(parts: list[Part], size_of: Callable[[Part], int]) -> Iterator[list[Part]]:
    """Divides the parts of a message among several messages, none larger than a frame unless one part is."""
    share: list[Part] = []
    size = 0
    for part in parts:
        if share and size + size_of(part) > _FRAME_BYTES:
            yield share
            share, size = [], 0
        share.append(part)
        size += size_of(part)
    if share:
        yield share


class Wire(Generic[Message]):
    """Any thread may send; one receives.

    One thread at a time writes. Messages that other threads post meanwhile go with its next frame, so that a burst
    of small messages takes few writes.
    """

    def __init__(
        self,
        end: socket.socket,
        decoder: msgspec.msgpack.Decoder[tuple[int, list[Message]]],
        clock: Callable[[], _core.Clock | None],
    ) -> None:
        self._end, self._decoder, self._clock = end, decoder, clock
        self._outgoing: deque[bytes] = deque()
        self._bytes = 0
        self._counting = threading.Lock()
        self._writing = threading.Lock()
        self._received = bytearray()
        self._broken = False

    @property
    def unsent_bytes(self) -> int:
        """How large the messages are that wait to be sent."""
        return self._bytes

    def post(self, message: Any) -> None:
        """Queue a message for the next frame. Raises ``InvalidInput`` and ``TooLargeError``."""
        self.post_encoded(encoded(message))

    def post_encoded(self, piece: bytes) -> None:
        """Queue an encoded message for the next frame."""
        self._count(len(piece))
        self._outgoing.append(piece)

    def post_first(self, message: Any) -> None:
        """Queue a message before all others."""
        piece = encoded(message)
        self._count(len(piece))
        self._outgoing.appendleft(piece)

    def send(self, message: Any) -> None:
        """Send a message, or let a thread send it that is already writing."""
        self.post(message)
        self.flush()

    def flush(self) -> None:
        """Send what was posted. A thread that is already writing sends it; if much is queued, this waits."""
        outgoing = self._outgoing
        while outgoing and self._writing.acquire(blocking=self._bytes > WAITING_BYTES):
            try:
                while outgoing and not self._broken:
                    self._write(self._next_pieces())
                if self._broken:
                    outgoing.clear()
                    self._bytes = 0
            finally:
                self._writing.release()

    def _next_pieces(self) -> list[bytes]:
        pieces: list[bytes] = []
        size = 0
        while self._outgoing and len(pieces) < _FRAME_MESSAGES:
            if pieces and size + len(self._outgoing[0]) > _FRAME_BYTES:
                break
            pieces.append(self._outgoing.popleft())
            size += len(pieces[-1])
        self._count(-size)
        return pieces

    def _count(self, size: int) -> None:
        with self._counting:
            self._bytes += size

    def _write(self, pieces: list[bytes]) -> None:
        clock = self._clock()
        frame = _encode((clock.last if clock is not None else 0, [msgspec.Raw(piece) for piece in pieces]))
        try:
            self._end.sendall(len(frame).to_bytes(_PREFIX, "little") + frame)
        except OSError:  # the other end is closed; the receiving thread notices
            self._broken = True

    def receive(self) -> list[Message | Malformed] | None:
        """Receive messages, waiting as long as the socket does. None: the other end is closed.

        Raises ``StorageError`` for what is not a frame.
        """
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

    def _frames(self) -> Iterator[list[Message | Malformed]]:
        received, start = self._received, 0
        while len(received) - start >= _PREFIX:
            length = int.from_bytes(received[start : start + _PREFIX], "little")
            if length > MAX_BYTES:
                raise StorageError(f"a frame of {length} bytes has come from another process: {MAX_BYTES} is the most")
            end = start + _PREFIX + length
            if len(received) < end:
                break
            with memoryview(received) as view:
                clock, messages = self._messages(view[start + _PREFIX : end])
            self._take_over(clock)
            yield messages
            start = end
        del received[:start]

    def _messages(self, frame: memoryview) -> tuple[int, list[Message | Malformed]]:
        try:
            clock, messages = self._decoder.decode(frame)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            try:
                clock, pieces = _split(frame)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                raise StorageError(f"what has come from another process is no frame of messages: {error}") from error
            return clock, [self._message(bytes(piece)) for piece in pieces]
        return clock, [*messages]

    def _message(self, piece: bytes) -> Message | Malformed:
        """Decode one message of a frame in which some cannot be read."""
        try:
            return self._decoder.decode(_encode((0, [msgspec.Raw(piece)])))[1][0]
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Malformed(str(error), _number_of(piece))

    def _take_over(self, remote: int) -> None:
        """Advance the clock beyond that of the sender."""
        clock = self._clock()
        if clock is not None and remote > clock.last:
            clock.update(remote, seconds_of(wall_clock.now()))


def _number_of(piece: bytes) -> int | None:
    """The number of a request or a reply, which follows the tag."""
    try:
        fields = _fields(piece)
        number = msgspec.msgpack.decode(fields[1]) if len(fields) > 1 else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return number if isinstance(number, int) else None
