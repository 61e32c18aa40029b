"""A program's handle on one execution, for asyncio."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from stepwell.engine.client.arguments import optional_wait_seconds
from stepwell.engine.client.commands import stop
from stepwell.engine.client.live import HistoryLook, StateLook
from stepwell.engine.status import OVER, SUCCEEDED
from stepwell.errors import Closed, ExecutionNotFound, WaitTimeout

from .event_loop import EventLoopBridge, following_on_loop
from .execution_view import ExecutionView

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client

Found = TypeVar("Found")


class AsyncExecution(ExecutionView):
    """One execution of an ``AsyncExecutor``. Its fields are read from storage at once, without waiting."""

    __slots__ = ("_bridge", "_client")

    def __init__(self, client: Client, bridge: EventLoopBridge, id: str) -> None:
        super().__init__(client.queries, id)
        self._client, self._bridge = client, bridge

    async def wait(self, timeout: float | None = None) -> AsyncExecution:
        """Wait until it has ended, however it ends; return itself.

        Raises ``WaitTimeout`` if that takes longer than ``timeout`` seconds; the execution goes on.
        """
        seconds = optional_wait_seconds("timeout", timeout)
        if self._ended is not None and self._ended.status == SUCCEEDED:
            return self
        future, deliver = self._bridge.expect()
        host = self._client.host
        try:
            answer = host.watch(self.id, deliver)
        except (ExecutionNotFound, Closed):
            if self._ended is None:
                raise
            return self
        try:
            async with asyncio.timeout(seconds):
                self._end_as(await future)
        except ExecutionNotFound:
            if self._ended is None:
                raise
        except TimeoutError:
            if self._context().status not in OVER:
                raise WaitTimeout(f"execution {self.id} has not ended within {timeout} s") from None
        finally:
            host.unwatch(self.id, answer)
        return self

    async def wait_for(self, state: str, timeout: float | None = None) -> AsyncExecution:
        """Wait until it is in the state of this name, as ``Execution.wait_for`` does."""
        seconds = optional_wait_seconds("timeout", timeout)
        look = await self._read(partial(StateLook, self._queries, self.id, state))
        loop = asyncio.get_running_loop()
        deadline = math.inf if seconds is None else loop.time() + seconds
        with following_on_loop(self._client.host, self.id) as wait:
            while not await self._read(look.is_there):
                left = deadline - loop.time()
                if left <= 0:
                    raise WaitTimeout(f"execution {self.id} is not in state {state!r} within {timeout} s")
                await wait(left)
        return self

    async def complete(self, state: str, output: Any) -> None:
        """Answer the open task of a state with its result, as ``Execution.complete`` does."""
        request = await self._read(partial(self._client.complete_request, self.id, state, output))
        await self._bridge.ask(self._client.host, request)

    async def fail(self, state: str, error: str | None = None, cause: str | None = None) -> None:
        """Answer the open task of a state with an error, as ``Execution.fail`` does."""
        request = await self._read(partial(self._client.fail_request, self.id, state, error, cause))
        await self._bridge.ask(self._client.host, request)

    async def events(self, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Its events, those that are there and those that come, as ``Execution.events`` gives them."""
        look = HistoryLook(self._queries, self.id, after)
        with following_on_loop(self._client.host, self.id) as wait:
            while not look.is_over:
                events = await asyncio.to_thread(look.next_events)
                for event in events:
                    yield event
                if not events and not look.is_over:
                    await wait(math.inf)

    async def history(
        self, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> list[dict[str, Any]]:
        """Its events in AWS's shape, as ``Executor.history`` gives them."""
        read = partial(self._queries.history, reverse=reverse, after=after, include_data=include_data)
        with self._queries.shown():
            return await asyncio.to_thread(read, self.id, limit)

    async def stop(self, error: str | None = None, cause: str | None = None) -> AsyncExecution:
        """Cancel it; if it has ended, it stays as it is."""
        if (await self._read(self._context)).status not in OVER:
            await self._bridge.ask(self._client.host, stop(self.id, error, cause))
        return self

    async def _read(self, read: Callable[[], Found]) -> Found:
        """What storage says, without keeping the loop where that takes a while."""
        return await asyncio.to_thread(read) if self._client.host.reads_wait else read()
