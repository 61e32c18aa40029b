"""The Executor for asyncio: the same engine, awaited on the program's own event loop."""

from __future__ import annotations

import asyncio
import builtins
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any

from stepwell.errors import Busy, Closed, ExecutionNotFound, TaskDoesNotExist, WaitTimeout
from stepwell.tasks.handlers import Handler, Handlers
from stepwell.tasks.items import ItemFiles

from . import requests, synchronous
from .arguments import Definition
from .async_execution import AsyncExecution
from .contexts import ExecutionContext, TaskContext
from .engine import Engine
from .executor import ROOM_SECONDS
from .hosting import CLOSING_SECONDS, Options
from .inbox import Limits
from .loop_door import LoopDoor
from .opening import open_host
from .queues import LOOK_SECONDS
from .quotas import limits_of
from .requests import Request
from .status import ENDED
from .storage import Storage
from .workflows import Workflow


class AsyncExecutor:
    """A durable engine over a folder, or in memory (``data=None``), for programs that run an event loop.

    Async handlers run on the loop that opened it, sync ones in up to ``max_workers`` threads; no loop is
    started. It belongs to that loop: only its handlers' threads are others. Arguments and errors are those
    of ``Executor``; what that raises at its making is raised here at the opening.

    >>> async with AsyncExecutor("orders.stepwell", handlers={"charge": charge}) as ex:
    ...     execution = await ex.start("order", {"id": 7})
    ...     await execution.wait()
    """

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        tenant: str = "default",
        namespace: str = "default",
        max_workers: int = 64,
        limits: Limits | None = None,
        profile: str = "default",
        item_files: ItemFiles | None = None,
        partitions: int = 1,
    ) -> None:
        self._handlers = Handlers({} if handlers is None else handlers)
        self._limits = limits_of(profile, limits)
        self._data, self._partitions = data, partitions
        self._options = Options(tenant, namespace, max_workers, self._limits, item_files)
        self._engine: Engine | None = None
        self._door: LoopDoor | None = None

    # the life of the executor

    async def open(self) -> AsyncExecutor:
        """Open the folder; ``async with`` does it."""
        if self._engine is None:
            loop = asyncio.get_running_loop()
            options = self._options._replace(loop=loop)
            opening = loop.run_in_executor(None, open_host, self._data, self._handlers, self._partitions, options)
            try:
                host = await asyncio.shield(opening)
            except asyncio.CancelledError:
                await asyncio.to_thread((await opening).close)
                raise
            self._door = LoopDoor(loop)
            self._engine = Engine(host, self._limits)
        return self

    async def __aenter__(self) -> AsyncExecutor:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let running handlers end (10 seconds at most), put everything on disk and let the folder go."""
        if self._engine is None:
            return
        host = self._engine.host
        host.pool.stop()
        await host.pool.coroutines.drain(CLOSING_SECONDS)
        await asyncio.shield(asyncio.to_thread(host.close))

    @property
    def engine(self) -> Engine:
        """What is behind it. Raises ``Closed`` before the opening."""
        if self._engine is None:
            raise Closed("the executor is not open: use `async with`, or `await executor.open()`")
        return self._engine

    @property
    def door(self) -> LoopDoor:
        """Where answers come in."""
        if self._door is None:
            raise Closed("the executor is not open: use `async with`, or `await executor.open()`")
        return self._door

    async def backup(self, path: str | os.PathLike[str]) -> builtins.list[int]:
        """Copy everything that was confirmed so far into a new folder, as ``Executor.backup`` does."""
        from .backup import back_up

        self.engine.host.check()
        return await asyncio.to_thread(back_up, self.storage, path)

    @property
    def storage(self) -> Storage:
        """The rows that it keeps."""
        return self.engine.host.storage

    # handlers

    def register(self, resource: str, function: Handler) -> None:
        """Let ``function`` do the work of ``resource``: a name, an ARN, or a pattern of ARNs."""
        self._handlers.register(resource, function)
        if self._engine is not None:
            self._engine.host.pool.retry_waiting()

    def task(self, resource: str) -> Callable[[Handler], Handler]:
        """The decorator that registers a handler."""

        def decorate(function: Handler) -> Handler:
            self.register(resource, function)
            return function

        return decorate

    # workflows

    async def deploy(
        self, name: str, definition: Definition, *, type: str = "STANDARD", retention: float | None = None
    ) -> Workflow:
        """Keep a definition under a name, as ``Executor.deploy`` does."""
        return await asyncio.to_thread(self.engine.deployments.deploy, name, definition, type, retention)

    async def workflow(self, name: str) -> Workflow:
        """The newest version under a name. Raises ``WorkflowNotFound``."""
        return self.engine.reads.workflow(name)

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
    ) -> AsyncExecution:
        """Start an execution, as ``Executor.start`` does; durable when it returns.

        Canceling the call does not take a start back that is in the inbox already.
        """
        return await self._start(self.engine.start_request(workflow, input, execution_name, delay, at), timeout)

    async def _start(self, request: Request, timeout: float) -> AsyncExecution:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            try:
                return AsyncExecution(self, await self._ask(request))
            except Busy:
                if loop.time() >= deadline:
                    raise
                await asyncio.sleep(ROOM_SECONDS)

    async def start_sync(self, workflow: str, input: Any = None, execution_name: str | None = None) -> dict[str, Any]:
        """Run an EXPRESS workflow to its end, as ``Executor.start_sync`` does."""
        synchronous.check_express(await self.workflow(workflow))
        request = self.engine.start_request(workflow, input, execution_name, None, None, synchronous=True)
        execution = await self._start(request, 0.0)
        try:
            await execution.wait(synchronous.SECONDS)
        except WaitTimeout:
            await self._ask(synchronous.time_out(execution.id))
        return synchronous.answer((await execution.wait()).context())

    async def run(self, definition: Definition, input: Any = None, *, type: str = "STANDARD") -> ExecutionContext:
        """Deploy a definition under a name of its own, run it to its end and return its context."""
        workflow = await asyncio.to_thread(self.engine.deploy_to_run, definition, type)
        execution = await self.start(workflow.name, input)
        return (await execution.wait()).context()

    async def wait_execution_done(self, timeout: float | None = None) -> ExecutionContext:
        """Wait for the end of the execution that was started last. Raises ``WaitTimeout``."""
        last = self.engine.starts.last
        if last is None:
            raise ExecutionNotFound("no execution was started by this executor")
        return (await AsyncExecution(self, last).wait(timeout)).context()

    async def get(self, id: str) -> AsyncExecution:
        """An execution by its id. Raises ``ExecutionNotFound``."""
        await self.context(id)
        return AsyncExecution(self, id)

    async def list(
        self,
        workflow: str | None = None,
        status: str | None = None,
        limit: int = 1000,
        *,
        map_run: str | None = None,
    ) -> list[AsyncExecution]:
        """Executions, the newest first, of one workflow or of all, in one status or in any.

        The child executions of a map run are listed under it (its id or ARN), and only there.
        """
        rows = await asyncio.to_thread(self.engine.listed, workflow, status, limit, map_run)
        return [AsyncExecution(self, row.execution_id) for row in rows]

    async def stop(self, id: str, error: str | None = None, cause: str | None = None) -> AsyncExecution:
        """Cancel an execution; an ended one stays as it is. Raises ``ExecutionNotFound``."""
        execution = await self.get(id)
        if execution.status not in ENDED:
            await self._ask(requests.stop(id, error, cause))
        return execution

    async def redrive(self, id: str) -> AsyncExecution:
        """Run an execution that failed, timed out or was stopped on from the states that did not get done.

        What succeeded is kept, also in Parallel states, inline Maps and map runs; retries count from zero again.
        Children of map runs that are being stopped are waited for. Raises ``NotRedrivable``, ``ExecutionNotFound``.
        """
        reads = self.engine.reads
        context = reads.context(id)
        workflow = reads.workflow_of(context.workflow_id)
        request = await asyncio.to_thread(requests.redrive, self.engine.host, self.engine.limits, workflow, context)
        await self._ask(request)
        return AsyncExecution(self, id)

    async def delete(self, id: str) -> None:
        """Remove an ended execution and its history. Raises ``ExecutionRunning``, ``ExecutionNotFound``."""
        await self.get(id)
        await self._ask(requests.delete(id))

    async def context(self, id: str) -> ExecutionContext:
        """The row of an execution. Raises ``ExecutionNotFound``."""
        reads = self.engine.reads
        return await asyncio.to_thread(reads.context, id) if self.engine.host.reads_wait else reads.context(id)

    async def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> builtins.list[dict[str, Any]]:
        """The events of an execution, as ``Executor.history`` gives them."""
        read = partial(self.engine.reads.history, reverse=reverse, after=after, include_data=include_data)
        return await asyncio.to_thread(read, id, limit)

    # map runs

    async def list_map_runs(self, execution_id: str) -> builtins.list[dict[str, Any]]:
        """The runs of an execution's distributed Map states, the newest first, in the names of AWS's ListMapRuns."""
        return await asyncio.to_thread(self.engine.map_runs.of, execution_id)

    async def describe_map_run(self, map_run: str) -> dict[str, Any]:
        """A map run by its id or ARN, in the names of AWS's DescribeMapRun. Raises ``MapRunNotFound``."""
        return await asyncio.to_thread(self.engine.map_runs.describe, map_run)

    async def update_map_run(
        self,
        map_run: str,
        *,
        max_concurrency: int | None = None,
        tolerated_failure_count: int | None = None,
        tolerated_failure_percentage: float | None = None,
    ) -> None:
        """Change the limits of a running map run; what is None stays. Raises ``MapRunNotFound``, ``MapRunEnded``."""
        limits = (max_concurrency, tolerated_failure_count, tolerated_failure_percentage)
        await self._ask(self.engine.map_runs.update(map_run, *limits))

    # answers to tasks that wait

    async def send_task_success(self, task_token: str, output: Any) -> None:
        """Complete the task that waits for this token. Raises ``TaskDoesNotExist``."""
        await self._ask(requests.task_success(self.engine.host, self.engine.limits, task_token, output))

    async def send_task_failure(self, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail the task that waits for this token. Raises ``TaskDoesNotExist``."""
        await self._ask(requests.task_failure(self.engine.host, self.engine.limits, task_token, error, cause))

    async def send_task_heartbeat(self, task_token: str) -> None:
        """Say that the work on this token's task goes on. Raises ``TaskDoesNotExist``."""
        await self._ask(requests.task_heartbeat(self.engine.host, task_token))

    async def get_activity_task(
        self, activity: str, worker_name: str | None = None, timeout: float = 60.0
    ) -> TaskContext | None:
        """Take the next task of an activity (its ARN), as ``Executor.get_activity_task`` does."""
        with self.engine.queues.polling(activity):
            return await self._polled(activity, worker_name, timeout)

    async def _polled(self, activity: str, worker_name: str | None, timeout: float) -> TaskContext | None:
        loop, queues = asyncio.get_running_loop(), self.engine.queues
        deadline = loop.time() + timeout
        while True:
            for task in queues.open_tasks(activity):
                with queues.claimed(task) as is_ours:
                    if is_ours and await self._handed_out(task, worker_name):
                        return task
            left = deadline - loop.time()
            if left <= 0:
                return None
            await self._next_task(activity, left)

    async def _handed_out(self, task: TaskContext, worker_name: str | None) -> bool:
        try:
            await self._ask(requests.activate(task, worker_name))
        except TaskDoesNotExist:  # it was canceled, or its time ran out
            return False
        return True

    async def _next_task(self, queue: str, seconds: float) -> None:
        future, deliver = self.door.expect()
        waiting = self.engine.host.queues
        answer = waiting.add(queue, deliver)
        try:
            if next(self.engine.queues.open_tasks(queue), None) is None:
                await asyncio.wait_for(future, min(seconds, LOOK_SECONDS))
        except TimeoutError:
            pass
        finally:
            waiting.remove(queue, answer)

    async def _ask(self, request: Request) -> str:
        """Put a request through the inbox; the scope that it was done in."""
        future, deliver = self.door.expect()
        self.engine.host.submit(request.command, request.document, request.told(deliver))
        return await future
