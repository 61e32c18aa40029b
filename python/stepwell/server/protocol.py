"""HTTP/1.1 over one connection: httptools reads requests, and each becomes a cycle.

``uvicorn.Server`` makes the connections, and shuts them down. It knows of a protocol what is public here.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any
from urllib.parse import unquote

import httptools

from .cycle import CYCLE, HIGH_WATER, STATUS_LINES, Application, Cycle, Message, log

HEADERS = "stepwell.headers"
"""The key of a scope that has its headers by their names; of several with one name, the last one."""
_ASGI = {"version": "3.0", "spec_version": "2.3"}
_OFFERING = (b"connection", b"upgrade")
_LAST_SECONDS = 1.0
"""How long the rest of a request may take when the server stops."""
_NO_REQUEST = b"Invalid HTTP request received."


class TwoHosts(Exception):
    """A request names its host twice: others on its way may have read the other one (RFC 9112 §3.2)."""


class Protocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self.loop: asyncio.AbstractEventLoop = _loop or asyncio.get_running_loop()
        self._application: Application = config.loaded_app
        self._state = server_state
        self.connections: set[Any] = server_state.connections
        self._tasks: set[asyncio.Task[None]] = server_state.tasks
        self._parser: Any = httptools.HttpRequestParser(self)
        self._waiting: deque[Cycle] = deque()
        """Requests that were sent before the one before them was answered."""
        self._cycle: Cycle | None = None
        """The last request, which may still arrive."""
        self.running: Cycle | None = None
        """The request that is being answered."""
        self.task: asyncio.Task[None] | None = None
        self.is_paused = False
        """Whether nothing is read, so that the client can send nothing."""
        self._may_write: asyncio.Future[None] | None = None
        self.is_full = False
        """Whether the client has to read before more may be written."""
        self._scope: Message = {}
        self._of_all: Message = {}
        """What the scopes of all requests have."""
        self.url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._in_head = True
        """Whether headers stand before the body: others are trailers."""
        self._is_offer = False

    # the connection

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport
        self.socket: socket.socket = transport.get_extra_info("socket")
        self._of_all = {
            "type": "http",
            "asgi": _ASGI,
            "server": _address(transport.get_extra_info("sockname")),
            "client": _address(transport.get_extra_info("peername")),
            "scheme": "http" if transport.get_extra_info("sslcontext") is None else "https",
            "root_path": "",
        }
        self.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        for cycle in (self.running, self._cycle):  # the requests between them have not begun
            if cycle is not None and not cycle.is_answered:
                cycle.leaves()
        self._waiting.clear()
        self.resume_writing()
        self._parser = None  # it holds this object

    def shutdown(self) -> None:
        """Close the connection as soon as it has no request."""
        if self.running is None:
            self.transport.close()
        else:
            self.running.keeps_alive = False
            self._waiting.clear()
            self.loop.call_later(_LAST_SECONDS, self._end_unfinished, self.running)

    def _end_unfinished(self, cycle: Cycle) -> None:
        """Close the connection, unless its request has come whole by now: then it is being answered."""
        if not cycle.is_whole and not cycle.is_answered:
            self.transport.close()

    # reading

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            log.warning("a client sent what is no HTTP")
            self.refuse()

    def _decline(self, rest: bytes) -> None:
        """Read a request without its offer to speak something else: the parser takes no body behind one."""
        if self._scope["method"] == "CONNECT":
            self.refuse()
            return
        head = [b"%b %b HTTP/1.1" % (self._scope["method"].encode(), self.url)]
        head += [b"%b: %b" % header for header in self._scope["headers"] if header[0] not in _OFFERING]
        self._begin_head()
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join(head) + b"\r\n\r\n" + rest)

    def refuse(self) -> None:
        """Answer what is no request, and end the connection."""
        self.end_with(400, _NO_REQUEST)

    def end_with(self, status: int, text: bytes) -> None:
        """Give the last answer of the connection."""
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINES[status] + head + text)
        self.transport.close()

    def read_on(self) -> None:
        if self.is_paused and not self._waiting:
            self.is_paused = False
            self.transport.resume_reading()

    def _pause(self) -> None:
        if not self.is_paused:
            self.is_paused = True
            self.transport.pause_reading()

    # what the parser calls

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._headers.append((name.lower(), value))
        else:  # it stands behind the body, and must not change what was said before (RFC 9110 §6.5.1)
            self.on_trailer(name, value)

    def on_trailer(self, name: bytes, value: bytes) -> None:
        """A header behind the body. Nobody reads it."""

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers, parser = self._headers, self._parser
        by_name = dict(headers)
        if len(by_name) < len(headers) and [name for name, _ in headers].count(b"host") > 1:
            raise TwoHosts
        version = parser.get_http_version()
        scope = self._scope = {**self._of_all, "headers": headers, HEADERS: by_name, "http_version": version}
        scope["method"] = parser.get_method().decode("ascii")
        self._is_offer = parser.should_upgrade()
        if self._is_offer:
            return
        if self.url == b"/":
            scope["path"], scope["raw_path"], scope["query_string"] = "/", b"/", b""
        else:
            url = httptools.parse_url(self.url)
            scope["path"], scope["raw_path"] = unquote(url.path.decode("ascii")), url.path
            scope["query_string"] = url.query or b""
        keeps_alive = version != "1.0" and parser.should_keep_alive()
        cycle = Cycle(scope, self, keeps_alive, b"expect" in by_name and _expects_continue(headers))
        self._cycle = scope[CYCLE] = cycle
        if self.running is None:
            self._run(cycle)
        else:
            self._waiting.append(cycle)
            self._pause()

    def on_body(self, body: bytes) -> None:
        cycle = self._cycle
        if cycle is not None and not cycle.is_answered:
            cycle.arrived(body)
            if len(cycle.body) > HIGH_WATER:
                self._pause()

    def on_message_complete(self) -> None:
        if self._is_offer:
            return
        if self._cycle is not None and not self._cycle.is_answered:
            self._cycle.ends()
        self._begin_head()

    def _begin_head(self) -> None:
        """Whatever comes next is the head of a request."""
        self.url, self._headers, self._in_head = b"", [], True

    # answering

    def _run(self, cycle: Cycle) -> None:
        self.running = cycle
        self.task = cycle.task = task = self.loop.create_task(cycle.run(self._application))
        self._tasks.add(task)

    def over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    async def drained(self) -> None:
        if self._may_write is not None:
            await asyncio.shield(self._may_write)

    def pause_writing(self) -> None:
        self.is_full = True
        self._may_write = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._may_write is not None:
            self._may_write.set_result(None)
            self._may_write = None
            self.is_full = False

    def answered(self, cycle: Cycle, *, is_last: bool) -> None:
        self._state.total_requests += 1
        self.running = None
        if is_last:
            self.transport.close()
        if self.transport.is_closing():
            return
        if self._waiting:
            self._run(self._waiting.popleft())
        if self.is_paused:
            self.read_on()


def _expects_continue(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the client sends the body only when it is told to."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)


def _address(address: Any) -> tuple[str, int]:
    return str(address[0]), int(address[1])
