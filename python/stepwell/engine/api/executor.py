"""The Executor, by which a program uses the engine."""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Any

from stepwell.engine.client import commands, express
from stepwell.engine.client.arguments import Definition, wait_seconds
from stepwell.engine.client.client import RETRY_SECONDS
from stepwell.engine.client.commands import ClientCommand, IfExists
from stepwell.engine.client.statuses import Statuses
from stepwell.engine.host.promises import Callback
from stepwell.engine.host.reading import each_shown
from stepwell.engine.host.stats import Stats
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.errors import Busy, ExecutionNotFound, WaitTimeout

from .execution import Execution
from .task_executor import TaskExecutor


class Executor(TaskExecutor):
    """A durable engine over a folder, or in memory (``data=None``).

    ``handlers`` are functions by resource: ``fn(input)`` or ``fn(input, ctx)``, sync or async. Sync handlers run in
    up to ``max_workers`` threads. Async handlers run on an event loop in a thread of its own (``AsyncExecutor`` runs
    them on the program's loop). All methods may be called from any thread, but not from a process that was forked
    after the executor was opened: such a process can use neither this executor nor open another one; it
    may connect to one. Spawn processes, or fork them before the first executor is opened.

    Executions are distributed over ``partitions``, each with a log and a storage of its own. One partition is
    processed in this process. Several have a process each, which is useful up to one for each core. A process that
    dies is started again. Handlers always run in this process. The number of partitions of a folder cannot be
    changed.

    A start warns about Task states without a handler; with ``strict_handlers`` it raises ``HandlerNotFound``.

    ``connect=True`` opens nothing: the executor is that of another process that has the folder open, used through the
    folder's control socket. All calls work but ``register``, ``task``, ``on`` and ``backup``: handlers run in that
    process. Raises ``StorageError`` where no process of this user serves the folder, or once that process has closed
    it or has ended.

    ``cluster=Cluster("nats://…", name=…, node=…)`` makes it a node of a cluster: executions survive the loss of a node,
    and every node answers every request (docs/cluster.md). The folder holds the node's copies.

    ``profile="aws"`` enforces AWS's quotas: 256 KiB for a document, 25,000 events for an execution, 1 MiB for a
    definition, and no names of handlers as resources. The default profile does not, and logs a warning where an
    execution would fail on AWS.

    Raises ``LockedError`` if another process has the folder open, ``CorruptionError`` if it is damaged,
    ``StorageError`` if it cannot be used, ``InvalidName`` for a bad tenant or namespace.

    >>> with Executor() as ex:
    ...     ex.register("greet", lambda who: f"Hello, {who}!")
    ...     greet = {"Type": "Task", "Resource": "greet", "End": True}
    ...     context = ex.run({"StartAt": "Greet", "States": {"Greet": greet}}, "you")
    >>> context.output
    b'"Hello, you!"'
    """

    def _begin(self) -> None:
        self._use(self._open_host(self._options))

    def handle(self, id: str) -> Execution:
        """The handle on an execution of this id, which is not looked for."""
        return Execution(self.client, id)

    # opening and closing

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for running handlers (10 seconds at most), put everything on disk and close the folder.

        Executions that have not ended continue when the folder is opened again. A handler that was interrupted is
        then called again. Callers that wait get ``Closed``.
        """
        self.client.host.close()

    def backup(self, path: str | os.PathLike[str]) -> builtins.list[int]:
        """Copy everything that was confirmed so far into a new folder, while executions run.

        The copy can be opened as it is, or be copied to a data folder by ``restore``. Returns the log position of
        the copy of each partition; each is copied at a moment of its own. Raises ``StorageError`` if ``path`` exists
        or cannot be written, and for an executor in memory.
        """
        from stepwell.engine.host.backup import back_up

        self.client.host.check()
        return back_up(self.storage, path)

    @staticmethod
    def restore(backup: str | os.PathLike[str], data: str | os.PathLike[str]) -> None:
        """Create the folder ``data`` from a backup, and check every byte of it. Then open it with ``Executor(data)``.

        Executions continue from the backup: handlers are called again for open tasks, and timers that are due fire
        at once. Raises ``StorageError`` if ``data`` is not empty, ``CorruptionError`` for a damaged backup.
        """
        from stepwell.engine.host.backup import restore

        restore(backup, data)

    def stats(self) -> Stats:
        """Counters of executions, states and tasks since the first call, and gauges of now: see ``Stats``."""
        return self.client.host.stats()

    # workflows

    def deploy(
        self,
        name: str,
        definition: Definition,
        *,
        type: str = "STANDARD",
        retention: float | None = None,
        publish: bool = False,
    ) -> Workflow:
        """Keep a definition under a name: a dict, JSON text, or the path of a JSON or YAML file.

        The same definition again is the same version. A different one is the next version; running executions keep
        theirs. Durable when it returns. Raises ``InvalidDefinition``, and ``InvalidName`` for a name that is empty,
        too long, or has characters that AWS forbids.

        ``retention`` says for how many seconds its executions are kept after their end, and deleted then. None: as
        ``Limits.retention`` says. It is decided when an execution ends.

        A version here is a revision of AWS's: ``order:3`` is the third. ``publish`` publishes it too, as AWS's
        UpdateStateMachine does: under the next number of its own, which ARNs have
        (``arn:aws:states:us-east-1:000000000000:stateMachine:order:1``). The role, the logging and other settings that
        a client of the HTTP API made stay as they are. Raises ``WorkflowDeleting``.
        """
        return self.client.deploy(name, definition, type, retention, publish=publish)

    def workflow(self, name: str) -> Workflow:
        """The newest version under a name, or that of ``name:version``. Raises ``WorkflowNotFound``."""
        with self.client.host.shown():
            return self.client.queries.workflow(name)

    def workflows(self, name: str | None = None) -> builtins.list[Workflow]:
        """The newest version of each workflow; with a name, all versions of that one, the newest first.

        Raises ``WorkflowNotFound`` for a name under which nothing is deployed.
        """
        with self.client.host.shown():
            return self.client.queries.workflows(name)

    def delete_workflow(self, name: str) -> None:
        """Delete a workflow with all its versions; durable when it returns.

        Its executions that have ended stay until they are deleted, but cannot be redriven. Deployed again, the name
        goes on with the next version. Raises ``ExecutionRunning`` while executions of it run, ``WorkflowNotFound``.
        """
        self.client.deployments.delete(name)

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
        if_exists: IfExists | None = None,
    ) -> Execution:
        """Start an execution of a workflow, or of the version ``name:version``; durable when it returns.

        ``workflow`` may be an ARN, also of a published version or of an alias, which draws one of its versions.

        ``input`` is any JSON value (default: ``{}``). With an ``execution_name``, the same name and input give the
        same execution while it is running, and raise ``ExecutionAlreadyExists`` otherwise, as on AWS.
        ``if_exists="return"`` gives the execution that has the name, whatever its input and status; ``"raise"`` raises
        ``ExecutionAlreadyExists`` whenever an execution has it. In an EXPRESS workflow names are unique only among
        the starts with ``if_exists``. ``delay`` (seconds) or ``at`` (seconds since the epoch, or a time) keep it
        ``Pending`` until then. If the inbox is full, it tries again for ``timeout`` seconds, and then raises ``Busy``.
        Raises ``WorkflowNotFound``, ``WorkflowDeleting``, ``HandlerNotFound``, ``InvalidInput``, ``InvalidName``.
        """
        seconds = wait_seconds("timeout", timeout)
        request = self.client.start_request(workflow, input, execution_name, delay, at, if_exists=if_exists)
        return self._start(request, seconds)

    def _start(self, request: ClientCommand, timeout: float) -> Execution:
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.handle(self.client.ask(request))
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
        """Put a start into the inbox. ``deliver`` gets the execution's id, or the error, once it is durable.

        ``deliver`` is called in the executor's own thread, and must return at once. Calls that wait for an executor,
        such as ``start``, ``wait`` and ``close``, raise ``StepwellError`` there. Make them in another thread.
        """
        request = self.client.start_request(workflow, input, execution_name, delay, at)
        self.client.host.submit(request.command, request.document, request.with_refusals(deliver))

    def start_sync(self, workflow: str, input: Any = None, execution_name: str | None = None) -> dict[str, Any]:
        """Run an EXPRESS workflow to its end, and return the answer of AWS's StartSyncExecution.

        ``status`` is SUCCEEDED, FAILED or TIMED_OUT (after 300 seconds at the latest). ``input`` and ``output`` are
        JSON text, ``startDate`` and ``stopDate`` seconds since the epoch. A failed execution is an answer, not an
        exception. Raises what ``start`` raises, and ``ApiError`` (StateMachineTypeNotSupported) for a STANDARD
        workflow.
        """
        express.check_express(self.client.queries.workflow(workflow))
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

    def get(self, id: str | None = None, *, workflow: str | None = None, name: str | None = None) -> Execution:
        """An execution by its id, short id or ARN, or by its workflow and its name. Raises ``ExecutionNotFound``.

        Of several EXPRESS executions of a name it is the newest; the list of their workflow is read for it.
        """
        with self.client.host.shown():
            return self.handle(self.client.queries.find(id, workflow, name).id)

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
    ) -> Iterator[Execution]:
        """All executions that fit, the newest first; they are read a page at a time, as the iteration goes on.

        ``workflow`` is a name, ``name:version``, or an ARN; that of a published version or of an alias gives those
        that it started. ``status`` is one or several of the engine's statuses (``Failed``)
        or of AWS's (``FAILED``, ``TIMED_OUT``). ``started_after`` and ``started_before`` are times, or seconds since
        1970: from the one on, and before the other; what lies outside is not read. ``parent`` is an execution (its id,
        short id or ARN): those that its Task states started, and the children of its Distributed Maps. To find the
        former, the rows of all executions that started after it are read. ``map_run`` is the id or ARN of one map run.
        Children of map runs are listed under these two only.

        An execution that goes on meanwhile is given once, as it was before or after; one that is redriven then may be
        missed.
        Raises ``InvalidInput``, ``ExecutionNotFound`` for ``parent``, ``MapRunNotFound``.
        """
        shown = self.client.host.shown
        with shown():
            rows = self.client.queries.executions(
                workflow,
                status=status,
                name_prefix=name_prefix,
                started_after=started_after,
                started_before=started_before,
                parent=parent,
                map_run=map_run,
            )
        return (self.handle(row.execution_id) for row in each_shown(rows, shown))

    def list(
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
    ) -> list[Execution]:
        """The first ``limit`` of ``executions``, which says what the other arguments mean."""
        with self.client.host.shown():
            rows = self.client.queries.executions(
                workflow,
                status=status,
                name_prefix=name_prefix,
                started_after=started_after,
                started_before=started_before,
                parent=parent,
                map_run=map_run,
                limit=limit,
            )
            return [self.handle(row.execution_id) for row in rows]

    def stop(self, id: str, error: str | None = None, cause: str | None = None) -> Execution:
        """Cancel an execution; an ended one stays as it is. Raises ``ExecutionNotFound``."""
        return self._existing(id).stop(error, cause)

    def _existing(self, id: str) -> Execution:
        """An execution that is there, at its leader: to be changed."""
        return self.handle(self.client.queries.context(id).id)

    def redrive(self, id: str) -> Execution:
        """Continue an execution that failed, timed out or was stopped, from the states that did not succeed.

        Results of states that succeeded are kept, also in Parallel states, inline Maps and map runs. Retries are
        counted from zero. If children of map runs are being stopped, it waits for them. Raises ``NotRedrivable``,
        ``ExecutionNotFound``.
        """
        execution = self._existing(id)
        self.client.ask(self.client.redrive_request(execution.id))
        return execution

    def delete(self, id: str) -> None:
        """Remove an ended execution and its history. Raises ``ExecutionRunning``, ``ExecutionNotFound``."""
        self.client.ask(commands.delete(self.client.queries.context(id).id))

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution, by its id, short id or ARN. Raises ``ExecutionNotFound``."""
        with self.client.host.shown():
            return self.client.queries.context(id)

    def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> builtins.list[dict[str, Any]]:
        """The events of an execution in AWS's shape, with timestamps in seconds since the epoch.

        It returns at most ``limit`` events, and only those after the event number ``after`` (0: all). With
        ``reverse`` the newest comes first. ``include_data=False`` leaves out what states read and wrote. Raises
        ``ExecutionNotFound``.
        """
        with self.client.host.shown():
            return self.client.queries.history(id, limit, reverse=reverse, after=after, include_data=include_data)

    # map runs

    def list_map_runs(self, execution_id: str) -> builtins.list[dict[str, Any]]:
        """The runs of an execution's distributed Map states, the newest first, in the names of AWS's ListMapRuns."""
        with self.client.host.shown():
            return self.client.map_runs.of(execution_id)

    def describe_map_run(self, map_run: str) -> dict[str, Any]:
        """A map run by its id or ARN, in the names of AWS's DescribeMapRun. Raises ``MapRunNotFound``."""
        with self.client.host.shown():
            return self.client.map_runs.describe(map_run)

    def update_map_run(
        self,
        map_run: str,
        *,
        max_concurrency: int | None = None,
        tolerated_failure_count: int | None = None,
        tolerated_failure_percentage: float | None = None,
    ) -> None:
        """Change the limits of a running map run; None keeps a limit. Raises ``MapRunNotFound``, ``MapRunEnded``."""
        limits = (max_concurrency, tolerated_failure_count, tolerated_failure_percentage)
        self.client.ask(self.client.map_runs.update(map_run, *limits))
