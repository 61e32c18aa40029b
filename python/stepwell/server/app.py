"""The ASGI application: AWS JSON 1.0 on ``POST /``, and whether the server lives and is ready."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from stepwell.step_functions.api import Api
from stepwell.step_functions.errors import Fault, unknown_operation
from stepwell.step_functions.service import Service, client_leaves

from . import control
from .control import Control

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_BYTES = 8 << 20
"""The largest body: that of a definition of 1 MiB whose characters are escaped in JSON."""
_JSON_1_0 = b"application/x-amz-json-1.0"
_MSGPACK = b"application/x-msgpack"

TARGET_PREFIX = "AWSStepFunctions."
WAITING = frozenset({"GetActivityTask"})
"""Operations that may wait for long, and are given up when their client goes away."""
_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """An answer without its headers."""

    status: int
    body: bytes
    content_type: bytes = _JSON_1_0


class Gone(Exception):
    """The client has closed its connection."""


class Application:
    """Serves one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._api, self._control = Api(service), Control(service)
        self._request_ids = request_ids()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "POST" and scope["path"] == "/":
            answer = await self._call(scope["headers"], receive)
        else:
            answer = self._health(scope["method"], scope["path"])
        if answer is not None:
            await self._send(send, answer)

    async def _call(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> Answer | None:
        name, trace = operation_of(headers)
        try:
            body = await read_body(receive, self._largest_body(name))
            if name is None:
                raise unknown_operation()
        except Gone:
            return None
        except Fault as fault:
            return answer_of(fault)
        if name in WAITING or name in control.WAITING:
            client_leaves.set(partial(until_gone, receive))
        return await self._answer(name, body, trace)

    def _largest_body(self, name: str | None) -> int:
        """A program that uses the engine from elsewhere may send what one beside it may."""
        if name is None or not name.startswith(control.PREFIX):
            return BODY_BYTES
        return max(BODY_BYTES, self._service.client.limits.document_bytes + BODY_BYTES)

    async def _answer(self, name: str, body: bytes, trace: str | None) -> Answer:
        try:
            if name.startswith(control.PREFIX):
                reply = await self._control.answer(name, body)
                return Answer(204, b"") if reply is None else Answer(200, reply, _MSGPACK)
            return Answer(200, _encode(await self._api.answer(name, body, trace)))
        except Fault as fault:
            return answer_of(fault)

    def _health(self, method: str, path: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return Answer(405, b'{"message":"The API is served on POST /."}')
        if path == "/health/live":
            return Answer(200, b'{"status":"live"}')
        if path == "/health/ready":
            problem = self._service.problem()
            if problem is None:
                return Answer(200, b'{"status":"ready"}')
            return answer_of(problem)
        return Answer(404, b'{"message":"There is nothing here: the API is served on POST /."}')

    async def _send(self, send: Send, answer: Answer) -> None:
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-amzn-requestid", next(self._request_ids)),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def answer_of(fault: Fault) -> Answer:
    """The answer that tells an error."""
    return Answer(fault.status, _encode(fault.body()))


def operation_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str | None]:
    """The operation that a request's headers name, and the trace that they give.

    Operations of AWS have no dot in their names, those of remote executors keep their prefix.
    """
    name = trace = None
    for header, value in headers:
        if header == b"x-amz-target":
            target = value.decode("latin-1")
            if target.startswith(control.PREFIX):
                name = target
            else:
                name = target.removeprefix(TARGET_PREFIX) if target.startswith(TARGET_PREFIX) else None
        elif header == b"x-amzn-trace-id":
            trace = value.decode("latin-1")
    return name, trace


async def read_body(receive: Receive, most: int = BODY_BYTES) -> bytes:
    """The body of a request. Raises ``Fault`` for one that is too large, ``Gone`` for one that is cut short."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) <= most:
            return body
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise Fault("RequestEntityTooLarge", f"A body has {most} bytes at most.", status=413, namespace="")
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


async def until_gone(receive: Receive) -> None:
    """Return when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def request_ids() -> Iterator[bytes]:
    """UUIDs, unique by a random beginning and a count: a random one for each request costs a call of the system."""
    begin = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4{secrets.token_hex(2)[1:]}-8{secrets.token_hex(2)[1:]}-"
    return map((begin.encode() + b"%012x").__mod__, itertools.count(1))
