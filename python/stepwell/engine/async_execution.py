"""A program's handle on one execution, awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from stepwell.errors import WaitTimeout

from .execution import ExecutionView
from .status import OVER

if TYPE_CHECKING:
    from .aio import AsyncExecutor


class AsyncExecution(ExecutionView):
    """One execution of an ``AsyncExecutor``. Its fields are read from storage at once, without waiting."""

    __slots__ = ("_executor",)

    def __init__(self, executor: AsyncExecutor, id: str) -> None:
        super().__init__(executor.engine.reads, id)
        self._executor = executor

    async def wait(self, timeout: float | None = None) -> AsyncExecution:
        """Wait until it has ended, however it ends; return itself.

        Raises ``WaitTimeout`` if that takes longer than ``timeout`` seconds; the execution goes on.
        """
        if self._ended is None:
            future, deliver = self._executor.door.expect()
            host = self._executor.engine.host
            answer = host.watch(self.id, deliver)
            try:
                async with asyncio.timeout(timeout):
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
        history = self._executor.history
        return await history(self.id, limit, reverse=reverse, after=after, include_data=include_data)

    async def stop(self, error: str | None = None, cause: str | None = None) -> AsyncExecution:
        """Cancel it; if it has ended, it stays as it is."""
        return await self._executor.stop(self.id, error, cause)
