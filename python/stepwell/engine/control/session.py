"""One client of the server: its frames, read and written in one thread; what it asks for is in ``operations``.

The engine's thread only appends a reply and wakes that thread. Every size and time is bounded: a frame, the replies
that wait to be read, the requests without a reply, the time until a greeting, the rest of a frame, a reader.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from stepwell.errors import StepwellError, StorageError
from stepwell.logs import logger

from . import messages as m
from .operations import Operations
from .target import Target

log = logger("stepwell.control")

HELLO_SECONDS = 10.0
FRAME_SECONDS = 60.0
"""How long a frame may take from its first byte to its last."""
SEND_SECONDS = 30.0
"""How long a client may take nothing of what is sent to it."""
MAX_OUTGOING = 64 << 20
"""While so many bytes wait to be read by a client, no more of its requests are read."""
MAX_OPEN = 4096
"""While so many of its requests have no reply, no more are read."""
_RECEIVE_BYTES = 1 << 18


class Session:
    """A client that has connected."""

    def __init__(self, end: socket.socket, target: Target) -> None:
        end.setblocking(False)
        self._end = end
        self._operations = Operations(target, self.reply)
        self._received = bytearray()
        self._began = self._taken = time.monotonic()
        """When the current frame began; when the client last took something."""
        self._is_greeted = self._is_finishing = self._has_ended = False
        self._outgoing: deque[memoryview] = deque()
        """What is to be sent; views, so that sending a large frame piece by piece does not copy the rest each time."""
        self._bytes = 0
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    # from any thread

    def reply(self, number: int, result: Any, error: BaseException | None = None) -> None:
        """Send a reply, soon. It returns at once."""
        try:
            frame = m.frame_of(m.Reply(number, result, None if error is None else m.failure_of(error)))
        except StepwellError as other:
            frame = m.frame_of(m.Reply(number, None, m.failure_of(other)))
        self._post(frame)

    def finish(self) -> None:
        """Read nothing more, and end once all replies are sent."""
        self._is_finishing = True
        self._notify()

    def close(self) -> None:
        """Let go of the client."""
        with self._lock:
            self._has_ended = True
            os.close(self._wake)
        self._operations.close()
        self._end.close()

    def close_in_child(self) -> None:
        """A forked process does not keep the connection open."""
        self._end.close()
        os.close(self._wake)

    def _post(self, frame: bytes) -> None:
        with self._lock:
            if not self._has_ended:
                self._outgoing.append(memoryview(frame))
                self._bytes += len(frame)
                os.eventfd_write(self._wake, 1)

    def _notify(self) -> None:
        with self._lock:
            if not self._has_ended:
                os.eventfd_write(self._wake, 1)

    # its own thread

    def run(self) -> None:
        """Serve the client until it is gone, or breaks a rule."""
        self._post(m.frame_of(self._operations.welcome()))
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        while not (self._is_finishing and not self._outgoing):
            poll.register(self._end, self._wanted())
            events = dict(poll.poll(self._patience() * 1000))
            if self._wake in events:
                os.eventfd_read(self._wake)
            if events.get(self._end.fileno(), 0) & ~select.POLLOUT and not self._read():
                return
            if self._outgoing and not self._write():
                return
            if self._patience() <= 0:
                log.warning("a client of the control socket is let go: it took too long")
                return

    def _wanted(self) -> int:
        accepts = not self._is_finishing and self._bytes < MAX_OUTGOING and self._operations.open < MAX_OPEN
        return (select.POLLIN if accepts else 0) | (select.POLLOUT if self._outgoing else 0)

    def _patience(self) -> float:
        """The seconds until the client has taken too long; many where nothing is expected of it."""
        now = time.monotonic()
        ends = [now + FRAME_SECONDS]
        if self._outgoing:
            ends.append(self._taken + SEND_SECONDS)
        if not self._is_greeted:
            ends.append(self._began + HELLO_SECONDS)
        elif self._received and self._wanted() & select.POLLIN:
            ends.append(self._began + FRAME_SECONDS)
        return max(0.0, min(ends) - now)

    def _read(self) -> bool:
        """Take what has come; False when the client is gone, or what it says is no message."""
        try:
            received = self._end.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not received:
            return False
        if not self._received and self._is_greeted:
            self._began = time.monotonic()
        self._received += received
        try:
            for frame in self._frames():
                self._take(frame)
        except (StorageError, msgspec.MsgspecError, ValueError, RecursionError) as error:
            log.warning("a client of the control socket is let go: %s", error)
            self.reply(0, None, StorageError(f"this is no message: {error}"))
            self._write()
            return False
        return True

    def _frames(self) -> Iterator[bytes]:
        received = self._received
        while len(received) >= m.PREFIX:
            length = int.from_bytes(received[: m.PREFIX], "little")
            most = m.MAX_REQUEST if self._is_greeted else m.MAX_HELLO
            if length > most:
                raise StorageError(f"a frame of {length} bytes: {most} is the most")
            end = m.PREFIX + length
            if len(received) < end:
                return
            frame = bytes(received[m.PREFIX : end])
            del received[:end]
            self._began = time.monotonic()
            yield frame

    def _take(self, frame: bytes) -> None:
        if self._is_greeted:
            self._operations.begin(m.decode_request.decode(frame))
            return
        hello = m.decode_hello(frame)
        if (hello.magic, hello.protocol) != (m.MAGIC, m.PROTOCOL):
            raise StorageError(f"the client has protocol {hello.protocol}, and this is {m.PROTOCOL}")
        self._is_greeted = True

    def _write(self) -> bool:
        """Send what the client takes now; False when it is gone."""
        while self._outgoing:
            frame = self._outgoing[0]
            try:
                sent = self._end.send(frame)
            except BlockingIOError:
                return True
            except OSError:
                return False
            self._taken = time.monotonic()
            with self._lock:
                self._bytes -= sent
                if sent == len(frame):
                    self._outgoing.popleft()
                else:
                    self._outgoing[0] = frame[sent:]
        return True
