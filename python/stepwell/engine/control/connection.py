"""The client's end: a connection to the process that has a folder open."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from stepwell.engine.host.promises import Callback, Latch
from stepwell.errors import StepwellError, StorageError, TooLargeError, WaitTimeout
from stepwell.version import VERSION

from . import at_fork
from . import messages as m
from .address import NAME, Served, find, open_directory
from .channel import ANSWER_SECONDS
from .peer import user_of

GREETING_SECONDS = 10.0
_RECEIVE_BYTES = 1 << 18


class NotServed(StorageError):
    """No process serves the folder."""


class Connection:
    """Requests to the process that serves a folder. Any thread may ask; one receives.

    Raises ``NotServed`` where no process serves it, ``StorageError`` where that is of another version or user.
    """

    def __init__(self, data: str) -> None:
        self.data = data
        self._end = _connected(data)
        self._received = bytearray()
        self._sending, self._lock = threading.Lock(), threading.Lock()
        self._numbers = itertools.count(1)
        self._pending: dict[int, Callback] = {}
        self._failure: StorageError | None = None
        self._on_end: Callable[[StorageError], None] = _ignore
        try:
            self.server = self._welcome()
            self._send(m.frame_of(m.Hello(m.MAGIC, m.PROTOCOL, VERSION)))
        except BaseException:
            self._end.close()
            raise
        at_fork.register(self)
        threading.Thread(target=self._run, name="stepwell-connection", daemon=True).start()

    def ask(self, make: Callable[[int], m.Request], timeout: float | None = ANSWER_SECONDS) -> Any:
        """Ask for something, and wait for the reply. Raises what the other process raised."""
        latch = Latch()
        number = self.begin(make, latch.deliver)
        try:
            return latch.wait(timeout)
        except WaitTimeout:
            self._settle(number)
            raise StorageError(f"process {self.server.pid} has not answered within {timeout} s") from None

    def begin(self, make: Callable[[int], m.Request], deliver: Callback) -> int:
        """Ask for something; ``deliver`` gets the reply, in another thread. The number of the request."""
        number = next(self._numbers)
        frame = m.frame_of(make(number))
        if len(frame) > m.MAX_REQUEST:
            raise TooLargeError(f"a request of {len(frame)} bytes cannot be sent: {m.MAX_REQUEST} is the most")
        with self._lock:
            if self._failure is not None:
                raise _again(self._failure)
            self._pending[number] = deliver
        self._send(frame)
        return number

    def forget(self, number: int) -> bool:
        """Wait no longer for the reply to a request; whether it is still to come."""
        return self._settle(number) is not None

    def tell(self, message: m.Unwatch) -> None:
        """Send what has no reply."""
        self._send(m.frame_of(message))

    def on_end(self, function: Callable[[StorageError], None]) -> None:
        """Let ``function`` be called once, when the other process has ended or closed the folder."""
        with self._lock:
            self._on_end = function
            failure = self._failure
        if failure is not None:
            function(failure)

    def close(self) -> None:
        """End the connection."""
        at_fork.forget(self)
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other end was faster

    def close_in_child(self) -> None:
        """A forked process does not keep the connection open."""
        self._end.close()

    def _welcome(self) -> m.Welcome:
        self._end.settimeout(GREETING_SECONDS)
        try:
            messages: list[m.Welcome | m.Reply] = []
            while not messages:
                messages = self._receive()
        except TimeoutError as error:
            raise StorageError(f"the process that serves {self.data} does not answer: is it stopped?") from error
        except OSError as error:
            raise NotServed(f"the process that served {self.data} has closed it") from error
        except msgspec.MsgspecError as error:
            raise StorageError(f"the process that serves {self.data} is of another version: {error}") from error
        self._end.settimeout(None)
        (welcome,) = messages
        if isinstance(welcome, m.Reply):
            raise StorageError("it answered too early") if welcome.failure is None else m.error_of(welcome.failure)
        m.check_protocol(welcome)
        return welcome

    def _send(self, frame: bytes) -> None:
        try:
            with self._sending:
                self._end.sendall(frame)
        except OSError as error:
            self._end_with(error)

    def _receive(self) -> list[m.Welcome | m.Reply]:
        """What has come. Raises ``OSError`` when the other end is closed, ``MsgspecError`` for what is no message."""
        received = self._end.recv(_RECEIVE_BYTES)
        if not received:
            raise ConnectionResetError("it has closed the connection")
        self._received += received
        messages: list[m.Welcome | m.Reply] = []
        buffer, start = self._received, 0
        while len(buffer) - start >= m.PREFIX:
            length = int.from_bytes(buffer[start : start + m.PREFIX], "little")
            if length > m.MAX_REPLY:
                raise msgspec.DecodeError(f"a frame of {length} bytes")
            end = start + m.PREFIX + length
            if len(buffer) < end:
                break
            messages.append(m.decode_response.decode(bytes(buffer[start + m.PREFIX : end])))
            start = end
        del buffer[:start]
        return messages

    # the thread that receives

    def _run(self) -> None:
        try:
            while True:
                for message in self._receive():
                    if isinstance(message, m.Reply):
                        self._take(message)
        except Exception as error:  # noqa: BLE001 - whoever waits must learn of it
            self._end_with(error)
        self._end.close()

    def _take(self, reply: m.Reply) -> None:
        deliver = self._settle(reply.number)
        if deliver is not None:
            failure = reply.failure
            deliver(reply.result, None if failure is None else m.error_of(failure))

    def _settle(self, number: int) -> Callback | None:
        with self._lock:
            return self._pending.pop(number, None)

    def _end_with(self, error: Exception) -> None:
        """The other process is gone: everybody who waits is told so."""
        with self._lock:
            if self._failure is not None:
                return
            self._failure = StorageError(
                f"process {self.server.pid}, which had {self.data} open, has closed it or has ended ({error}). "
                "What it had not confirmed may have been done or not; executions go on when the folder is opened again"
            )
            pending, self._pending, on_end = self._pending, {}, self._on_end
        for deliver in pending.values():
            deliver(None, _again(self._failure))
        on_end(self._failure)


def _connected(data: str) -> socket.socket:
    try:
        directory = open_directory(data)
    except OSError as error:
        raise StorageError(f"{data} cannot be opened: {error.strerror}") from error
    try:
        return _connected_to(directory, data)
    except TimeoutError as error:
        raise StorageError(f"the process that serves {data} does not answer: is it stopped?") from error
    except OSError as error:
        raise StorageError(f"{os.path.join(data, NAME)} cannot be used: {error.strerror}") from error
    finally:
        os.close(directory)


def _connected_to(directory: int, data: str) -> socket.socket:
    """A connection to the process that serves a folder. Raises ``OSError``."""
    served = find(directory)
    if served is None:
        raise NotServed(f"no process serves {data}")
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.settimeout(GREETING_SECONDS)
        end.connect(served.address)
        _check_server(end, served, data)
    except ConnectionRefusedError as error:
        end.close()
        if find(directory) != served:
            raise NotServed(f"the process that served {data} has closed it") from error
        raise StorageError(
            f"a process serves {data}, but not here: it is in another container (network namespace). Run this there"
        ) from error
    except BaseException:
        end.close()
        raise
    return end


def _check_server(end: socket.socket, served: Served, data: str) -> None:
    """Refuse the process of another user: it may have taken the name when ours was killed."""
    user = user_of(end)
    if user != os.geteuid() and (os.geteuid() != 0 or user != served.user):
        raise StorageError(f"user {user} serves {data}, not user {served.user}, whose file {NAME} is")


def _ignore(error: StorageError) -> None:
    """Nobody wants to know."""


def _again(error: StorageError) -> StepwellError:
    """An error of one's own for everybody who is told of it."""
    fresh = type(error)(str(error))
    fresh.__cause__ = error
    return fresh
