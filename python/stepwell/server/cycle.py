"""One request and its answer on a connection, as ASGI has them: the application receives the body and sends the answer.

uvicorn's own cycle writes the head and the body of an answer one after the other, and looks at each header with regular
expressions. That took half of the time of a small request.
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from stepwell.logs import logger

log = logger("stepwell.server")

Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[None]]
HIGH_WATER = 65_536
"""Reading stops while so much of a body waits for the application."""
STATUS_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in http.HTTPStatus}
CYCLE = "stepwell.cycle"
"""The key of a scope that has its cycle: an application that knows it need not send messages."""
_GONE = {"type": "http.disconnect"}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FAILED = b'{"message":"Internal Server Error"}'


class Link(Protocol):
    """What a cycle needs of its connection."""

    is_full: bool
    """Whether the client has to read before more may be written."""

    def write(self, data: bytes) -> None:
        """Write to the client."""
        ...

    async def drained(self) -> None:
        """Return when the client has read so much that more may be written."""
        ...

    def read_on(self) -> None:
        """Read what the client sends."""
        ...

    def answered(self, cycle: Cycle, *, is_last: bool) -> None:
        """The answer is whole; ``is_last``: it ends the connection."""
        ...

    def over(self, task: asyncio.Task[None]) -> None:
        """The application has done its work for a request: this is the task that it ran in."""
        ...


class Cycle:
    """A request, while it arrives and until it is answered."""

    __slots__ = (
        "_head",
        "_is_chunked",
        "_is_received",
        "_left",
        "_link",
        "_waiting",
        "body",
        "expects_continue",
        "is_answered",
        "is_begun",
        "is_gone",
        "is_whole",
        "keeps_alive",
        "scope",
        "task",
    )

    task: asyncio.Task[None]
    """What it runs in."""

    def __init__(self, scope: Message, link: Link, keeps_alive: bool, expects_continue: bool) -> None:
        self.scope, self._link = scope, link
        self.keeps_alive, self.expects_continue = keeps_alive, expects_continue
        self.body = b""
        """What has arrived of it, and was not received."""
        self.is_whole = self.is_gone = self.is_begun = self.is_answered = False
        self._is_received = self._is_chunked = False
        self._head = b""
        self._left: int | None = None
        """The bytes that the answer's body still has; None: its length is not known."""
        self._waiting: asyncio.Future[None] | None = None

    async def run(self, application: Application) -> None:
        """Let the application answer."""
        try:
            try:
                await application(self.scope, self.receive, self.send)
            except Exception:
                log.exception("a request was not answered")
            if not self.is_answered and not self.is_gone:
                await self._fail()
        finally:
            self._link.over(self.task)

    async def _fail(self) -> None:
        if self.is_begun:
            self.is_answered = True
            self._link.answered(self, is_last=True)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_FAILED))]
        self.keeps_alive = False
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": _FAILED})

    # the request

    def arrived(self, data: bytes) -> None:
        """A part of the body has arrived."""
        self.body += data
        if self._waiting is not None:
            self.wake()

    def ends(self) -> None:
        """The whole request has arrived."""
        self.is_whole = True
        if self._waiting is not None:
            self.wake()

    def leaves(self) -> None:
        """The client has gone."""
        self.is_gone = True
        self.wake()

    def wake(self) -> None:
        """Let the application receive what there is."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def receive(self) -> Message:
        """The next part of the body; after the last one, that the client has gone."""
        if self.expects_continue and not self.is_gone:
            self.expects_continue = False
            self._link.write(_CONTINUE)
        while not (self.is_gone or self.is_answered or (not self._is_received and (self.body or self.is_whole))):
            self._link.read_on()
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self.is_gone or self.is_answered:
            return _GONE
        body, self.body = self.body, b""
        self._is_received = self.is_whole
        return {"type": "http.request", "body": body, "more_body": not self.is_whole}

    def whole_body(self) -> bytes | None:
        """The body, received, if all of it has arrived by now; None: ``receive`` brings it."""
        if not self.is_whole or self._is_received or self.is_gone or self.is_answered or self.expects_continue:
            return None
        body, self.body = self.body, b""
        self._is_received = True
        return body

    # the answer

    async def drained(self) -> None:
        """Return when it may be answered."""
        self.is_begun = True
        await self._link.drained()

    def answer(self, status: int, head: bytes, body: bytes) -> bool:
        """Send a whole answer: ``head`` has its headers as lines, each with its end, also the body's length.

        False: the client has to read before.
        """
        if self.is_gone or self.is_answered:
            return True
        if self._link.is_full:
            return False
        self.is_begun = self.is_answered = True
        end = b"\r\n" if self.keeps_alive else b"connection: close\r\n\r\n"
        self._link.write(b"".join((STATUS_LINES[status], head, end, body)))
        self._link.answered(self, is_last=not self.keeps_alive)
        return True

    async def send(self, message: Message) -> None:
        """Send the head of the answer, then its body, in one part or several. The head goes with the first part."""
        if not self.is_begun:
            self._begin(message["status"], message.get("headers", ()))
            return
        await self._link.drained()
        if self.is_gone or self.is_answered:
            return
        body: bytes = message.get("body", b"")
        has_more: bool = message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            data = b""
        elif self._left is None:
            data = _chunk(body, has_more) if self._is_chunked else body
        else:
            self._left -= len(body)
            if self._left < 0 or (self._left and not has_more):
                raise RuntimeError("an answer's body is not as long as its head says")
            data = body
        if self._head or data:
            self._link.write(self._head + data)
            self._head = b""
        if not has_more:
            self.is_answered = True
            self._link.answered(self, is_last=not self.keeps_alive)

    def _begin(self, status: int, headers: Any) -> None:
        self.is_begun, self.expects_continue = True, False
        lines = [STATUS_LINES[status]]
        has_body = self.scope["method"] != "HEAD" and status not in (204, 304)
        for name, value in headers:
            if name == b"content-length":
                if not has_body and status != 304 and self.scope["method"] != "HEAD":
                    continue  # 204 has none (RFC 9110 §8.6)
                self._left = int(value)
            lines.append(b"%b: %b\r\n" % (name, value))
        if not self.keeps_alive:
            lines.append(b"connection: close\r\n")
        if self._left is None:
            self._is_chunked = has_body and self.scope["http_version"] != "1.0"  # else the connection's end ends it
            if self._is_chunked:
                lines.append(b"transfer-encoding: chunked\r\n")
            elif not has_body:
                self._left = 0
        head = b"".join(lines)
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
            raise RuntimeError("a header of an answer has a line break")
        self._head = head + b"\r\n"


def _chunk(body: bytes, has_more: bool) -> bytes:
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return chunk if has_more else chunk + b"0\r\n\r\n"
