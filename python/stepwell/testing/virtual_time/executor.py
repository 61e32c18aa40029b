"""The executor of a test: the engine on a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from stepwell.engine.api.executor import Executor
from stepwell.engine.client.commands import IfExists
from stepwell.engine.storage.contexts import TaskContext
from stepwell.testing.coverage import collect_closing

from .base import VirtualExecutor
from .control import Control, advance_by, target_of
from .durations import Duration, Time
from .executions import TestExecution


class TestExecutor(VirtualExecutor, Executor):
    """An ``Executor`` on a virtual clock, in memory (``data=None``) or over a folder.

    It is the engine itself: the same partition, log and storage. It has no thread. A call such as ``start`` processes
    what it can without handlers and time, and returns. ``run_until_idle``, ``advance``, ``advance_to`` and the waits of
    its executions call handlers, one at a time, in the order in which their tasks came, and move the clock from timer
    to timer. Real time plays no part: the same test does the same again, with the same ids and timestamps.

    ``start`` is where the clock begins; in a folder that was used later, there. ``seed`` is what random choices come
    from: jitter of retries, UUIDs, task tokens. ``mock`` are the mocks (``Mock``), ``strict`` makes an empty one that
    is strict. A task without a mock and a handler fails the test: the next call that drives the engine raises
    ``UnscriptedTask``. The other arguments are those of ``Executor``.
    """

    __test__ = False  # pytest is not to collect it
    counts_for_coverage = True

    def _begin(self) -> None:
        self._control = Control(self._driver, self._coroutines, self.crash)
        super()._begin()

    def __enter__(self) -> TestExecutor:
        return self

    def close(self) -> None:
        """Close it. Raises what is wrong with the test and was not raised before."""
        if self.counts_for_coverage:
            collect_closing(self)
        super().close()
        self._driver.check()

    # time

    def run_until_idle(self) -> None:
        """Call handlers until none is left to call and nothing is due now. The clock stands still.

        Raises ``UnscriptedTask`` for a task without a mock and a handler.
        """
        self._control.run_until_idle()

    def advance(
        self,
        duration: Duration | None = None,
        *,
        seconds: float | None = None,
        minutes: float | None = None,
        hours: float | None = None,
        days: float | None = None,
    ) -> None:
        """Move the clock on: ``advance("30d")``, ``advance("1h30m")``, ``advance(seconds=5)``, ``advance(timedelta)``.

        Everything that is due by then happens, each timer at its own time, also those that are set meanwhile; the
        handlers that this calls are waited for, however long they take. Raises ``InvalidInput`` for a negative
        duration, and beyond February 2106; ``UnscriptedTask``.
        """
        parts = {"seconds": seconds, "minutes": minutes, "hours": hours, "days": days}
        self._control.advance_to(advance_by(self._driver, duration, parts))

    def advance_to(self, time: Time) -> None:
        """Move the clock to a time: a ``datetime`` with a time zone, ISO 8601 text, or seconds since 1970.

        Raises ``InvalidInput`` for a time that is over, or has no time zone.
        """
        self._control.advance_to(target_of(self._driver, time))

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
    ) -> TestExecution:
        """Start an execution, as ``Executor.start`` does; ``delay`` and ``at`` are in virtual time."""
        started = super().start(
            workflow, input, execution_name, delay=delay, at=at, timeout=timeout, if_exists=if_exists
        )
        return cast(TestExecution, started)

    def get(self, id: str | None = None, *, workflow: str | None = None, name: str | None = None) -> TestExecution:
        """An execution by its id, short id or ARN, or by its workflow and its name, as ``Executor.get`` gives it."""
        return cast(TestExecution, super().get(id, workflow=workflow, name=name))

    def executions(self, workflow: str | None = None, **filters: Any) -> Iterator[TestExecution]:
        """All executions that fit, the newest first; the filters are those of ``Executor.executions``."""
        return cast("Iterator[TestExecution]", super().executions(workflow, **filters))

    def handle(self, id: str) -> TestExecution:
        execution = TestExecution(self.client, id, self._control)
        self._handles.add(execution)
        return execution

    # tasks of activities

    def _polled(self, activity: str, worker_name: str | None, timeout: float) -> TaskContext | None:
        polls = self.client.polls
        while True:
            self._control.drive_until(lambda: polls.has_tasks(activity), round(timeout * 1_000_000))
            task = polls.claim(activity)
            if task is None or self._handed_out(task, worker_name):
                return task
