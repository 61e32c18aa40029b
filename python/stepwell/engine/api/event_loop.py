"""From the engine's thread to an event loop: answers, and signals that an execution has gone on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol

from stepwell.engine.client.commands import ClientCommand
from stepwell.engine.client.live import look_times
from stepwell.engine.host.host import Host
from stepwell.engine.host.promises import Callback
from stepwell.engine.partition.inbox import NameTaken, Rejected


class Receiver(Protocol):
    """Gets a reply on the loop, as a future does."""

    def done(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: BaseException, /) -> None: ...


class EventLoopBridge:
    """Brings replies from the engine's thread to the event loop. One wake-up delivers all that have arrived."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[Receiver, Any, BaseException | None]] = deque()
        self._is_called = False

    def expect(self) -> tuple[asyncio.Future[Any], Callback]:
        """A future, and the callback that resolves it from any thread."""
        future: asyncio.Future[Any] = self._loop.create_future()
        return future, partial(self._deliver, future)

    def deliver_to(self, receiver: Receiver) -> Callback:
        """The callback that gives a reply to a receiver, on the loop."""
        return partial(self._deliver, receiver)

    async def ask(self, host: Host, request: ClientCommand) -> str:
        """Send a command to a host's inbox and wait; returns the id of the execution that it was processed in."""
        future, deliver = self.expect()
        host.submit(request.command, request.document, deliver)
        try:
            found = await future
        except (Rejected, NameTaken) as refusal:
            return request.settled(None, refusal)
        return found if request.if_exists is None else request.settled(found)

    def _deliver(self, future: Receiver, result: Any, error: BaseException | None) -> None:
        self._arrived.append((future, result, error))
        if not self._is_called:
            self._is_called = True
            try:
                self._loop.call_soon_threadsafe(self._hand_out)
            except RuntimeError:  # the loop is closed: nobody waits any more
                self._arrived.clear()

    def _hand_out(self) -> None:
        self._is_called = False  # before the queue is read: a reply that arrives later schedules another call
        while self._arrived:
            future, result, error = self._arrived.popleft()
            if future.done():  # the wait was canceled
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)


@contextmanager
def following_on_loop(host: Host, id: str) -> Generator[Callable[[float], Awaitable[None]]]:
    """While an execution is followed: what waits until it may have gone on, so many seconds at most."""
    signal, pauses, loop = asyncio.Event(), look_times(host.look_seconds), asyncio.get_running_loop()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(signal.set)

    async def wait(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(signal.wait(), min(seconds, next(pauses)))
        signal.clear()

    host.progress.add(id, tell)
    try:
        yield wait
    finally:
        host.progress.remove(id, tell)
