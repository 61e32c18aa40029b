"""The Executor: a program's door to its executions."""

from __future__ import annotations

import builtins
import os
import time
from datetime import datetime
from types import TracebackType
from typing import Any

from stepwell.engine.client import commands, express
from stepwell.engine.client.arguments import Definition, wait_seconds
from stepwell.engine.client.client import RETRY_SECONDS, Client
from stepwell.engine.client.commands import ClientCommand
from stepwell.engine.host.open import open_host
from stepwell.engine.host.promises import Callback
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.errors import Busy, ExecutionNotFound, TaskDoesNotExist, WaitTimeout

from .base_executor import BaseExecutor
from .execution import Execution


class Executor(BaseExecutor):
    """A durable engine over a folder, or in memory (``data=None``).

    ``handlers`` are functions by resource: ``fn(input)`` or ``fn(input, ctx)``, sync or async. Sync
    handlers run in up to ``max_workers`` threads, async ones on an event loop in a thread that the
    first of them starts (``AsyncExecutor`` runs them on the program's own). Every call may come from
    any thread, but not from a process that was forked off: neither this executor nor one of its own
    can work there. Such processes are to be spawned, or forked before the first executor is opened.

    Executions are spread over ``partitions``, each with a log and a storage of its own. One is walked in
    this process, several in a process each: one a core is of use. Handlers run in this process in any
    case. A folder keeps the number that it was made with. A process that dies is started again.

    ``profile="aws"`` enforces AWS's quotas: 256 KiB a document, 25,000 events an execution, 1 MiB a definition,
    no names of handlers as resources; the default has none of them and logs a warning where AWS would fail.

    Raises ``LockedError`` where another process has the folder, ``CorruptionError`` where it is
    damaged, ``StorageError`` where it cannot be used, ``InvalidName`` for tenant and namespace.

    >>> with Executor() as ex:
    ...     ex.register("greet", lambda who: f"Hello, {who}!")
    ...     greet = {"Type": "Task", "Resource": "greet", "End": True}
    ...     context = ex.run({"StartAt": "Greet", "States": {"Greet": greet}}, "you")
    >>> context.output
    b'"Hello, you!"'
    """

    def _begin(self) -> None:
        host = open_host(self._data, self._handlers, self._partitions, self._options)
        self._client = Client(host, self._limits)

    # the life of the executor

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let running handlers end (10 seconds at most), put everything on disk and let the folder go.

        Executions that have not ended go on when the folder is opened again; a handler that was cut
        short is called again then. Whoever waits gets ``Closed``.
        """
        self.client.host.close()

    def backup(self, path: str | os.PathLike[str]) -> builtins.list[int]:
        """Copy everything that was confirmed so far into a new folder, while the work goes on.

        The copy can be opened as it is, or made a data folder by ``restore``. Returns the log positions that
        it is at, one for each partition, each of its own moment. Raises ``StorageError`` where there is something
        at ``path``, or it cannot be written, and for an executor in memory.
        """
        from stepwell.engine.host.backup import back_up

        self.client.host.check()
        return back_up(self.storage, path)

    @staticmethod
    def restore(backup: str | os.PathLike[str], data: str | os.PathLike[str]) -> None:
        """Make the new folder ``data`` of a backup, and check every byte of it; then open it with ``Executor(data)``.

        What was under way at the backup goes on: handlers are called again for open tasks, timers that came due
        fire at once. Raises ``StorageError`` where ``data`` is not empty, ``CorruptionError`` for a damaged backup.
        """
        from stepwell.engine.host.backup import restore

        restore(backup, data)

    # workflows

    def deploy(
        self, name: str, definition: Definition, *, type: str = "STANDARD", retention: float | None = None
    ) -> Workflow:
        """Keep a definition under a name: a dict, JSON text, or the path of a JSON or YAML file.

        The same definition again is the same version; another one is the next version, and running
        executions keep theirs. Durable when it returns. Raises ``InvalidDefinition``, and
        ``InvalidName`` for an empty or overlong name or one with signs that AWS forbids.

        ``retention`` is for how many seconds its executions are kept once they have ended; then they are
        deleted. None: as ``Limits.retention`` says. It is decided when an execution ends.
        """
        return self.client.deployments.deploy(name, definition, type, retention)

    def workflow(self, name: str) -> Workflow:
        """The newest version under a name. Raises ``WorkflowNotFound``."""
        return self.client.queries.workflow(name)

    def workflow_of(self, workflow_id: str) -> Workflow:
        """A version by its id, ``name:version``. Raises ``WorkflowNotFound``."""
        return self.client.queries.workflow_of(workflow_id)

    # executions

    def start(
        self,
        workflow: str,
        input: Any = None,
        execution_name: str | None = None,
        *,
        delay: float | None = None,
        at: float | datetime | None = None,
        timeout: float = 0.0,
    ) -> Execution:
        """Start an execution; durable when it returns.

        ``input`` is any JSON value (none: ``{}``). With an ``execution_name``, the same name and input
        again give the same execution while it runs, and ``ExecutionAlreadyExists`` otherwise.
        ``delay`` (seconds) or ``at`` (seconds since the epoch, or a time) hold it ``Pending`` until then.
        When the inbox is full it waits ``timeout`` seconds for room, and then raises ``Busy``.
        Raises ``WorkflowNotFound``, ``HandlerNotFound``, ``InvalidInput``, ``InvalidName``.
        """
        seconds = wait_seconds("timeout", timeout)
        return self._start(self.client.start_request(workflow, input, execution_name, delay, at), seconds)

    def _start(self, request: ClientCommand, timeout: float) -> Execution:
        deadline = time.monotonic() + timeout
        while True:
            try:
                return Execution(self.client, self.client.ask(request))
            except Busy:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(RETRY_SECONDS)

    def submit_start(
        self,
        workflow: str,
        input: Any,
        execution_name: str | None,
        deliver: Callback,
        *,
        delay: float | None = None,
        at: float | datetime | None = None,
    ) -> None:
        """Put a start into the inbox; ``deliver`` gets the execution's id, or the refusal, once it is durable.

        It is called in the executor's own thread, and must return at once: what waits for an executor, ``start``,
        ``wait`` and ``close`` among them, raises ``StepwellError`` there. Hand that to another thread.
        """
        request = self.client.start_request(workflow, input, execution_name, delay, at)
        self.client.host.submit(request.command, request.document, request.with_refusals(deliver))

    def start_sync(self, workflow: str, input: Any = None, execution_name: str | None = None) -> dict[str, Any]:
        """Run an EXPRESS workflow to its end: the answer of AWS's StartSyncExecution.

        ``status`` is SUCCEEDED, FAILED or TIMED_OUT (after 300 seconds at the latest); ``input`` and ``output`` are
        JSON text, ``startDate`` and ``stopDate`` seconds since the epoch. Failures are answers, not exceptions.
        Raises what ``start`` raises, and ``ApiError`` (StateMachineTypeNotSupported) for a STANDARD workflow.
        """
        express.check_express(self.workflow(workflow))
        request = self.client.start_request(workflow, input, execution_name, None, None, synchronous=True)
        execution = self._start(request, 0.0)
        try:
            execution.wait(express.SECONDS)
        except WaitTimeout:
            self.client.ask(express.time_out(execution.id))
        return express.answer(execution.wait().context())

    def run(self, definition: Definition, input: Any = None, *, type: str = "STANDARD") -> ExecutionContext:
        """Deploy a definition under a name of its own, run it to its end and return its context."""
        workflow = self.client.deploy_to_run(definition, type)
        return self.start(workflow.name, input).wait().context()

    def wait_execution_done(self, timeout: float | None = None) -> ExecutionContext:
        """Wait for the end of the execution that was started last. Raises ``WaitTimeout``."""
        if self.client.starts.last is None:
            raise ExecutionNotFound("no execution was started by this executor")
        return self.get(self.client.starts.last).wait(timeout).context()

    def get(self, id: str) -> Execution:
        """An execution by its id. Raises ``ExecutionNotFound``."""
        execution = Execution(self.client, id)
        execution.context()
        return execution

    def list(
        self,
        workflow: str | None = None,
        status: str | None = None,
        limit: int = 1000,
        *,
        map_run: str | None = None,
    ) -> list[Execution]:
        """Executions, the newest first, of one workflow or of all, in one status or in any.

        The child executions of a map run are listed under it (its id or ARN), and only there.
        """
        rows = self.client.list(workflow, status, limit, map_run)
        return [Execution(self.client, row.execution_id) for row in rows]

    def stop(self, id: str, error: str | None = None, cause: str | None = None) -> Execution:
        """Cancel an execution; an ended one stays as it is. Raises ``ExecutionNotFound``."""
        return self.get(id).stop(error, cause)

    def redrive(self, id: str) -> Execution:
        """Run an execution that failed, timed out or was stopped on from the states that did not get done.

        What succeeded is kept, also in Parallel states, inline Maps and map runs; retries count from zero again.
        Children of map runs that are being stopped are waited for. Raises ``NotRedrivable``, ``ExecutionNotFound``.
        """
        self.client.ask(self.client.redrive_request(id))
        return Execution(self.client, id)

    def delete(self, id: str) -> None:
        """Remove an ended execution and its history. Raises ``ExecutionRunning``, ``ExecutionNotFound``."""
        self.context(id)
        self.client.ask(commands.delete(id))

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution. Raises ``ExecutionNotFound``."""
        return self.client.queries.context(id)

    def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> builtins.list[dict[str, Any]]:
        """The events of an execution in AWS's shape, timestamps in seconds since the epoch.

        At most ``limit`` of them, those that come after the event of the number ``after`` (0: all); ``reverse``
        has the newest come first. ``include_data=False`` leaves out what states read and wrote.
        Raises ``ExecutionNotFound``.
        """
        return self.client.queries.history(id, limit, reverse=reverse, after=after, include_data=include_data)

    # map runs

    def list_map_runs(self, execution_id: str) -> builtins.list[dict[str, Any]]:
        """The runs of an execution's distributed Map states, the newest first, in the names of AWS's ListMapRuns."""
        return self.client.map_runs.of(execution_id)

    def describe_map_run(self, map_run: str) -> dict[str, Any]:
        """A map run by its id or ARN, in the names of AWS's DescribeMapRun. Raises ``MapRunNotFound``."""
        return self.client.map_runs.describe(map_run)

    def update_map_run(
        self,
        map_run: str,
        *,
        max_concurrency: int | None = None,
        tolerated_failure_count: int | None = None,
        tolerated_failure_percentage: float | None = None,
    ) -> None:
        """Change the limits of a running map run; what is None stays. Raises ``MapRunNotFound``, ``MapRunEnded``."""
        limits = (max_concurrency, tolerated_failure_count, tolerated_failure_percentage)
        self.client.ask(self.client.map_runs.update(map_run, *limits))

    # answers to tasks that wait

    def send_task_success(self, task_token: str, output: Any) -> None:
        """Complete the task that waits for this token. Raises ``TaskDoesNotExist``."""
        self.client.ask(commands.task_success(self.client.host, self.client.limits, task_token, output))

    def send_task_failure(self, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail the task that waits for this token. Raises ``TaskDoesNotExist``."""
        self.client.ask(commands.task_failure(self.client.host, self.client.limits, task_token, error, cause))

    def send_task_heartbeat(self, task_token: str) -> None:
        """Say that the work on this token's task goes on. Raises ``TaskDoesNotExist``."""
        self.client.ask(commands.task_heartbeat(self.client.host, task_token))

    def get_activity_task(
        self, activity: str, worker_name: str | None = None, timeout: float = 60.0
    ) -> TaskContext | None:
        """Take the next task of an activity (its ARN), waiting up to ``timeout`` seconds for one.

        ``profile="aws"`` lets a thousand poll for an activity; more of them get ``ApiError``.
        """
        seconds = wait_seconds("timeout", timeout)
        with self.client.polls.polling(activity):
            return self._polled(activity, worker_name, seconds)

    def _polled(self, activity: str, worker_name: str | None, timeout: float) -> TaskContext | None:
        deadline = time.monotonic() + timeout
        while True:
            for task in self.client.polls.open_tasks(activity):
                with self.client.polls.claimed(task) as is_ours:
                    if is_ours and self._handed_out(task, worker_name):
                        return task
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.client.polls.wait(activity, left)

    def _handed_out(self, task: TaskContext, worker_name: str | None) -> bool:
        try:
            self.client.ask(commands.activate(task, worker_name))
        except TaskDoesNotExist:  # it was canceled, or its time ran out
            return False
        return True
