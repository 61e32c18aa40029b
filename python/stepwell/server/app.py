"""The ASGI application: AWS JSON 1.0 on ``POST /``, and whether the server lives and is ready."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from urllib.parse import parse_qs

from stepwell.logs import logger
from stepwell.step_functions.api import Api
from stepwell.step_functions.callers import caller
from stepwell.step_functions.errors import Fault, unavailable, unknown_operation
from stepwell.step_functions.model import OPERATIONS
from stepwell.step_functions.service import Service

from . import console, control
from .answers import Answer, Stream, age_headers, answer_of, encode
from .bodies import Bodies, Gone, Message, Receive
from .connections import CALLER, LimitedProtocol
from .console import Console
from .control import Control
from .cycle import CYCLE, Cycle
from .exchange import Exchange, Observer
from .gate import Claim, Gate, check_allowed
from .keys import Identity
from .limits import BODY_BYTES, Limits
from .permissions import READING
from .protocol import HEADERS
from .resources import routes
from .resources.routes import Resources

log = logger("stepwell.server")

Send = Callable[[Message], Awaitable[None]]
Page = Callable[[str], tuple[str, bytes]]
"""Makes a page, in a form that is accepted: its content type and its bytes."""

_MSGPACK = b"application/x-msgpack"
_HEAD = b"content-type: %b\r\nx-amzn-requestid: %b\r\ncontent-length: %d\r\n"
"""The headers of most answers, with the length of the body. Neither value comes from a request."""
TARGET_PREFIX = "AWSStepFunctions."
_TARGETS = {f"{TARGET_PREFIX}{name}".encode(): name for name in OPERATIONS}
WAITING = frozenset({"GetActivityTask"})
"""Operations that may wait for long, and are given up when their client goes away."""


class Application:
    """Serves one service to whom the gate admits."""

    def __init__(
        self, service: Service, gate: Gate, limits: Limits, observers: Sequence[Observer] = (), page: Page | None = None
    ) -> None:
        """``page`` makes what ``GET /metrics`` answers."""
        self._service, self._gate, self._limits = service, gate, limits
        self._observers, self._page = observers, page
        self._api, self._control = Api(service), Control(service)
        self._console, self._resources = Console(), Resources(service)
        self._bodies = Bodies(limits.bodies_bytes)
        self._request_ids = request_ids()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, next(self._request_ids))
        try:
            answer = await self._answer(exchange, receive)
        except Fault as fault:
            answer = answer_of(fault)
        except Gone:
            return
        if isinstance(answer, Stream):
            status, body = 200, b""
            await _send_parts(send, answer, exchange.request_id)
        else:
            status, body = answer.status, answer.body
            cycle: Cycle | None = scope.get(CYCLE)
            if cycle is not None and status == 200 and not answer.headers and scope["method"] == "POST":  # most answers
                head = _HEAD % (answer.content_type, exchange.request_id.encode(), len(body))
                while not cycle.answer(200, head, body):
                    await cycle.drained()
            else:
                await _send(send, answer, exchange.request_id)
        if self._observers:
            exchange.ended(status, body)
            for observe in self._observers:
                observe(exchange)

    async def _answer(self, exchange: Exchange, receive: Receive) -> Answer | Stream:
        scope = exchange.scope
        headers: dict[bytes, bytes] | None = scope.get(HEADERS)
        if headers is None:
            headers = dict(scope["headers"])
        self._gate.check_host(headers)
        if scope["method"] == "POST" and scope["path"] == "/":
            return await self._operation(exchange, headers, receive)
        if scope["path"] == "/metrics" and self._page is not None and scope["method"] in ("GET", "HEAD"):
            return await self._metrics(self._page, exchange, headers, receive)
        if console.is_below(scope["path"]) and scope["method"] in ("GET", "HEAD"):
            return self._console.answer(scope["path"], headers)
        if scope["path"].startswith(routes.PATH):
            return await self._resource(exchange, headers, receive)
        return self._health(scope["method"], scope["path"])

    async def _operation(self, exchange: Exchange, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        scope = exchange.scope
        name = exchange.operation = target_of(headers)
        is_own = name is not None and name.startswith(control.PREFIX)
        max_bytes = self._largest_body() if is_own else BODY_BYTES
        claim = self._claim(exchange, headers)
        body = self._bodies.whole(headers, max_bytes, scope.get(CYCLE))
        if body is None:
            body = await self._bodies.receive(receive, max_bytes)
        _admit(exchange, claim, body)
        exchange.body = body
        if name is None:
            raise unknown_operation()
        connection: LimitedProtocol | None = scope.get(CALLER)
        if connection is not None:
            connection.answer_within(self._limits.request_seconds)
            if name in WAITING or name in control.WAITING:
                caller.set(connection)
        trace = headers.get(b"x-amzn-trace-id")
        try:
            if is_own:
                return await self._own(name, body)
            header = None if trace is None else trace.decode("latin-1")
            if name not in READING:
                return Answer(200, encode(await self._api.answer(name, body, header)))
            with self._service.client.host.shown() as reading:
                shown = await self._api.answer(name, body, header)
            return Answer(200, encode(shown), headers=age_headers(reading))
        except asyncio.CancelledError:
            answer = self._given_up(name, is_overdue=connection is not None and connection.is_overdue)
            if answer is None:
                raise
            return answer

    def _given_up(self, name: str, *, is_overdue: bool) -> Answer | None:
        """The answer to a request whose task was canceled; None: nobody waits for one."""
        task = asyncio.current_task()
        if task is None or not (is_overdue or self._service.stopping.is_set()):
            return None
        task.uncancel()
        if not is_overdue:
            return answer_of(unavailable("the server is stopping"))
        log.error("%s is given up: it was not answered in %d seconds", name, self._limits.request_seconds)
        return answer_of(unavailable("the request was not answered in time"))

    async def _admitted(
        self, exchange: Exchange, headers: Mapping[bytes, bytes], receive: Receive, max_bytes: int
    ) -> tuple[bytes, Identity]:
        """The body of a request whose sender may send it, and who that is. Raises ``Fault``."""
        claim = self._claim(exchange, headers)
        body = self._bodies.whole(headers, max_bytes, exchange.scope.get(CYCLE))
        if body is None:
            body = await self._bodies.receive(receive, max_bytes)
        return body, _admit(exchange, claim, body)

    def _claim(self, exchange: Exchange, headers: Mapping[bytes, bytes]) -> Claim:
        """What the headers say about the sender, before the body is read. Raises ``Fault``."""
        self._gate.check_site(headers)
        return self._gate.claim(headers, exchange.scope["headers"])

    async def _metrics(
        self, page: Page, exchange: Exchange, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Answer:
        await self._admitted(exchange, headers, receive, 0)
        content_type, text = await asyncio.to_thread(page, headers.get(b"accept", b"").decode("latin-1"))
        return Answer(200, text, content_type.encode())

    async def _resource(self, exchange: Exchange, headers: Mapping[bytes, bytes], receive: Receive) -> Answer | Stream:
        scope = exchange.scope
        if scope["path"] == routes.SESSION:
            self._gate.check_site(headers)
            return self._resources.session(self._gate, headers, scope["headers"])
        resource, ids = routes.found(scope["method"], scope["raw_path"].decode("latin-1"))
        exchange.operation = resource.operation
        _, identity = await self._admitted(exchange, headers, receive, 0)
        caller.set(scope.get(CALLER))
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return await self._resources.answer(resource, ids, query, identity)

    def _largest_body(self) -> int:
        """A program that uses the engine from elsewhere may send what one beside it may."""
        return max(BODY_BYTES, self._service.client.limits.document_bytes + BODY_BYTES)

    async def _own(self, name: str, body: bytes) -> Answer:
        """The answer to an operation that AWS does not have."""
        reply = await self._control.answer(name, body)
        return Answer(204, b"") if reply is None else Answer(200, reply, _MSGPACK)

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


def _admit(exchange: Exchange, claim: Claim, body: bytes) -> Identity:
    """Who has sent a request, and may do so. Raises ``Fault``."""
    identity = claim.verify(exchange.scope, body)
    exchange.key = identity.name
    if exchange.operation is not None:
        check_allowed(identity, exchange.operation)
    return identity


async def _send(send: Send, answer: Answer, request_id: str) -> None:
    body = answer.body
    headers = [*_head(answer, request_id), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_parts(send: Send, answer: Stream, request_id: str) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _head(answer, request_id)})
    async with aclosing(answer.parts) as parts:
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _head(answer: Answer | Stream, request_id: str) -> list[tuple[bytes, bytes]]:
    own = (b"content-type", answer.content_type), (b"x-amzn-requestid", request_id.encode())
    return [*own, *answer.headers]


def target_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The operation that a request's headers name, if they name one.

    Operations of AWS have no dot in their names, those of remote executors keep their prefix.
    """
    named = headers.get(b"x-amz-target", b"")
    known = _TARGETS.get(named)
    if known is not None:
        return known
    target = named.decode("latin-1")
    if target.startswith(TARGET_PREFIX):
        return target.removeprefix(TARGET_PREFIX)
    return target if target.startswith(control.PREFIX) else None


def request_ids() -> Iterator[str]:
    """UUIDs, unique by a random beginning and a count: a random one for each request costs a call of the system."""
    begin = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4{secrets.token_hex(2)[1:]}-8{secrets.token_hex(2)[1:]}-"
    return map((begin + "%012x").__mod__, itertools.count(1))
