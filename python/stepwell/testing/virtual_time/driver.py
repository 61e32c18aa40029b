"""The driver: it decides what happens next, and when the virtual clock moves on.

What is to be done is a generator of calls of handlers: a test executor makes each of them, in its own thread or on the
test's event loop, and asks for the next one. So both executors share every decision, and one thing happens at a time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator
from functools import partial
from typing import Protocol

from stepwell.errors import StepwellError
from stepwell.tasks.calls import Call, Result
from stepwell.testing.virtual import VirtualClock

from .alarms import VirtualAlarms
from .disturbances import Crashed, Disturbance
from .pool import Job, JobQueue

__tracebackhide__ = operator.methodcaller("errisinstance", StepwellError)  # pytest shows the test's line instead
Jobs = Generator[Job, None, None]
MOST_JOBS = 1_000_000
"""So many calls of handlers at one moment of virtual time are a loop without an end."""
LONGEST = 366 * 86_400 * 1_000_000
"""A wait without a limit gives up after so much virtual time: what runs on for longer does not end."""


class Driven(Protocol):
    """A host that works only when it is pumped."""

    def pump(self) -> None:
        """Process what is there, until only handlers and time can go on."""
        ...

    def next_due(self) -> int | None:
        """When its next timer is due, in microseconds since the epoch."""
        ...


class Driver:
    """Runs a host on a virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.alarms = clock, VirtualAlarms(clock)
        self.failures: list[BaseException] = []
        """What is wrong with the test: it is raised where the test drives the engine next."""
        self.disturbance: Disturbance | None = None
        """What goes wrong; None: nothing, and calls are made in the order in which they were dispatched."""
        self.is_driving = self.has_crashed = False
        """Whether a test drives the engine, so that things may go wrong; whether the engine is to be opened again."""
        self.answer: Callable[[list[Result]], None] = _nobody
        """Gives results of tasks to the engine."""
        self._host: Driven | None = None
        self._queue = JobQueue()

    def attach(self, host: Driven, queue: JobQueue) -> None:
        """Drive this host, whose handlers' calls are in ``queue``."""
        self._host, self._queue = host, queue

    def fail(self, error: BaseException) -> None:
        """The test is wrong, or one of its handlers ends it."""
        self.failures.append(error)

    def check(self) -> None:
        """Raise what is wrong with the test, once; what has gone wrong after it belongs to that."""
        if self.failures:
            first = self.failures[0]
            self.failures.clear()
            raise first

    def next_due(self) -> int | None:
        """When the next timer or alarm is due, in microseconds; None: nothing is."""
        assert self._host is not None
        times = [due for due in (self._host.next_due(), self.alarms.next_due()) if due is not None]
        return min(times, default=None)

    # what is to be done

    def settle(self, until: Callable[[], bool] = lambda: False) -> Jobs:
        """The calls until nothing is left to do now, or ``until`` says that it is enough."""
        assert self._host is not None
        for _ in range(MOST_JOBS):
            self._host.pump()
            self.check()
            if until():
                return
            job = self._next_job()
            if job is not None:
                yield job
            elif not self.alarms.fire():
                return
        raise StepwellError(f"{MOST_JOBS} handlers were called, and no time has passed: does a loop never wait?")

    def advance_to(self, time: int) -> Jobs:
        """The calls until ``time``: each timer that is due by then fires at its own time."""
        yield from self.settle()
        while (due := self.next_due()) is not None and due <= time:
            self.clock.advance_to(due)
            yield from self.settle()
        self.clock.advance_to(time)
        yield from self.settle()

    def waiting(self, is_done: Callable[[], bool], limit: int | None) -> Callable[[], Generator[Job, None, bool]]:
        """Makes the calls until ``is_done``, for ``limit`` microseconds at most, counted from now.

        Made anew after a crash, they have the same deadline.
        """
        deadline = self.clock.now() + (LONGEST if limit is None else limit)
        return partial(self._run_until, is_done, deadline, limit is not None)

    def _run_until(
        self, is_done: Callable[[], bool], deadline: int, waits_for_deadline: bool
    ) -> Generator[Job, None, bool]:
        """The calls until ``is_done``; the clock moves from timer to timer. Returns whether it is.

        It is not if nothing is due any more, or not before the deadline.
        """
        while True:
            yield from self.settle(is_done)
            if is_done():
                return True
            due = self.next_due()
            if due is None or due > deadline:
                break
            self.clock.advance_to(due)
        if waits_for_deadline:
            self.clock.advance_to(deadline)
        return False

    def _next_job(self) -> Job | None:
        if not len(self._queue):
            return None
        return self._queue.take(0 if self.disturbance is None else self.disturbance.pick(self._queue.waiting))

    # what goes wrong

    def check_crash(self) -> None:
        """Raise ``Crashed`` if the engine is to be opened again: nothing more happens in it."""
        if self.has_crashed:
            raise Crashed("the process of the engine has died, as explore() wanted")

    def batch_is_durable(self) -> None:
        """A batch is durable, and its effects come next."""
        if self.is_driving and self.disturbance is not None and self.disturbance.crashes_after_batch():
            self.has_crashed = True
            self.check_crash()

    def results_arrive(self, call: Call, deadline: Callable[[], int], give: Callable[[], None]) -> None:
        """Results of a handler arrive: ``give`` puts them into the inbox. ``deadline`` is when the task times out."""
        disturbance = self.disturbance
        if disturbance is None or not self.is_driving:
            give()
            return
        if disturbance.crashes_before_result(call):
            self.has_crashed = True
            self.check_crash()
        late = disturbance.lateness(call, deadline(), self.clock.now())
        if late:
            self.alarms.after(late / 1_000_000, give)
            return
        give()
        if disturbance.repeats(call):
            give()


def _nobody(results: list[Result]) -> None:
    raise AssertionError("no engine is open")
