"""A program's handle on one execution, for asyncio."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.engine.client.arguments import optional_wait_seconds
from stepwell.engine.client.commands import stop
from stepwell.engine.status import ENDED, OVER
from stepwell.errors import WaitTimeout

from .execution import ExecutionView

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client

    from .event_loop import EventLoopBridge


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
        if self._ended is None:
            future, deliver = self._bridge.expect()
            host = self._client.host
            answer = host.watch(self.id, deliver)
            try:
                async with asyncio.timeout(seconds):
                    self._end_as(await future)
            except TimeoutError:
                if self.context().status not in OVER:
                    raise WaitTimeout(f"execution {self.id} has not ended within {timeout} s") from None
            finally:
                host.unwatch(self.id, answer)
        return self

    async def history(
        self, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> list[dict[str, Any]]:
        """Its events in AWS's shape, as ``Executor.history`` gives them."""
        read = partial(self._queries.history, reverse=reverse, after=after, include_data=include_data)
        return await asyncio.to_thread(read, self.id, limit)

    async def stop(self, error: str | None = None, cause: str | None = None) -> AsyncExecution:
        """Cancel it; if it has ended, it stays as it is."""
        if self.status not in ENDED:
            await self._bridge.ask(self._client.host, stop(self.id, error, cause))
        return self
