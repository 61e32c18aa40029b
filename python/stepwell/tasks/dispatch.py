"""Dispatch: gives durable tasks to handlers, and their results to the inbox.

Sync handlers run in threads, which are started when they are needed. Async handlers run on an event loop: the
program's own under ``AsyncExecutor``, or one in a thread that the first async handler starts. Threads take tasks from
one queue and return results in batches.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic, sleep, time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from stepwell.asl.json import dumps, is_object, loads
from stepwell.asl.resources import Resource, function_name, parse_resource
from stepwell.errors import Closed, HandlerNotFound, InvalidInput, TaskError
from stepwell.logs import logger

from .context import HandlerContext
from .coroutines import Body, CoroutineRunner, is_being_canceled
from .handlers import Handlers, Registration

if TYPE_CHECKING:
    import asyncio

log = logger("stepwell.tasks")

RESULT_BATCH_SECONDS = 0.0003
"""How long results of quick handlers may wait for one another, to be returned together."""
WAKE_SECONDS = 0.002
"""How long tasks of quick handlers may wait without headway before they get another thread."""
IDLE_SECONDS = 30.0
"""How long a thread waits for work before it ends."""
LAMBDA_STATUS = {"ExecutedVersion": "$LATEST", "StatusCode": 200}


class Call(Struct, frozen=True, array_like=True):
    """A task for a handler. ``deadline`` is its timeout, in microseconds since the epoch (0: none)."""

    id: str
    execution_id: str
    state_name: str
    resource: str
    input: bytes
    attempt: int
    token: str | None
    deadline: int
    execution_arn: str = ""
    state_machine_arn: str = ""


class Result(NamedTuple):
    """The result of a task: an output as JSON text, or an error. ``submitted``: its token completes it later."""

    id: str
    resource: str
    output: bytes | None
    error: str | None
    cause: str | None
    submitted: bool
    follow: Callable[[], None] | None = None

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to record yet."""
        return self.output is None and self.follow is not None


class Deferred(Struct, frozen=True):
    """Returned by a handler of the engine's own for a task that it completes later, without a token.

    ``submitted`` is the first answer of the call (None: nothing); ``follow`` is called once that is in the inbox.
    """

    submitted: Any
    follow: Callable[[], None]


class Answered(Struct, frozen=True):
    """Returned by a handler that replaces a service: the whole result of the task.

    A task that would wait for a token or a job is submitted with it, and completed at once.
    """

    output: Any


Answer = Callable[[Iterable[Result]], None]


class Work:
    """A call with its handler and its input."""

    __slots__ = ("argument", "call", "ends_at_once", "is_lambda_invoke", "registration", "resource")

    def __init__(self, call: Call, resource: Resource, registration: Registration, argument: Any) -> None:
        self.call, self.resource, self.registration, self.argument = call, resource, registration, argument
        self.ends_at_once = False
        """Whether its submission is its result, too."""
        self.is_lambda_invoke = resource.service == "lambda" and resource.action == "invoke"

    def succeeded(self, value: Any) -> Result:
        """The result when the handler returned ``value``."""
        call = self.call
        if type(value) is Deferred:
            output = None if value.submitted is None else dumps(value.submitted)
            return Result(call.id, call.resource, output, None, None, True, value.follow)
        waits = self.resource.waits_for_token
        if type(value) is Answered:
            value, waits = value.output, bool(self.resource.pattern)
            self.ends_at_once = waits
        elif self.is_lambda_invoke and not waits:
            value = {**LAMBDA_STATUS, "Payload": value}
        try:
            output = dumps(value)
        except Exception as error:  # noqa: BLE001 - whatever a value's own encoding raises
            return self.failed(InvalidInput(f"the handler of {call.resource!r} returned what is not JSON: {error}"))
        return Result(call.id, call.resource, output, None, None, waits)

    def failed(self, error: BaseException) -> Result:
        """The result when the handler raised: an ASL error, named by the exception's class or by a TaskError."""
        if isinstance(error, TaskError):
            name, cause = _text(error.error), None if error.cause is None else _text(error.cause)
        else:
            name, cause = type(error).__name__, _text(error)
        return Result(self.call.id, self.call.resource, None, name, cause, False)


