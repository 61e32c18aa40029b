"""Dispatch: gives durable tasks to handlers, and their results to the inbox.

Sync handlers run in threads (threads.py). Async handlers run on an event loop (coroutines.py): the program's own under
``AsyncExecutor``, or one in a thread that the first async handler starts. Right before it calls a handler, the pool
checks that the task is still open. Tasks wait if they are beyond the limit of their handler (limits.py), or have no
handler (unhandled.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import is_object, loads
from stepwell.asl.resources import parse_resource
from stepwell.errors import Closed

from .alarms import Alarms
from .calls import Answered, Call, Deferred, Result
from .context import HandlerContext, current_call
from .coroutines import STOPPING_SECONDS, Body, CoroutineRunner
from .failures import log_cancellation, log_failure, text_of
from .handlers import Handlers
from .limits import Limit
from .overdue import Overdue
from .threads import HandlerThreads
from .unhandled import Unhandled
from .work import LAMBDA_STATUS, Work

if TYPE_CHECKING:
    import asyncio

    from .calls import CallHandler
    from .remote import RemoteHandlers

__all__ = ["LAMBDA_STATUS", "WAKE_SECONDS", "Answered", "Call", "Deferred", "HandlerPool", "Result"]

HANDLER_SECONDS = 10.0
"""After so long without a registration a new task without a handler fails."""
WAKE_SECONDS = 0.002
"""How long tasks of quick handlers may wait without headway before they get another thread."""
CLOSING_SECONDS = 10.0
"""How long handlers may take to end after a stop."""

Answer = Callable[[Iterable[Result]], None]
Around = Callable[[Call], AbstractContextManager[None]]
_NOTHING = nullcontext()


class HandlerPool:
    """Runs handlers and returns their results.

    ``freed`` is called for each task that the partition counts for a limit, when its call begins, or when it ends
    before that.
    """

    def __init__(
        self,
        handlers: Handlers,
        answer: Answer,
        heartbeat: Callable[[str], None],
        max_workers: int = 64,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        freed: Callable[[Call], None] = lambda call: None,
        handler_seconds: float | None = HANDLER_SECONDS,
        traceback_characters: int = 0,
        now: Callable[[], int] = lambda: time_ns() // 1000,
        alarms: Alarms | None = None,
        threads: Callable[[Callable[[Work], Result | None], Answer, int], HandlerThreads] = HandlerThreads,
    ) -> None:
        self._handlers, self._answer, self._heartbeat, self._freed = handlers, answer, heartbeat, freed
        self._now = now
        self._traceback_characters = traceback_characters
        self._works: dict[str, Work] = {}
        """The tasks that wait or run, by id."""
        self._alarms = alarms or Alarms()
        self._threads = threads(self._run, answer, max_workers)
        self.wake_worker = self._threads.wake_worker  # called in each turn of a partition's loop
        self._overdue = Overdue(self._threads, self._alarms, max_workers, self._free_slot)
        self._unhandled = Unhandled(handlers, handler_seconds, self._alarms, answer)
        self.coroutines: CoroutineRunner = CoroutineRunner(loop)
        self.around: Around = lambda call: _NOTHING
        """What surrounds each call of a handler: traces set the context of its spans."""
        self._remote: RemoteHandlers | None = None
        self._closed = False
        self._close_until: float | None = None

    # tasks that come in

    def dispatch(self, calls: list[Call]) -> None:
        """Start durable tasks."""
        self._take_in(calls, are_new=True)

    def resume(self, calls: list[Call]) -> None:
        """Start tasks again that were running when the process ended; those without a handler wait for it."""
        now = self._now()
        self._take_in([call for call in calls if not call.deadline or call.deadline > now], are_new=False)

    def retry_waiting(self) -> None:
        """A handler was registered: look again for the handlers of waiting tasks, and check the limits again."""
        self._unhandled.registered()
        self.dispatch(self._unhandled.take(self._has_handler))
        for limit in list(self._handlers.limits.values()):
            self._call_up(limit)

    def take_unhandled(self, which: Callable[[Call], bool]) -> list[Call]:
        """Remove and return tasks that wait for a handler: something else does them."""
        return self._unhandled.take(which)

    def needs_handlers(self) -> None:
        """An execution starts that needs a handler which is not registered."""
        self._unhandled.needed()

    def ended(self, task_ids: Iterable[str]) -> None:
        """Tasks have ended without their handlers' results: do not begin them, and cancel those that run."""
        running: list[Work] = []
        for task_id in task_ids:
            work = self._works.get(task_id)
            if work is None:
                self._forget(self._unhandled.discard(task_id))
                continue
            work.is_over = True  # set before the check below: ``_begins`` does both in the other order
            if work.is_running:
                running.append(work)
            elif self._threads.discard(work) or self._waited(work):
                self._drop(work)
        if running:
            self.coroutines.cancel([work.id for work in running if work.registration.is_async])
            self._overdue.watch(running)

    @property
    def unhandled(self) -> int:
        """How many tasks wait for a handler to be registered."""
        return len(self._unhandled)

    @property
    def running(self) -> int:
        """How many handlers run."""
        return sum(work.is_running for work in list(self._works.values()))

    @property
    def overdue(self) -> int:
        """How many handlers still run some time after the end of their tasks."""
        return len(self._overdue)

    def _take_in(self, calls: list[Call], *, are_new: bool) -> None:
        if self._closed:
            return
        works: list[Work] = []
        refused: list[Result] = []
        unhandled: list[Call] = []
        for call in calls:
            try:
                work = self._work(call)
            except Exception as error:  # noqa: BLE001 - input too deep to read, a bad pattern: this task's fault alone
                refused.append(Result(call.id, call.resource, None, type(error).__name__, text_of(error), False))
                self._forget(call)
                continue
            if work is None:
                unhandled.append(call)
            else:
                works.append(work)
        if unhandled:
            self._unhandled.add(unhandled, are_new=are_new)
            works += [work for call in self._unhandled.take(self._has_handler, unhandled) if (work := self._work(call))]
        if refused:
            self._answer(refused)
        self._works.update({work.id: work for work in works})
        if self._handlers.limits:
            works = self._without_limit(works)
        self._start(works)

    def _without_limit(self, works: list[Work]) -> list[Work]:
        """The works whose handlers have no limit; the others are given to their limits."""
        by_limit: dict[Limit[Work], list[Work]] = {}
        free: list[Work] = []
        for work in works:
            limit = work.registration.limit
            (free if limit is None else by_limit.setdefault(limit, [])).append(work)
        for limit, waiting in by_limit.items():
            limit.add(waiting)
            self._call_up(limit)
        return free

    def _start(self, works: list[Work]) -> None:
        sync = [work for work in works if not work.registration.is_async]
        if len(sync) < len(works):
            bodies: list[tuple[str, Body]] = [
                (work.id, partial(self._run_async, work)) for work in works if work.registration.is_async
            ]
            self.coroutines.start(bodies)
        if sync:
            self._threads.start(sync)

    def _has_handler(self, call: Call) -> bool:
        return self._handlers.find_for(call, parse_resource(call.resource), lambda: loads(call.input)) is not None

    def _work(self, call: Call) -> Work | None:
        resource = parse_resource(call.resource)
        argument = loads(call.input)
        registration = self._handlers.find_for(call, resource, lambda: argument)
        if registration is None:
            return None
        if resource.invokes_function and is_object(argument):
            argument = argument.get("Payload", {})
        return Work(call, resource, registration, argument)

    # one task

    def _begins(self, work: Work) -> bool:
        """Whether to call the handler now: checked right before the call."""
        call, limit = work.call, work.registration.limit
        work.is_running = True
        if work.is_over or (call.deadline and call.deadline <= self._now()):
            work.is_running = False
            self._drop(work)
            return False
        if limit is not None:
            limit.begin(work)
            if limit.has_waiting:
                self._watch(limit)
        if call.limit:
            self._freed(call)
        work.began = monotonic()
        return True

    def _run(self, work: Work) -> Result | None:
        """Call a sync handler, unless its task has ended."""
        if not self._begins(work):
            return None
        token = current_call.set(work.call)
        try:
            with self.around(work.call):
                value = work.registration.function(*self._arguments(work))
            result = work.succeeded(value)
        except BaseException as error:  # noqa: BLE001 - a handler may raise whatever it likes
            result = self._failed(work, error)
        current_call.reset(token)
        self._finish(work)
        return None if work.is_over else result

    async def _run_async(self, work: Work) -> None:
        if not self._begins(work):
            return
        current_call.set(work.call)  # of this task of the loop alone
        try:
            with self.around(work.call):
                value = await work.registration.function(*self._arguments(work))
            result = work.succeeded(value)
        except GeneratorExit:  # its loop is gone
            raise
        except BaseException as error:  # noqa: BLE001 - a handler may raise whatever it likes
            if self.coroutines.is_being_canceled():
                result = None
                if not work.is_over and not self._closed:
                    log_cancellation(work.call)
            else:
                result = self._failed(work, error)
        self._finish(work)
        if result is not None and not work.is_over:
            self._answer(work.results(result))

    def _failed(self, work: Work, error: BaseException) -> Result | None:
        """The result of a handler that raised; None: the task has ended, or starts again at the next opening."""
        if work.is_over or (self._closed and isinstance(error, Closed)):
            return None
        log_failure(work.call, error)
        return work.failed(error, self._traceback_characters)

    def _finish(self, work: Work) -> None:
        """A handler has returned or raised."""
        work.is_running = False
        self._works.pop(work.id, None)
        if work.is_over:
            self._overdue.returned(work)
        if work.registration.limit is not None:
            self._free_slot(work)

    def _drop(self, work: Work) -> None:
        """A task has ended before its handler was called."""
        self._works.pop(work.id, None)
        self._forget(work.call)
        limit = work.registration.limit
        if limit is not None:
            limit.discard(work)
            self._call_up(limit)

    def _forget(self, call: Call | None) -> None:
        if call is not None and call.limit:
            self._freed(call)

    def _arguments(self, work: Work) -> tuple[Any, ...]:
        call = work.call
        if work.registration.takes_call:
            return (call, lambda: work.is_over)
        if not work.registration.takes_context:
            return (work.argument,)
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
            lambda: work.is_over,
            call.started_at,
            call.trace_header,
        )
        return (work.argument, context)

    # handlers in workers

    def remote_handlers(
        self, register: Callable[[str, CallHandler, int], None], is_open: Callable[[str], bool]
    ) -> RemoteHandlers:
        """The handlers that run in workers, made when the first worker comes; one caller at a time."""
        if self._remote is None:
            from .remote import RemoteHandlers

            self._remote = RemoteHandlers(self._handlers, register, is_open)
        return self._remote

    # limits of handlers

    def _waited(self, work: Work) -> bool:
        limit = work.registration.limit
        return limit is not None and limit.discard(work)

    def _free_slot(self, work: Work) -> None:
        """A call has ended, or is not counted any longer: the next one may begin."""
        limit = work.registration.limit
        if limit is not None:
            limit.ended(work)
            self._call_up(limit)

    def _call_up(self, limit: Limit[Work]) -> None:
        """Start the waiting work that a limit allows now, and set an alarm for more if it has a rate."""
        works = limit.call_up()
        if works and not self._closed:
            self._start(works)
        if limit.has_waiting:
            self._watch(limit)

    def _watch(self, limit: Limit[Work]) -> None:
        delay = None if limit.is_watched else limit.delay()
        if delay is not None:
            limit.is_watched = True
            self._alarms.after(delay, partial(self._rate_allows_more, limit))

    def _rate_allows_more(self, limit: Limit[Work]) -> None:
        limit.is_watched = False
        self._call_up(limit)

    # threads

    @property
    def has_backlog(self) -> bool:
        """Whether tasks wait for a thread, or results for a busy one."""
        return self._threads.has_backlog

    # the end

    def stop(self, timeout: float = CLOSING_SECONDS) -> None:
        """Start no more tasks; those that have not started stay on the log. Others have ``timeout`` seconds to end."""
        if self._close_until is None:
            self._close_until = monotonic() + timeout
        self._closed = True
        if self._remote is not None:
            self._remote.close()
        self._threads.stop()
        self.coroutines.stop()
        self._alarms.stop()

    def close(self, timeout: float = CLOSING_SECONDS) -> None:
        """Stop, and wait for the handlers of open tasks; the time counts from an earlier ``stop``."""
        self.stop(timeout)
        assert self._close_until is not None
        deadline = self._close_until
        self._threads.join(deadline - STOPPING_SECONDS, self._count_over)
        self.coroutines.close(deadline - monotonic())
        self._threads.join(deadline, self._count_over)
        self._threads.return_results()

    def _count_over(self) -> int:
        """How many threads run handlers of tasks that have ended: closing does not wait for them."""
        works = list(self._works.values())
        return sum(work.is_over and work.is_running and not work.registration.is_async for work in works)
