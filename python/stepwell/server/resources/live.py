"""Server-sent events: that something has changed, so that a page need not ask again and again.

They say what to look at, and never what it is: the page reads that. So a burst of changes is one message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack
from typing import Literal

from stepwell.engine.api.event_loop import following_on_loop
from stepwell.engine.partition.events import Event
from stepwell.errors import ExecutionNotFound, StepwellError
from stepwell.step_functions.service import Service

CONTENT_TYPE = b"text/event-stream"
PAUSE_SECONDS = 0.25
"""The shortest time between two messages."""
SILENCE_SECONDS = 15.0
"""After so long a comment is sent, which shows both sides that the other one is there."""
LIFE_SECONDS = 300.0
"""Then the stream ends, and the page opens another: what it may see is checked again."""
_POLL_SECONDS = 2.0
_EVENTS: tuple[Literal["execution_started", "execution_ended", "execution_redriven"], ...] = (
    "execution_started",
    "execution_ended",
    "execution_redriven",
)
Wait = Callable[[float], Awaitable[bool]]
"""Waits, so many seconds at most; returns whether something has changed."""


async def changes(service: Service, execution: str | None) -> AsyncGenerator[bytes]:
    """Messages for the life of a stream: of one execution, or of the lists of all."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LIFE_SECONDS
    yield b"retry: 1000\n\n"
    with ExitStack() as stack:
        wait = _of_lists(service, stack) if execution is None else _of_execution(service, stack, execution)
        while loop.time() < end and not service.stopping.is_set():
            changed = await service.while_wanted(_waited(wait))
            if changed is None:  # the client has gone, or the server stops
                return
            yield _message(execution) if changed else b": \n\n"
            if changed:
                await asyncio.sleep(PAUSE_SECONDS)


async def _waited(wait: Wait) -> bool:
    return await wait(SILENCE_SECONDS)


def _message(execution: str | None) -> bytes:
    about = {"changed": "executions"} if execution is None else {"changed": "execution"}
    return f"event: change\ndata: {json.dumps(about)}\n\n".encode()


def _of_execution(service: Service, stack: ExitStack, id: str) -> Wait:
    """Signals that an execution has gone on; every few seconds where the host gives none, as the host looks too."""
    host = service.client.host
    look = stack.enter_context(following_on_loop(host, id))
    seen = [_position(service, id)]

    async def wait(seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (left := deadline - loop.time()) > 0:
            await look(left)
            now = await asyncio.to_thread(_position, service, id)
            if now != seen[0]:
                seen[0] = now
                return True
        return False

    return wait


def _position(service: Service, id: str) -> tuple[int, int, str]:
    """How far an execution has come."""
    try:
        context = service.client.queries.context(id)
    except ExecutionNotFound:
        return 0, 0, "deleted"
    return context.last_event, context.redrive_count, context.status


def _of_lists(service: Service, stack: ExitStack) -> Wait:
    """Signals that executions began, ended or were redriven; where the engine is elsewhere, that time goes by."""
    signal = asyncio.Event()

    def tell(event: Event) -> None:
        signal.set()

    try:
        for name in _EVENTS:
            stack.callback(service.executor.on(name, tell))
    except StepwellError:  # events are told in the process that has the folder open
        return _every_few_seconds

    async def wait(seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await signal.wait()
        except TimeoutError:
            return False
        signal.clear()
        return True

    return wait


async def _every_few_seconds(seconds: float) -> bool:
    await asyncio.sleep(min(seconds, _POLL_SECONDS))
    return True