def _text(value: object) -> str:
    """The text of a handler's error, as the log can hold it."""
    try:
        text = value if isinstance(value, str) else str(value)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()
    except Exception as error:  # noqa: BLE001 - an exception's own text may raise whatever it likes
        return f"its text cannot be read: {type(error).__name__}"


class HandlerPool:
    """Runs handlers and returns their results.

    A quick handler does not get a thread of its own: one thread runs such tasks one after the other, because waking
    threads costs more than the work. ``wake_worker`` wakes another one when that thread makes no progress.
    """

    def __init__(
        self,
        handlers: Handlers,
        answer: Answer,
        heartbeat: Callable[[str], None],
        max_workers: int = 64,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._handlers, self._answer, self._heartbeat = handlers, answer, heartbeat
        self._max_workers = max_workers
        self._resources: dict[str, Resource] = {}
        self._queue: deque[Work] = deque()
        self._results: deque[Result] = deque()
        self._ready = threading.Condition()
        self._idle = self._threads = 0
        self._taken = self._taken_before = 0
        self._waiting: list[Call] = []
        self.coroutines = CoroutineRunner(loop)
        self._closed = False

    def dispatch(self, calls: list[Call]) -> None:
        """Start durable tasks."""
        if self._closed:
            return
        sync: list[Work] = []
        coroutines: list[Body] = []
        refused: list[Result] = []
        for call in calls:
            try:
                work = self._work(call, refused)
            except Exception as error:  # noqa: BLE001 - input too deep to read, a bad pattern: this task's fault alone
                refused.append(Result(call.id, call.resource, None, type(error).__name__, _text(error), False))
                continue
            if work is None:
                continue
            if work.registration.is_async:
                coroutines.append(partial(self._run_async, work))
            else:
                sync.append(work)
        if refused:
            self._answer(refused)
        if coroutines:
            self.coroutines.start(coroutines)
        if sync:
            self._start_sync(sync)

    def resume(self, calls: list[Call]) -> None:
        """Start tasks again that were running when the process ended, once their handlers are registered."""
        self._waiting += calls
        self.retry_waiting()

    def retry_waiting(self) -> None:
        """Look again for the handlers of tasks that wait for one."""
        with self._ready:
            waiting, self._waiting = self._waiting, []
            found: list[Call] = []
            for call in waiting:
                (found if self._has_handler(call) else self._waiting).append(call)
        now = time_ns() // 1000
        self.dispatch([call for call in found if not call.deadline or call.deadline > now])

    def _has_handler(self, call: Call) -> bool:
        return self._handlers.find(self._parse(call.resource), lambda: loads(call.input)) is not None

    def stop(self) -> None:
        """Start no more tasks; those that have not started stay on the log."""
        with self._ready:
            self._closed = True
            self._queue.clear()
            self._ready.notify_all()
        self.coroutines.stop()

    def close(self, timeout: float = 10.0) -> None:
        """Stop, and wait for running handlers."""
        self.stop()
        deadline = monotonic() + timeout
        while self._threads and monotonic() < deadline:
            sleep(0.002)
        self._return_results()
        self.coroutines.close(max(0.0, deadline - monotonic()))

    def _parse(self, text: str) -> Resource:
        resource = self._resources.get(text)
        if resource is None:
            resource = self._resources[text] = parse_resource(text)
        return resource

    def _work(self, call: Call, refused: list[Result]) -> Work | None:
        resource = self._parse(call.resource)
        argument = loads(call.input)
        registration = self._handlers.find(resource, lambda: argument)
        if registration is None:
            name = function_name(argument) if resource.service == "lambda" else None
            if name is None or not self._handlers:
                self._wait_for_handler(call)
            else:  # the input named the function, so a start could not check it
                cause = f"no handler is registered for the function {name!r} that {call.resource} is to call"
                refused.append(Result(call.id, call.resource, None, HandlerNotFound.__name__, cause, False))
            return None
        if resource.service == "lambda" and resource.action == "invoke" and is_object(argument):
            argument = argument.get("Payload", {})
        return Work(call, resource, registration, argument)

    def _wait_for_handler(self, call: Call) -> None:
        """Keep a task until there is a handler for it.

        A start checks that its handlers exist. So this task belongs to an older execution, and this process has not
        registered its handlers yet, or only reads the folder. Failing the task would be wrong in both cases.
        """
        if self._handlers:
            log.warning(
                "state %r of %s waits: no handler is registered for %r",
                call.state_name,
                call.execution_id,
                call.resource,
            )
        with self._ready:
            self._waiting.append(call)

    def _arguments(self, work: Work) -> tuple[Any, ...]:
        if not work.registration.takes_context:
            return (work.argument,)
        call = work.call
        context = HandlerContext(
            call.id,
            call.execution_id,
            call.state_name,
            call.resource,
            call.attempt,
            call.token,
            self._heartbeat,
            call.execution_arn,
            call.state_machine_arn,
        )
        return (work.argument, context)

    # sync handlers

    @property
    def has_backlog(self) -> bool:
        """Whether tasks wait for a thread, or results for a busy one."""
        return bool(self._queue or self._results)

    def wake_worker(self) -> None:
        """Wake one more thread if waiting tasks made no progress since the last call."""
        if self._results:  # their thread is busy with another task
            self._return_results()
        if self._queue:
            if self._taken == self._taken_before:
                self._wake(1)
            self._taken_before = self._taken

    def _start_sync(self, work: list[Work]) -> None:
        slow = sum(not each.registration.is_quick for each in work)
        self._queue.extend(work)
        self._wake(slow if slow or self._threads > self._idle else 1)

    def _wake(self, wanted: int) -> None:
        """Let ``wanted`` more threads take tasks, up to the limit of threads."""
        with self._ready:
            woken = min(wanted, self._idle)
            self._idle -= woken
            self._ready.notify(woken)
            started = min(wanted - woken, self._max_workers - self._threads)
            self._threads += max(started, 0)
        for _ in range(started):
            threading.Thread(target=self._work_in_thread, name="stepwell-handler", daemon=True).start()

    def _work_in_thread(self) -> None:
        try:
            while self._wait_for_work():
                self._run_tasks()
        finally:
            with self._ready:
                self._threads -= 1

    def _wait_for_work(self) -> bool:
        """Wait until there is something to do; False when the pool is closed."""
        with self._ready:
            while not self._queue and not self._closed:
                self._idle += 1
                if not self._ready.wait(IDLE_SECONDS):
                    self._idle -= 1
                    if not self._queue:
                        return False
            return not self._closed

    def _run_tasks(self) -> None:
        """Run tasks until the queue is empty; results of quick ones are returned together."""
        since = monotonic()
        while True:
            try:
                work = self._queue.popleft()
            except IndexError:
                break
            self._taken += 1
            if not work.registration.is_quick:
                self._return_results()
            began = monotonic()
            result = self._run(work)
            now = monotonic()
            work.registration.record_duration(now - began)
            if result is not None and work.ends_at_once:
                self._answer([result, result._replace(submitted=False)])
            elif result is not None:
                self._results.append(result)
            if now - since > RESULT_BATCH_SECONDS:
                self._return_results()
                since = now
        self._return_results()

    def _return_results(self) -> None:
        """Return the results of all threads; the first thread that comes does it."""
        results: list[Result] = []
        with suppress(IndexError):
            while True:
                results.append(self._results.popleft())
        if results:
            self._answer(results)

    def _run(self, work: Work) -> Result | None:
        try:
            return work.succeeded(work.registration.function(*self._arguments(work)))
        except BaseException as error:  # noqa: BLE001 - a handler may raise whatever it likes
            return None if self._was_closed_meanwhile(error) else work.failed(error)

    # async handlers

    async def _run_async(self, work: Work) -> None:
        try:
            result = work.succeeded(await work.registration.function(*self._arguments(work)))
        except BaseException as error:  # noqa: BLE001 - a handler may raise whatever it likes
            if is_being_canceled() or self._was_closed_meanwhile(error):
                return
            result = work.failed(error)
        self._answer([result, result._replace(submitted=False)] if work.ends_at_once else [result])

    def _was_closed_meanwhile(self, error: BaseException) -> bool:
        """Whether the handler failed because the executor was closed: its task stays open and starts again later."""
        return self._closed and isinstance(error, Closed)
