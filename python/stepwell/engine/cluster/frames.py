"""Messages between nodes, over NATS: frames of messages, in as many pieces as a message of NATS may be long.

A frame is ``[clock, [message, …]]``, as between processes (``engine/host/processes/messages.py``). A piece begins with
the number of its frame, its own number and the number of pieces. A frame of which a piece is lost is dropped whole:
who needs an answer asks again.
"""

from __future__ import annotations

import itertools
import struct
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from stepwell import _core
from stepwell.engine.wall_clock import seconds_of
from stepwell.errors import ClockError
from stepwell.logs import logger

from .link import Link

Message = TypeVar("Message")

log = logger("stepwell.cluster")

_HEADER = struct.Struct("<QII")
_ROOM = 1024
"""What a message of NATS has beside its payload: subjects and headers."""
_FRAME_MESSAGES = 1024
_FRAME_BYTES = 512 << 10
_UNFINISHED = 64
"""So many frames of one sender may be incomplete; the oldest are dropped."""
_encode = msgspec.msgpack.Encoder().encode


class Outbox:
    """Frames to one subject. Messages that are posted while another one is being sent share a frame."""

    def __init__(self, link: Link, clock: Callable[[], _core.Clock], subject: str, reply: str = "") -> None:
        self._link, self._clock, self._subject, self._reply = link, clock, subject, reply
        self._waiting: deque[bytes] = deque()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._is_due = False

    def post(self, piece: bytes) -> None:
        """Send an encoded message soon."""
        self._waiting.append(piece)
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        self._link.soon(self._send)

    def _send(self) -> None:
        with self._lock:
            self._is_due = False
        while self._waiting:
            messages = [msgspec.Raw(piece) for piece in self._next()]
            frame = _encode((self._clock().last, messages))
            for piece in pieces(frame, next(self._numbers), self._link.max_payload - _ROOM):
                self._link.post(self._subject, piece, self._reply)

    def _next(self) -> Iterator[bytes]:
        count = size = 0
        while self._waiting and count < _FRAME_MESSAGES and (not count or size < _FRAME_BYTES):
            piece = self._waiting.popleft()
            count, size = count + 1, size + len(piece)
            yield piece


def pieces(frame: bytes, number: int, most: int) -> Iterator[bytes]:
    """A frame in pieces of at most ``most`` bytes."""
    room = most - _HEADER.size
    count = max(1, -(-len(frame) // room))
    for index in range(count):
        yield _HEADER.pack(number, index, count) + frame[index * room : (index + 1) * room]


class Inbox(Generic[Message]):
    """Joins the pieces of frames, and reads them. Only one thread may use it."""

    def __init__(
        self, decoder: msgspec.msgpack.Decoder[tuple[int, list[Message]]], clock: Callable[[], _core.Clock]
    ) -> None:
        self._decoder, self._clock = decoder, clock
        self._unfinished: OrderedDict[tuple[str, int], dict[int, bytes]] = OrderedDict()

    def take(self, sender: str, data: bytes, now: int) -> list[Message]:
        """The messages of the frame that this piece completes, at ``now`` microseconds since 1970."""
        frame = self._joined(sender, data)
        if frame is None:
            return []
        try:
            clock, messages = self._decoder.decode(frame)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            log.error("a frame of %s cannot be read: %s", sender, error)
            return []
        ours = self._clock()
        if clock > ours.last:
            try:
                ours.update(clock, seconds_of(now))
            except ClockError as error:  # whoever has that clock is told so by it; the messages are none the worse
                log.error("the clock of %s, or of this machine, is wrong: %s", sender, error)
        return messages

    def _joined(self, sender: str, data: bytes) -> bytes | None:
        if len(data) < _HEADER.size:
            return None
        number, index, count = _HEADER.unpack_from(data)
        piece = data[_HEADER.size :]
        if count == 1:
            return piece
        key = (sender, number)
        parts = self._unfinished.setdefault(key, {})
        parts[index] = piece
        if len(parts) < count:
            if len(self._unfinished) > _UNFINISHED:
                self._unfinished.popitem(last=False)
            return None
        del self._unfinished[key]
        return b"".join(parts[each] for each in range(count))
