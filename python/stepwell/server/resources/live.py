"""Server-sent events: that something has changed, so that a page need not ask again and again.

They say what to look at, and never what it is: the page reads that. So a burst of changes is one message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import Literal, NamedTuple

from stepwell.engine.api.event_loop import following_on_loop
from stepwell.engine.partition.events import Event
from stepwell.engine.storage.contexts import MapRunContext
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
_MAP_RUN_SECONDS = 0.5
"""How often the counts of a map run are looked at: no event tells of them."""
Wait = Callable[[float], Awaitable[bool]]
"""Waits, so many seconds at most; returns whether something has changed."""


class Watch(NamedTuple):
    """What a stream tells of, and what begins to wait for its changes, until the stack is left."""

    subject: str
    begin: Callable[[ExitStack], Wait]


async def changes(service: Service, watch: Watch) -> AsyncGenerator[bytes]:
    """Messages for the life of a stream: what changes after its first bytes is told."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LIFE_SECONDS
    message = f"event: change\ndata: {json.dumps({'changed': watch.subject})}\n\n".encode()
    with ExitStack() as stack:
        wait = watch.begin(stack)
        yield b"retry: 1000\n\n"
        while loop.time() < end and not service.stopping.is_set():
            changed = await service.while_wanted(_waited(wait))
            if changed is None:  # the client has gone, or the server stops
                return
            yield message if changed else b": \n\n"
            if changed:
                await asyncio.sleep(PAUSE_SECONDS)


async def _waited(wait: Wait) -> bool:
    return await wait(SILENCE_SECONDS)


def of_execution(service: Service, id: str) -> Watch:
    """Signals that an execution has gone on; every few seconds where the host gives none, as the host looks too."""

    def begin(stack: ExitStack) -> Wait:
        look = stack.enter_context(following_on_loop(service.client.host, id))
        return _looking(look, _shown(service, partial(_position, service, id)))

    return Watch("execution", begin)


def of_map_run(service: Service, id: str) -> Watch:
    """The row of a map run, looked at again and again."""

    async def look(seconds: float) -> None:
        await asyncio.sleep(min(seconds, _MAP_RUN_SECONDS))

    def begin(stack: ExitStack) -> Wait:
        return _looking(look, _shown(service, partial(service.client.host.storage.get, MapRunContext, id)))

    return Watch("mapRun", begin)


def _shown(service: Service, read: Callable[[], object]) -> Callable[[], object]:
    def shown() -> object:
        with service.client.host.shown():
            return read()

    return shown


def _looking(look: Callable[[float], Awaitable[None]], read: Callable[[], object]) -> Wait:
    """Waits until what is read is no longer the same: ``look`` waits until it may be."""
    seen = [read()]

    async def wait(seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (left := deadline - loop.time()) > 0:
            await look(left)
            now = await asyncio.to_thread(read)
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


def of_lists(service: Service) -> Watch:
    """Signals that executions began, ended or were redriven; where the engine is elsewhere, that time goes by."""

    def begin(stack: ExitStack) -> Wait:
        signal = asyncio.Event()

        def tell(event: Event) -> None:
            signal.set()

        try:
            for name in _EVENTS:
                stack.callback(service.executor.on(name, tell))
        except StepwellError:  # events are told in the process that has the folder open
            return _every_few_seconds
        return partial(_signaled, signal)

    return Watch("executions", begin)


async def _signaled(signal: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await signal.wait()
    except TimeoutError:
        return False
    signal.clear()
    return True


async def _every_few_seconds(seconds: float) -> bool:
    await asyncio.sleep(min(seconds, _POLL_SECONDS))
    return True
