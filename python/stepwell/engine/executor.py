"""The Executor: a program's door to its executions.

It opens a folder, walks its partition in a thread of its own and hands tasks to the program's
handlers. Every call is thread-safe.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stepwell import _core
from stepwell.asl.definition import compile_definition
from stepwell.errors import (
    Closed,
    ExecutionNotFound,
    HandlerNotFound,
    InvalidDefinition,
    InvalidInput,
    InvalidName,
    StepwellError,
    StorageError,
    TaskDoesNotExist,
    WorkflowNotFound,
)
from stepwell.tasks.dispatch import Call, HandlerPool, Result
from stepwell.tasks.handlers import Handler, Handlers

from . import records as r
from .contexts import ExecutionContext, QueueContext, TaskContext, VisibilityContext, WorkflowContext
from .documents import NONE, Document
from .execution import Execution, Latch
from .history import HistoryReader
from .live import Execution as LiveExecution
from .inbox import Limits, Rejected, Reply
from .partition import Partition
from .status import ENDED, STATUSES
from .storage import Storage
from .tokens import task_of_token
from .workflows import Workflow, Workflows

Definition = dict[str, Any] | str | bytes | os.PathLike[str]
NAME_LENGTH = 80
TEND_SECONDS = 0.002
"""How long tasks of quick handlers may wait without headway before they get another thread."""


class SystemClock:
    """The machine's time."""

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        return time.time_ns() // 1000


