"""The Executor for asyncio: the same engine, used from the program's own event loop."""

from __future__ import annotations

import asyncio
import builtins
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from stepwell.engine.client import commands, express
from stepwell.engine.client.arguments import Definition, wait_seconds
from stepwell.engine.client.client import RETRY_SECONDS
from stepwell.engine.client.commands import ClientCommand, IfExists
from stepwell.engine.client.execution_lists import PAGE
from stepwell.engine.client.statuses import Statuses
from stepwell.engine.host.host import CLOSING_SECONDS
from stepwell.engine.host.stats import Stats
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext, VisibilityContext
from stepwell.errors import Busy, Closed, ExecutionNotFound, WaitTimeout

from .async_execution import AsyncExecution
from .async_polls import AsyncPoll
from .base_executor import BaseExecutor
from .event_loop import EventLoopBridge

Found = TypeVar("Found")
_FIRST = 32
"""The rows of the first page: whoever wants a few need not wait for many."""


class AsyncExecutor(BaseExecutor):
    """A durable engine over a folder, or in memory (``data=None``), for programs that run an event loop.

    Async handlers run on the loop that opened it, sync ones in up to ``max_workers`` threads. It starts no loop, and
    may only be used on the loop that opened it. Arguments and errors are those of ``Executor``; what ``Executor``
    raises when it is created is raised here by ``open``.

    >>> async def main():
    ...     async with AsyncExecutor("orders.stepwell") as ex:
    ...         await ex.deploy("order", "order.asl.json")
    ...         execution = await ex.start("order", {"id": 7})
    ...         await execution.wait()
    """

    _calls_on_loop = True

    def _begin(self) -> None:
        self._bridge: EventLoopBridge | None = None

    # opening and closing

    async def open(self) -> AsyncExecutor:
        """Open the folder; ``async with`` does it."""
        if self._client is None:
            loop = asyncio.get_running_loop()
            options = self._options._replace(loop=loop)
            opening = loop.run_in_executor(None, self._open_host, options)
            try:
                host = await asyncio.shield(opening)
            except asyncio.CancelledError:
                await asyncio.to_thread((await opening).close)
                raise
            self._bridge = EventLoopBridge(loop)
            self._use(host)
        return self

    async def __aenter__(self) -> AsyncExecutor:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait for running handlers (10 seconds at most), put everything on disk and close the folder."""
        if self._client is None:
            return
        host = self._client.host
        host.pool.stop()
        await host.pool.coroutines.drain(CLOSING_SECONDS)
        await asyncio.shield(asyncio.to_thread(host.close))
        await self._listeners.drain()

    def handle(self, id: str) -> AsyncExecution:
        """The handle on an execution of this id, which is not looked for."""
        return AsyncExecution(self.client, self.bridge, id)

    @property
    def bridge(self) -> EventLoopBridge:
        """Brings replies to the event loop."""
        if self._bridge is None:
            raise Closed("the executor is not open: use `async with`, or `await executor.open()`")
        return self._bridge

    async def backup(self, path: str | os.PathLike[str]) -> builtins.list[int]:
        """Copy everything that was confirmed so far into a new folder, as ``Executor.backup`` does."""
        from stepwell.engine.host.backup import back_up

        self.client.host.check()
        return await asyncio.to_thread(back_up, self.storage, path)

    async def stats(self) -> Stats:
        """Counters and gauges, as ``Executor.stats`` gives them."""
        return await asyncio.to_thread(self.client.host.stats)

    # workflows

    async def deploy(
        self,
        name: str,
        definition: Definition,
        *,
        type: str = "STANDARD",
        retention: float | None = None,
        publish: bool = False,
    ) -> Workflow:
        """Keep a definition under a name, as ``Executor.deploy`` does."""
        return await asyncio.to_thread(self.client.deploy, name, definition, type, retention, publish=publish)

    async def workflow(self, name: str) -> Workflow:
        """The newest version under a name, or that of ``name:version``. Raises ``WorkflowNotFound``."""
        with self.client.host.shown():
            return self.client.queries.workflow(name)

    async def workflows(self, name: str | None = None) -> builtins.list[Workflow]:
        """The newest version of each workflow, or all of one, as ``Executor.workflows`` gives them."""
        return await self._shown(partial(self.client.queries.workflows, name))

    async def delete_workflow(self, name: str) -> None:
        """Delete a workflow with all its versions, as ``Executor.delete_workflow`` does."""
        await asyncio.to_thread(self.client.deployments.delete, name)

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
    ) -> AsyncExecution:
        """Start an execution, as ``Executor.start`` does; durable when it returns.

        Canceling the call does not cancel a start that is in the inbox already.
        """
        seconds = wait_seconds("timeout", timeout)
        request = self.client.start_request(workflow, input, execution_name, delay, at, if_exists=if_exists)
        return await self._start(request, seconds)

    async def _start(self, request: ClientCommand, timeout: float) -> AsyncExecution:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            try:
                return self.handle(await self._ask(request))
            except Busy:
                if loop.time() >= deadline:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def start_sync(self, workflow: str, input: Any = None, execution_name: str | None = None) -> dict[str, Any]:
        """Run an EXPRESS workflow to its end, as ``Executor.start_sync`` does."""
        express.check_express(self.client.queries.workflow(workflow))
        request = self.client.start_request(workflow, input, execution_name, None, None, synchronous=True)
        execution = await self._start(request, 0.0)
        try:
            await execution.wait(express.SECONDS)
        except WaitTimeout:
            await self._ask(express.time_out(execution.id))
        return express.answer((await execution.wait()).context())

    async def run(self, definition: Definition, input: Any = None, *, type: str = "STANDARD") -> ExecutionContext:
        """Deploy a definition under a name of its own, run it to its end and return its context."""
        workflow = await asyncio.to_thread(self.client.deploy_to_run, definition, type)
        execution = await self.start(workflow.name, input)
        return (await execution.wait()).context()

    async def wait_execution_done(self, timeout: float | None = None) -> ExecutionContext:
        """Wait for the end of the execution that was started last. Raises ``WaitTimeout``."""
        last = self.client.starts.last
        if last is None:
            raise ExecutionNotFound("no execution was started by this executor")
        return (await self.handle(last).wait(timeout)).context()

    async def get(
        self, id: str | None = None, *, workflow: str | None = None, name: str | None = None
    ) -> AsyncExecution:
        """An execution by its id, short id or ARN, or by its workflow and its name, as ``Executor.get`` finds it."""
        with self.client.host.shown():
            context = await self._read(partial(self.client.queries.find, id, workflow, name))
        return self.handle(context.id)

    def executions(
        self,
        workflow: str | None = None,
        *,
        status: Statuses | None = None,
        name_prefix: str | None = None,
        started_after: float | datetime | None = None,
        started_before: float | datetime | None = None,
        parent: str | None = None,
        map_run: str | None = None,
    ) -> AsyncIterator[AsyncExecution]:
        """All executions that fit, the newest first, as ``Executor.executions`` gives them, with ``async for``."""
        ask = partial(
            self.client.queries.executions,
            workflow,
            status=status,
            name_prefix=name_prefix,
            started_after=started_after,
            started_before=started_before,
            parent=parent,
            map_run=map_run,
        )
        return self._executions(ask)

    async def _executions(self, ask: Callable[[], Iterator[VisibilityContext]]) -> AsyncIterator[AsyncExecution]:
        rows, size = await self._shown(ask), _FIRST

        def read() -> builtins.list[VisibilityContext]:
            return builtins.list(itertools.islice(rows, size))

        while page := await self._shown(read):
            for row in page:
                yield self.handle(row.execution_id)
            size = PAGE

    async def list(
        self,
        workflow: str | None = None,
        status: Statuses | None = None,
        limit: int = 1000,
        *,
        name_prefix: str | None = None,
        started_after: float | datetime | None = None,
        started_before: float | datetime | None = None,
        parent: str | None = None,
        map_run: str | None = None,
    ) -> list[AsyncExecution]:
        """The first ``limit`` of ``executions``."""
        ask = partial(
            self.client.queries.executions,
            workflow,
            status=status,
            name_prefix=name_prefix,
            started_after=started_after,
            started_before=started_before,
            parent=parent,
            map_run=map_run,
            limit=limit,
        )
        rows = await self._shown(lambda: builtins.list(ask()))
        return [self.handle(row.execution_id) for row in rows]

    async def open_tasks(
        self,
        execution: str | None = None,
        *,
        state: str | None = None,
        resource: str | None = None,
        limit: int = 1000,
    ) -> builtins.list[TaskContext]:
        """Tasks that have no result yet, as ``Executor.open_tasks`` gives them."""
        return await self._shown(partial(self.client.queries.open_tasks, execution, state, resource, limit))

    async def stop(self, id: str, error: str | None = None, cause: str | None = None) -> AsyncExecution:
        """Cancel an execution; an ended one stays as it is. Raises ``ExecutionNotFound``."""
        return await (await self._existing(id)).stop(error, cause)

    async def _existing(self, id: str) -> AsyncExecution:
        """An execution that is there, at its leader: to be changed."""
        return self.handle((await self._read(partial(self.client.queries.context, id))).id)

    async def redrive(self, id: str) -> AsyncExecution:
        """Continue an execution that failed, timed out or was stopped, from the states that did not succeed.

        Results of states that succeeded are kept, also in Parallel states, inline Maps and map runs. Retries are
        counted from zero. If children of map runs are being stopped, it waits for them. Raises ``NotRedrivable``,
        ``ExecutionNotFound``.
        """
        execution = await self._existing(id)
        await self._ask(await asyncio.to_thread(self.client.redrive_request, execution.id))
        return execution

    async def delete(self, id: str) -> None:
        """Remove an ended execution and its history. Raises ``ExecutionRunning``, ``ExecutionNotFound``."""
        execution = await self._existing(id)
        await self._ask(commands.delete(execution.id))

    async def context(self, id: str) -> ExecutionContext:
        """The row of an execution, by its id, short id or ARN. Raises ``ExecutionNotFound``."""
        with self.client.host.shown():
            return await self._read(partial(self.client.queries.context, id))

    async def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> builtins.list[dict[str, Any]]:
        """The events of an execution, as ``Executor.history`` gives them."""
        read = partial(self.client.queries.history, reverse=reverse, after=after, include_data=include_data)
        return await self._shown(partial(read, id, limit))

    # map runs

    async def list_map_runs(self, execution_id: str) -> builtins.list[dict[str, Any]]:
        """The runs of an execution's distributed Map states, the newest first, in the names of AWS's ListMapRuns."""
        return await self._shown(partial(self.client.map_runs.of, execution_id))

    async def describe_map_run(self, map_run: str) -> dict[str, Any]:
        """A map run by its id or ARN, in the names of AWS's DescribeMapRun. Raises ``MapRunNotFound``."""
        return await self._shown(partial(self.client.map_runs.describe, map_run))

    async def update_map_run(
        self,
        map_run: str,
        *,
        max_concurrency: int | None = None,
        tolerated_failure_count: int | None = None,
        tolerated_failure_percentage: float | None = None,
    ) -> None:
        """Change the limits of a running map run; None keeps a limit. Raises ``MapRunNotFound``, ``MapRunEnded``."""
        limits = (max_concurrency, tolerated_failure_count, tolerated_failure_percentage)
        await self._ask(self.client.map_runs.update(map_run, *limits))

    # results of tasks that wait

    async def send_task_success(self, task_token: str, output: Any) -> None:
        """Complete the task that waits for this token. Raises ``TaskDoesNotExist``."""
        await self._ask(self.client.success_request(task_token, output))

    async def send_task_failure(self, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail the task that waits for this token. Raises ``TaskDoesNotExist``."""
        await self._ask(self.client.failure_request(task_token, error, cause))

    async def send_task_heartbeat(self, task_token: str) -> None:
        """Report that the work on this token's task continues. Raises ``TaskDoesNotExist``."""
        await self._ask(self.client.heartbeat_request(task_token))

    async def get_activity_task(
        self, activity: str, worker_name: str | None = None, timeout: float = 60.0
    ) -> TaskContext | None:
        """Take the next task of an activity (its ARN), as ``Executor.get_activity_task`` does."""
        seconds = wait_seconds("timeout", timeout)
        return await AsyncPoll(self.client, self.bridge, activity, worker_name).task(seconds)

    async def _read(self, read: Callable[[], Found]) -> Found:
        """What storage says, without keeping the loop where that takes a while."""
        return await asyncio.to_thread(read) if self.client.host.reads_wait else read()

    async def _shown(self, read: Callable[[], Found]) -> Found:
        """What storage says, read in a thread to be shown."""
        with self.client.host.shown():
            return await asyncio.to_thread(read)

    async def _ask(self, request: ClientCommand) -> str:
        """Send a command to the inbox and wait; returns the id of the execution that it was processed in."""
        return await self.bridge.ask(self.client.host, request)
