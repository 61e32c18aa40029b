"""The control socket's messages over HTTP (``X-Amz-Target: Stepwell.Get``): what ``RemoteExecutor`` and workers ask.

Each request is carried out by the same table as the socket's, in a thread: it may read, or wait for a partition.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from stepwell.engine.control import messages as m
from stepwell.engine.control.operations import Operations
from stepwell.engine.control.serving import target_of
from stepwell.step_functions.errors import Fault, unknown_operation
from stepwell.step_functions.service import Service
from stepwell.version import VERSION

PREFIX = "Stepwell."
"""Before the name of a request, in ``X-Amz-Target``; its names here have it."""
WATCH_SECONDS = 20.0
"""How long a request waits for something to happen; then its client asks again."""
THREADS = 16
_HELLO, _DESCRIBE = PREFIX + "Hello", PREFIX + "Describe"
REQUESTS = {
    PREFIX + kind.__name__: kind for kind in m.REQUESTS if kind is not m.Unwatch
}  # whoever goes away has said it
"""The requests by their names."""
READ_ONLY = frozenset({_HELLO, *(PREFIX + kind.__name__ for kind in m.READS)})
"""The requests that change nothing."""
WAITING = frozenset({PREFIX + "Watch", PREFIX + "Poll"})
"""Requests that are given up when their client goes away."""


class Control:
    """Answers the requests of remote executors."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._target = target_of(service.client)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stepwell-control")

    async def answer(self, name: str, body: bytes) -> bytes | None:
        """The reply to a request; None: nothing has happened yet. Raises ``Fault`` for what is no request."""
        problem = self._service.problem()
        if problem is not None and name != _DESCRIBE:
            raise problem
        if name == _HELLO:
            return self._greeting(body)
        kind = REQUESTS.get(name)
        if kind is None:
            raise unknown_operation()
        request = _decoded(body, kind)
        future, deliver = self._service.executor.bridge.expect()
        operations = Operations(self._target, lambda number, result, error: deliver(result, error))
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, operations.begin, request)
            if name not in WAITING:  # a command that was begun has no other answer than its own
                await asyncio.wait((future,))
            elif not future.done():
                await self._service.while_wanted(_waited_for(future))
            if not future.done():
                return None
        finally:
            operations.close()
            future.cancel()
        error = future.exception()
        return m.body_of(m.Reply(request.number, None if error else future.result(), error and m.failure_of(error)))

    def _greeting(self, body: bytes) -> bytes:
        hello = _decoded(body, m.Hello)
        if hello.magic != m.MAGIC:
            raise _no_request("the greeting is of something else")
        return m.body_of(Operations(self._target, _no_answer).welcome())


async def _waited_for(future: asyncio.Future[Any]) -> None:
    """Wait for a reply, until it has taken long enough."""
    await asyncio.wait((future,), timeout=WATCH_SECONDS)


def _decoded(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _no_request(str(error)) from error


def _no_request(reason: str) -> Fault:
    return Fault(
        "SerializationException",
        f"process {os.getpid()} (Stepwell {VERSION}, protocol {m.PROTOCOL}) cannot read the request: {reason}",
        namespace="",
    )


def _no_answer(number: int, result: Any, error: BaseException | None) -> None:
    raise AssertionError("a greeting is answered at once")