class Executor:
    """A durable engine over a folder, or in memory (``data=None``).

    ``handlers`` are functions by resource: ``fn(input)`` or ``fn(input, ctx)``, sync or async. Raises
    ``LockedError`` where another process has the folder, ``CorruptionError`` where it is damaged, and
    ``StorageError`` where it cannot be used.

    >>> with Executor() as ex:
    ...     ex.register("greet", lambda who: f"Hello, {who}!")
    ...     context = ex.run({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "greet", "End": True}}}, "you")
    >>> context.output
    b'"Hello, you!"'
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
    ) -> None:
        _core.check_name("tenant", tenant)
        _core.check_name("namespace", namespace)
        self._tenant, self._namespace = tenant, namespace
        self._store = _core.Store.open(None if data is None else os.fspath(data))
        self.storage = Storage(self._store)
        self._handlers = Handlers()
        self._pool = HandlerPool(self._handlers, self._answer, self._heartbeat, max_workers)
        self._partition = Partition(self._store, SystemClock(), self, limits)
        self._partition.on_ended = self._execution_ended
        self._workflows = Workflows(
            lambda name, version: self.storage.get(WorkflowContext, name, version),
            lambda name: next(iter(self.storage.scan(WorkflowContext, name, limit=1, reverse=True)), None),
        )
        self._checked: set[str] = set()
        self._deploying = threading.Lock()
        self._waiting = threading.Lock()
        self._latches: dict[str, list[Latch]] = {}
        self._polling = threading.Condition()
        self._last_started: str | None = None
        self._failure: BaseException | None = None
        self._closing = False
        for resource, function in (handlers or {}).items():
            self.register(resource, function)
        try:
            self._partition.recover()
            calls = self._partition.open_calls()
        except BaseException:
            self._store.close()
            raise
        self._thread = threading.Thread(target=self._run, name="stepwell-partition", daemon=True)
        self._thread.start()
        if calls:
            self._pool.resume(calls)

    # the life of the executor

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let running handlers end, put everything on disk and let the folder go."""
        if self._closing:
            return
        self._pool.close()
        self._closing = True
        self._store.notify()
        self._thread.join()
        self._fail_waiters(Closed("the executor was closed"))
        self._store.close()

    def _run(self) -> None:
        """The partition's loop."""
        partition, store = self._partition, self._store
        applied = store.applied()
        try:
            while not self._closing:
                worked = partition.step()
                applied = store.applied() if worked else store.wait(applied, self._timeout())
                partition.release(applied)
                self._pool.tend()
            store.wait_applied(store.tail(), None)
            partition.release(store.applied())
        except BaseException as error:  # noqa: BLE001 - whoever waits must learn of it
            self._failure = error
            self._fail_waiters(error)

    def _timeout(self) -> float | None:
        """How long the loop may sleep: until the next timer, or until handlers want tending."""
        timeout = self._partition.timeout()
        if not self._pool.has_backlog:
            return timeout
        return TEND_SECONDS if timeout is None else min(timeout, TEND_SECONDS)

    def _fail_waiters(self, error: BaseException) -> None:
        with self._waiting:
            latches = [latch for waiting in self._latches.values() for latch in waiting]
            self._latches.clear()
        for latch in latches:
            latch.fail(error)

    def _check_open(self) -> None:
        if self._failure is not None:
            raise StorageError(f"the executor has stopped: {self._failure}") from self._failure
        if self._closing:
            raise Closed("the executor was closed")

    # handlers

    def register(self, resource: str, function: Handler) -> None:
        """Let ``function`` do the work of ``resource``: a name, an ARN, or a pattern of ARNs."""
        self._handlers.register(resource, function)
        self._checked.clear()
        self._pool.retry_waiting()

    def task(self, resource: str) -> Callable[[Handler], Handler]:
        """The decorator that registers a handler."""

        def decorate(function: Handler) -> Handler:
            self.register(resource, function)
            return function

        return decorate

    def dispatch(self, tasks: list[Call]) -> None:
        """The partition's tasks, once they are durable."""
        self._pool.dispatch(tasks)

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        with self._polling:
            self._polling.notify_all()

    def _answer(self, results: Iterable[Result]) -> None:
        self._partition.answer([_command_of(result) for result in results])

    def _heartbeat(self, task_id: str) -> None:
        self._partition.answer([(r.HeartbeatTaskCommand(task_id, 0), NONE)])

    # workflows

    def deploy(self, name: str, definition: Definition, *, type: str = "STANDARD") -> Workflow:
        """Keep a definition under a name: a dict, JSON text, or the path of a JSON file.

        The same definition again is the same version; another one is the next version, and running
        executions keep theirs. Durable when it returns. Raises ``InvalidDefinition``, and
        ``InvalidName`` for an empty or overlong name or one with control characters.
        """
        self._check_open()
        _check_name("workflow", name)
        text = definition_text(definition)
        compile_definition(text, type=type)
        with self._deploying:
            latest = self._workflows.latest(name)
            if latest is not None and latest.context.definition == text and latest.context.type == type:
                return latest
            version = 1 if latest is None else latest.context.version + 1
            self._ask(r.PutWorkflowCommand(name, version, text, type))
            context = self.storage.get(WorkflowContext, name, version)
            assert context is not None
            self._workflows.put(context)
            return self._workflows.get(f"{name}:{version}")

    def workflow(self, name: str) -> Workflow:
        """The newest version under a name. Raises ``WorkflowNotFound``."""
        workflow = self._workflows.latest(name)
        if workflow is None:
            raise WorkflowNotFound(f"no workflow is deployed under the name {name!r}")
        return workflow

    def workflow_of(self, workflow_id: str) -> Workflow:
        """A version by its id, ``name:version``."""
        return self._workflows.get(workflow_id)

    # executions

    def start(
        self,
        workflow: str,
        input: Any = None,
        execution_name: str | None = None,
        *,
        delay: float | None = None,
        at: float | None = None,
    ) -> Execution:
        """Start an execution; durable when it returns.

        ``input`` is any JSON value (none: ``{}``). With an ``execution_name``, the same name and input
        again give the same execution while it runs, and ``ExecutionAlreadyExists`` otherwise.
        ``delay`` (seconds) or ``at`` (seconds since the epoch) hold it ``Pending`` until then.
        Raises ``WorkflowNotFound``, ``HandlerNotFound``, ``InvalidInput``, ``InvalidName``, ``Busy``.
        """
        latch = Latch()
        id = self.submit_start(workflow, input, execution_name, latch.reply, delay=delay, at=at)
        return Execution(self, self._started(latch.wait(None), id))

    def submit_start(
        self,
        workflow: str,
        input: Any,
        execution_name: str | None,
        reply: Reply,
        *,
        delay: float | None = None,
        at: float | None = None,
    ) -> str:
        """Put a start into the inbox; ``reply`` gets the execution's id once it is durable."""
        self._check_open()
        found = self.workflow(workflow)
        self._check_handlers(found)
        document = Document(input_text(input))
        if execution_name is not None:
            _check_name("execution", execution_name)
        tick = self._partition.hlc.tick(time.time_ns() // 1_000_000_000)
        key = f"{workflow}/{execution_name}" if execution_name is not None else self._last_started or ""
        id = _core.execution_id(self._tenant, self._namespace, _core.hash7(key), tick)
        name = execution_name if execution_name is not None else "-".join(id.split("/")[-2:])
        command = r.StartExecutionCommand(
            id, found.id, None, name, found.context.type, _start_at(delay, at), None, execution_name is not None
        )
        self._last_started = id
        self._partition.submit(command, document, reply)
        return id

    @staticmethod
    def _started(scope: Any, id: str) -> str:
        return scope if isinstance(scope, str) else id

    def run(self, definition: Definition, input: Any = None, *, type: str = "STANDARD") -> ExecutionContext:
        """Deploy a definition under a name of its own, run it to its end and return its context."""
        text = definition_text(definition)
        workflow = self.deploy(f"run-{_core.hash7(text.decode())}", text, type=type)
        return self.start(workflow.name, input).wait().context()

    def wait_execution_done(self, timeout: float | None = None) -> ExecutionContext:
        """Wait for the end of the execution that was started last."""
        if self._last_started is None:
            raise ExecutionNotFound("no execution was started by this executor")
        return Execution(self, self._last_started).wait(timeout).context()

    def get(self, id: str) -> Execution:
        """An execution by its id. Raises ``ExecutionNotFound``."""
        self.context(id)
        return Execution(self, id)

    def list(self, workflow: str | None = None, status: str | None = None, limit: int = 1000) -> list[Execution]:
        """Executions, the newest first, of one workflow or of all, in one status or in any."""
        if status is not None and status not in STATUSES:
            raise InvalidInput(f"there is no status {status!r}; give one of {', '.join(STATUSES)}")
        rows = [
            row
            for prefix in self._visibility_prefixes(workflow, status)
            for row in self.storage.scan(VisibilityContext, *prefix, limit=limit)
            if status is None or row.status == status
        ]
        rows.sort(key=lambda row: (row.started_at, row.execution_id), reverse=True)
        return [Execution(self, row.execution_id) for row in rows[:limit]]

    def _visibility_prefixes(self, workflow: str | None, status: str | None) -> list[tuple[str, ...]]:
        names = [workflow] if workflow is not None else sorted({row.name for row in self._all_workflows()})
        statuses = [status] if status is not None else list(STATUSES)
        return [(name, each) for name in names for each in statuses]

    def _all_workflows(self) -> Iterable[WorkflowContext]:
        after: tuple[Any, ...] | None = None
        while rows := self.storage.scan(WorkflowContext, after=after):
            yield from rows
            after = (rows[-1].name, rows[-1].version)

    def stop(self, id: str, error: str | None = None, cause: str | None = None) -> Execution:
        """Cancel an execution; an ended one stays as it is. Raises ``ExecutionNotFound``."""
        if self.context(id).status not in ENDED:
            try:
                self._ask(r.CancelExecutionCommand(id, error, cause))
            except Rejected:  # it ended meanwhile
                pass
        return Execution(self, id)

    def delete(self, id: str) -> None:
        """Remove an ended execution and its history."""
        self.context(id)
        self._ask(r.DeleteExecutionCommand(id))

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution. Raises ``ExecutionNotFound``."""
        self._check_open()
        try:
            context = self.storage.get(ExecutionContext, id)
        except StorageError:
            raise
        except (StepwellError, ValueError) as error:
            raise ExecutionNotFound(f"{id!r} is no execution's id: {error}") from error
        if context is None:
            raise ExecutionNotFound(f"there is no execution {id!r}")
        return context

    def history(self, id: str) -> list[dict[str, Any]]:
        """The events of an execution in AWS's shape, timestamps in seconds."""
        context = self.context(id)
        reader = HistoryReader(self._workflows.get(context.workflow_id).machine)
        events: list[dict[str, Any]] = []
        while turns := self.storage.history(id, len(events) + 1):
            before = len(events)
            events += [event for event in reader.events(turns) if event["id"] > before]
            if len(events) == before:
                break
        return events

    # answers to tasks that wait

    def send_task_success(self, task_token: str, output: Any) -> None:
        """Complete the task that waits for this token. Raises ``TaskDoesNotExist``."""
        task = self._task_of(task_token)
        self._ask_task(r.CompleteTaskCommand(task.id, task.resource, None, 0, 0), Document(input_text(output)))

    def send_task_failure(self, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail the task that waits for this token. Raises ``TaskDoesNotExist``."""
        task = self._task_of(task_token)
        self._ask_task(r.FailTaskCommand(task.id, task.resource, error, cause, False, 0, 0))

    def send_task_heartbeat(self, task_token: str) -> None:
        """Say that the work on this token's task goes on. Raises ``TaskDoesNotExist``."""
        self._ask_task(r.HeartbeatTaskCommand(self._task_of(task_token).id, 0))

    def get_activity_task(
        self, activity: str, worker_name: str | None = None, timeout: float = 60.0
    ) -> TaskContext | None:
        """Take the next task of an activity (its ARN), waiting up to ``timeout`` seconds for one."""
        deadline = time.monotonic() + timeout
        while True:
            self._check_open()
            for row in self.storage.scan(QueueContext, activity, limit=16):
                task = self.storage.get(TaskContext, row.task_id)
                if task is None:
                    continue
                try:
                    self._ask(r.ActivateTaskCommand(task.id, task.resource, worker_name, 0, 0, 0))
                except Rejected:  # another worker was faster
                    continue
                return task
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            with self._polling:
                self._polling.wait(min(left, 1.0))

    def _task_of(self, token: str) -> TaskContext:
        self._check_open()
        return task_of_token(self.storage, token)

    def _ask_task(self, command: r.Command, document: Document = NONE) -> None:
        try:
            self._ask(command, document)
        except Rejected as error:
            raise TaskDoesNotExist("the task was answered before, or has timed out") from error

    # within

    def _ask(self, command: r.Command, document: Document = NONE) -> Any:
        """Put a command through the inbox and wait until what it did is durable."""
        self._check_open()
        latch = Latch()
        self._partition.submit(command, document, latch.reply)
        return latch.wait(None)

    def _check_handlers(self, workflow: Workflow) -> None:
        if workflow.id in self._checked:
            return
        for state in workflow.machine.by_name.values():
            if state.type != "Task" or state.parsed.kind == "activity":
                continue
            if not self._handlers.has(state.parsed, state.definition):
                raise HandlerNotFound(
                    f"no handler is registered for {state.resource!r}, the Resource of state {state.name!r} "
                    f"in workflow {workflow.name!r}; register one with task() or register()"
                )
        self._checked.add(workflow.id)

    def latch_for(self, id: str) -> Latch:
        """A latch that opens when the execution ends."""
        self._check_open()
        latch = Latch()
        with self._waiting:
            self._latches.setdefault(id, []).append(latch)
        return latch

    def forget_latch(self, id: str, latch: Latch) -> None:
        """Nobody waits at this latch any more."""
        with self._waiting:
            latches = self._latches.get(id, [])
            if latch in latches:
                latches.remove(latch)
            if not latches:
                self._latches.pop(id, None)

    def _execution_ended(self, execution: LiveExecution) -> None:
        if self._latches:
            with self._waiting:
                latches = self._latches.pop(execution.id, ())
            for latch in latches:
                latch.reply(None, None)


def definition_text(definition: Definition) -> bytes:
    """The JSON text of a definition: of a dict, of JSON text, or of a file."""
    if isinstance(definition, dict):
        return msgspec.json.encode(definition)
    if isinstance(definition, os.PathLike) or (
        isinstance(definition, str) and not definition.lstrip().startswith(("{", "[", '"'))
    ):
        path = Path(definition)
        try:
            return path.read_bytes()
        except OSError as error:
            raise InvalidDefinition(f"cannot read the definition {str(path)!r}: {error.strerror}") from error
    return definition.encode() if isinstance(definition, str) else bytes(definition)


def input_text(value: Any) -> bytes:
    """The JSON text of an input. Raises ``InvalidInput`` for what is not JSON."""
    if value is None:
        return b"{}"
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":")).encode() if _has_float(value) else None
        return text if text is not None else msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError, UnicodeEncodeError) as error:
        raise InvalidInput(f"the input is not JSON: {error}") from error


def _has_float(value: Any) -> bool:
    return isinstance(value, float)


def _start_at(delay: float | None, at: float | None) -> int:
    if delay is not None and at is not None:
        raise InvalidInput("give either delay or at, not both")
    if delay is not None:
        if delay < 0:
            raise InvalidInput(f"a delay cannot be negative: {delay}")
        at = time.time() + delay
    if at is None:
        return 0
    return max(1, int(at * 1_000_000))


def _check_name(what: str, name: str) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LENGTH:
        raise InvalidName(f"the name of a {what} has 1 to {NAME_LENGTH} characters: {name!r}")
    bad = next((c for c in name if not c.isprintable() or c in '/:<>{}[]?*"#%\\^|~`$&,;'), None)
    if bad is not None or name != name.strip():
        raise InvalidName(f"the name of a {what} may not hold {bad!r}: {name!r}" if bad else f"blanks around {name!r}")


def _command_of(result: Result) -> tuple[r.Command, Document]:
    if result.output is None:
        return r.FailTaskCommand(result.id, result.resource, result.error, result.cause, False, 0, 0), NONE
    kind = r.SubmitTaskCommand if result.submitted else r.CompleteTaskCommand
    return kind(result.id, result.resource, None, 0, 0), Document(result.output)
