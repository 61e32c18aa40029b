"""The executor of a test with an event loop: the engine on a virtual clock."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, cast

from stepwell.engine.api.async_execution import AsyncExecution
from stepwell.engine.api.async_executor import AsyncExecutor
from stepwell.engine.api.event_loop import EventLoopBridge
from stepwell.engine.client.client import Client
from stepwell.engine.client.commands import IfExists
from stepwell.engine.client.live import StateLook
from stepwell.engine.status import OVER
from stepwell.errors import StepwellError, WaitTimeout
from stepwell.testing.assertions import Assertions
from stepwell.testing.coverage import collect_closing

from .base import VirtualExecutor
from .control import AsyncControl, advance_by, target_of
from .durations import Duration, Time
from .executions import duration, standing
from .pool import DrivenPool


class AsyncTestExecution(Assertions, AsyncExecution):
    """One execution of an ``AsyncTestExecutor``: what it does is ``AsyncExecution``'s, but it waits in virtual time."""

    __slots__ = ("__weakref__", "_control")
    __test__ = False

    def __init__(self, client: Client, bridge: EventLoopBridge, id: str, control: AsyncControl) -> None:
        super().__init__(client, bridge, id)
        self._control = control

    def rebind(self, client: Client) -> None:
        """Use the engine that was opened again after a crash."""
        self._client, self._queries = client, client.queries

    async def wait(self, timeout: float | None = None) -> AsyncTestExecution:
        """Run it to its end, as ``TestExecution.wait`` does."""
        if not await self._control.drive_until(lambda: self.context().status in OVER, duration(timeout)):
            raise WaitTimeout(standing(self._client, self.id, "has not ended", timeout))
        return self

    async def wait_for(self, state: str, timeout: float | None = None) -> AsyncTestExecution:
        """Run it until it is in a state, as ``TestExecution.wait_for`` does."""
        StateLook(self._queries, self.id, state)  # there is such a state

        def is_there() -> bool:  # after a crash it is asked elsewhere
            return StateLook(self._queries, self.id, state).is_there()

        if not await self._control.drive_until(is_there, duration(timeout)):
            raise WaitTimeout(standing(self._client, self.id, f"is not in state {state!r}", timeout))
        return self


class AsyncTestExecutor(VirtualExecutor, AsyncExecutor):
    """``TestExecutor`` for asyncio: an ``AsyncExecutor`` on a virtual clock, with the arguments of ``TestExecutor``.

    It is open when it is made, and belongs to the event loop that uses it first. Async handlers run on that loop, plain
    functions in a thread, one at a time.
    """

    __test__ = False

    def _begin(self) -> None:
        super()._begin()
        self._control = AsyncControl(self._driver, self._coroutines)
        self._use(self._open_host(self._options))

    @property
    def bridge(self) -> EventLoopBridge:
        """Brings replies to the event loop that runs."""
        if self._bridge is None:
            self._bridge = EventLoopBridge(asyncio.get_running_loop())
        return self._bridge

    def drive_always(self) -> asyncio.Task[None]:
        """Call handlers as soon as there are any, on the running loop, until the task that is returned is canceled.

        The clock moves only when it is advanced. What is wrong with the test is raised where it drives the engine.
        """
        loop, has_jobs = asyncio.get_running_loop(), asyncio.Event()
        pool = cast(DrivenPool, self.client.host.pool)
        pool.queue.added = lambda: loop.call_soon_threadsafe(has_jobs.set)
        has_jobs.set()

        async def drive() -> None:
            while True:
                await has_jobs.wait()
                has_jobs.clear()
                try:
                    await self.run_until_idle()
                except StepwellError as error:
                    self._driver.fail(error)
                    await asyncio.sleep(0)

        return loop.create_task(drive())

    async def close(self) -> None:
        """Close it. Raises what is wrong with the test and was not raised before."""
        self.close_now()

    def close_now(self) -> None:
        """Close it, without an event loop: what ends a fixture."""
        collect_closing(self)
        self.client.host.close()
        self._driver.check()

    # time

    async def run_until_idle(self) -> None:
        """Call handlers until none is left to call and nothing is due now, as ``TestExecutor.run_until_idle`` does."""
        await self._control.run(self._driver.settle())

    async def advance(
        self,
        duration: Duration | None = None,
        *,
        seconds: float | None = None,
        minutes: float | None = None,
        hours: float | None = None,
        days: float | None = None,
    ) -> None:
        """Move the clock on, as ``TestExecutor.advance`` does."""
        parts = {"seconds": seconds, "minutes": minutes, "hours": hours, "days": days}
        await self._control.run(self._driver.advance_to(advance_by(self._driver, duration, parts)))

    async def advance_to(self, time: Time) -> None:
        """Move the clock to a time, as ``TestExecutor.advance_to`` does."""
        await self._control.run(self._driver.advance_to(target_of(self._driver, time)))

    # executions

    async def start(
        self,
        workflow: str,
        input: Any = None,
        execution_name: str | None = None,
        *,
        delay: float | None = None,
        at: float | datetime | None = None,
        timeout: float = 0.0,
        if_exists: IfExists | None = None,
    ) -> AsyncTestExecution:
        """Start an execution; ``delay`` and ``at`` are in virtual time."""
        started = await super().start(
            workflow, input, execution_name, delay=delay, at=at, timeout=timeout, if_exists=if_exists
        )
        return cast(AsyncTestExecution, started)

    async def get(
        self, id: str | None = None, *, workflow: str | None = None, name: str | None = None
    ) -> AsyncTestExecution:
        """An execution by its id, short id or ARN, or by its workflow and its name."""
        return cast(AsyncTestExecution, await super().get(id, workflow=workflow, name=name))

    def handle(self, id: str) -> AsyncTestExecution:
        execution = AsyncTestExecution(self.client, self.bridge, id, self._control)
        self._handles.add(execution)
        return execution
