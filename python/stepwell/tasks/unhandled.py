"""Tasks for which no handler is registered: they wait for one, are logged, and fail after some time.

A start checks the handlers first and warns about missing ones. A task that is created nevertheless fails once the
program has had time to register its handlers, or a worker that starts anew to come back: the time counts from the
task's creation, or from the last registration after it. A task that was handed out before the folder was opened waits
without limit: it should not fail because a new version of the program forgot a handler. A program that neither
registers a handler nor starts an execution that needs one only reads the folder, so no task fails there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from stepwell.asl.json import loads
from stepwell.asl.resources import handler_name, parse_resource
from stepwell.logs import about, logger

from .alarms import Alarms
from .calls import Call, Result
from .handlers import Handlers

log = logger("stepwell.tasks")

REPORT_SECONDS = 1.0
"""How long a program has to register its handlers before the missing ones are logged."""
TASK_FAILED = "States.TaskFailed"


class Unhandled:
    """``seconds`` after its creation and the last registration a new task without a handler fails.

    None: it waits without limit.
    """

    def __init__(
        self, handlers: Handlers, seconds: float | None, alarms: Alarms, refuse: Callable[[list[Result]], None]
    ) -> None:
        self._handlers, self._seconds, self._alarms, self._refuse = handlers, seconds, alarms, refuse
        self._lock = threading.Lock()
        self._calls: dict[str, Call] = {}
        self._new: dict[str, float] = {}
        """The new ones, which fail, and when they came; the oldest first."""
        self._named: set[str] = set()
        """The handlers that were logged."""
        self._registered_at = monotonic()
        self._only_reads = True
        """Whether this program has started no execution that needs a handler."""
        self._reports = self._fails = False
        """Whether an alarm is set."""

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, calls: list[Call], *, are_new: bool) -> None:
        """Keep tasks until they have a handler; ``are_new``: created since the folder was opened."""
        with self._lock:
            self._calls.update([(call.id, call) for call in calls])
            if are_new:
                now = monotonic()
                self._new.update([(call.id, now) for call in calls if call.id not in self._new])
        self._set_alarms()

    def registered(self) -> None:
        """A handler was registered, and more may follow."""
        with self._lock:
            self._registered_at = monotonic()
            self._named.clear()
        self._set_alarms()

    def needed(self) -> None:
        """An execution starts that needs a handler which is not registered."""
        self._only_reads = False
        self._set_alarms()

    def discard(self, task_id: str) -> Call | None:
        """A task has ended; returns its call if it waited here."""
        with self._lock:
            self._new.pop(task_id, None)
            return self._calls.pop(task_id, None)

    def take(self, has_handler: Callable[[Call], bool], among: list[Call] | None = None) -> list[Call]:
        """Remove and return the tasks that have a handler now, of all or of some."""
        with self._lock:
            looked_at = self._calls.values() if among is None else [call for call in among if call.id in self._calls]
            found = [call for call in looked_at if has_handler(call)]
            for call in found:
                del self._calls[call.id]
                self._new.pop(call.id, None)
        return found

    def _set_alarms(self) -> None:
        with self._lock:
            reports, fails = bool(self._calls) and not self._reports, bool(self._new) and not self._fails
            if self._seconds is None:
                fails = False
            self._reports, self._fails = self._reports or reports, self._fails or fails
            since = max(self._registered_at, next(iter(self._new.values()), 0.0))
            seconds = since + (self._seconds or 0.0) - monotonic()
        if reports:
            self._alarms.after(REPORT_SECONDS, self._report)
        if fails:
            self._alarms.after(seconds, self._fail)

    def _fail(self) -> None:
        """Fail the new tasks whose time is over, unless the program only reads the folder."""
        with self._lock:
            self._fails = False
            if self._seconds is None or (self._only_reads and not self._handlers):
                return
            due = monotonic() - self._seconds
            over = [id for id, came in self._new.items() if max(came, self._registered_at) <= due]
            failed = [self._calls.pop(id) for id in over]
            for id in over:
                del self._new[id]
        if failed:
            self._refuse([Result(call.id, call.resource, None, TASK_FAILED, _cause(call), False) for call in failed])
        self._set_alarms()

    def _report(self) -> None:
        """Log each missing handler once, with the number of its tasks."""
        waiting: dict[str, list[Call]] = {}
        with self._lock:
            self._reports = False
            for call in self._calls.values():
                waiting.setdefault(_wanted(call), []).append(call)
            waiting = {name: calls for name, calls in waiting.items() if name not in self._named}
            self._named.update(waiting)
        for name, calls in sorted(waiting.items()):
            first = calls[0]
            log.warning(
                "no handler is registered for %r; waiting tasks: %d, for example of state %r of %s",
                *(name, len(calls), first.state_name, first.execution_id),
                extra=about(execution=first.execution_id, state=first.state_name),
            )


def _wanted(call: Call) -> str:
    """The name for which a handler is missing: the Resource, or the function that the task invokes."""
    return handler_name(parse_resource(call.resource), loads(call.input))


def _cause(call: Call) -> str:
    return f"{missing_text(_wanted(call), call.resource, call.state_name)}; register one with task() or register()"


def missing_text(name: str, resource: str, state_name: str) -> str:
    """That a state has no handler, which would have this name."""
    what = "the Resource of" if name == resource else "the function that is invoked by"
    return f"no handler is registered for {name!r}, {what} state {state_name!r}"
