"""The ASGI application: AWS JSON 1.0 on ``POST /``, and whether the server lives and is ready."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from email.utils import formatdate
from functools import partial
from typing import NamedTuple

import msgspec

from stepwell.logs import logger
from stepwell.step_functions.api import Api
from stepwell.step_functions.errors import Fault, unavailable, unknown_operation
from stepwell.step_functions.service import Service, client_leaves

from . import control
from .bodies import Bodies, Gone, Message, Receive, until_gone
from .control import Control
from .gate import Gate, check_allowed
from .limits import BODY_BYTES, Limits
from .signatures import Request

log = logger("stepwell.server")

Send = Callable[[Message], Awaitable[None]]

_JSON_1_0 = b"application/x-amz-json-1.0"
_MSGPACK = b"application/x-msgpack"
TARGET_PREFIX = "AWSStepFunctions."
WAITING = frozenset({"GetActivityTask"})
"""Operations that may wait for long, and are given up when their client goes away."""
_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """An answer, with the headers that not all have."""

    status: int
    body: bytes
    content_type: bytes = _JSON_1_0
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Application:
    """Serves one service to whom the gate admits."""

    def __init__(self, service: Service, gate: Gate, limits: Limits) -> None:
        self._service, self._gate, self._limits = service, gate, limits
        self._api, self._control = Api(service), Control(service)
        self._bodies = Bodies(limits.bodies_bytes)
        self._request_ids = request_ids()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Fault as fault:
            answer = answer_of(fault)
        except Gone:
            return
        await self._send(send, answer)

    async def _answer(self, scope: Message, receive: Receive) -> Answer:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self._gate.check_host(headers)
        if scope["method"] == "POST" and scope["path"] == "/":
            return await self._operation(scope, headers, receive)
        return self._health(scope["method"], scope["path"])

    async def _operation(self, scope: Message, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        claim = self._gate.claim(headers, scope["headers"])
        name = target_of(headers)
        body = await self._bodies.receive(headers, receive, self._largest_body(name))
        identity = claim.verify(request_of(scope, body))
        if name is None:
            raise unknown_operation()
        check_allowed(identity, name)
        if name in WAITING or name in control.WAITING:
            client_leaves.set(partial(until_gone, receive))
        trace = headers.get(b"x-amzn-trace-id")
        return await self._call(name, body, None if trace is None else trace.decode("latin-1"))

    def _largest_body(self, name: str | None) -> int:
        """A program that uses the engine from elsewhere may send what one beside it may."""
        if name is None or not name.startswith(control.PREFIX):
            return BODY_BYTES
        return max(BODY_BYTES, self._service.client.limits.document_bytes + BODY_BYTES)

    async def _call(self, name: str, body: bytes, trace: str | None) -> Answer:
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                if name.startswith(control.PREFIX):
                    reply = await self._control.answer(name, body)
                    return Answer(204, b"") if reply is None else Answer(200, reply, _MSGPACK)
                return Answer(200, _encode(await self._api.answer(name, body, trace)))
        except TimeoutError:
            log.error("%s is given up: it was not answered in %d seconds", name, self._limits.request_seconds)
            return answer_of(unavailable("the request was not answered in time"))

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
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def answer_of(fault: Fault) -> Answer:
    """The answer that tells an error. One about a signature tells the server's time: SDKs set their clocks by it."""
    headers = ((b"date", formatdate(usegmt=True).encode()),) if fault.status == 403 else ()
    return Answer(fault.status, _encode(fault.body()), headers=headers)


def target_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The operation that a request's headers name, if they name one.

    Operations of AWS have no dot in their names, those of remote executors keep their prefix.
    """
    target = headers.get(b"x-amz-target", b"").decode("latin-1")
    if target.startswith(TARGET_PREFIX):
        return target.removeprefix(TARGET_PREFIX)
    return target if target.startswith(control.PREFIX) else None


def request_of(scope: Message, body: bytes) -> Request:
    """A request, as it is signed."""
    return Request(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body)


def request_ids() -> Iterator[bytes]:
    """UUIDs, unique by a random beginning and a count: a random one for each request costs a call of the system."""
    begin = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4{secrets.token_hex(2)[1:]}-8{secrets.token_hex(2)[1:]}-"
    return map((begin.encode() + b"%012x").__mod__, itertools.count(1))
