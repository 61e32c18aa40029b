"""How a test drives the engine: it runs what is there, and moves the virtual clock."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from stepwell.errors import InvalidInput, StepwellError
from stepwell.tasks.context import current_call

from .disturbances import Crashed
from .driver import Driver
from .durations import Duration, Time, check_time, datetime_of, duration_of, time_of

if TYPE_CHECKING:
    import asyncio

    from .pool import Coroutines, Job

__tracebackhide__ = operator.methodcaller("errisinstance", StepwellError)  # pytest shows the test's line instead
Result = TypeVar("Result")
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}


def advance_by(driver: Driver, duration: Duration | None, parts: dict[str, float | None]) -> int:
    """The time to advance to. Raises ``InvalidInput``."""
    given = [] if duration is None else [duration_of(duration)]
    given += [UNITS[name] * duration_of(value) for name, value in parts.items() if value is not None]
    if not given:
        raise InvalidInput("advance() needs a duration: a text such as '30d', or seconds=30")
    return check_time(driver.clock.now() + sum(given))


def target_of(driver: Driver, time: Time) -> int:
    """A time to advance to, in microseconds. Raises ``InvalidInput`` for one that is over."""
    target, now = time_of(time), driver.clock.now()
    if target < now:
        raise InvalidInput(f"time does not go back: {datetime_of(target)} is before {datetime_of(now)}")
    return target


class Control:
    """Drives a driver in the thread that asks for it; one thread at a time. ``reopen`` opens an engine that crashed."""

    def __init__(
        self, driver: Driver, coroutines: Callable[[], Coroutines], reopen: Callable[[], None] = lambda: None
    ) -> None:
        self.driver, self._coroutines, self._reopen = driver, coroutines, reopen
        self._lock = threading.RLock()

    def run_until_idle(self) -> None:
        """Run until no handler runs and nothing is due now."""
        self._run(self.driver.settle)

    def advance_to(self, target: int) -> None:
        """Move the clock to a time; all that is due by then happens, each at its own time."""
        self._run(partial(self.driver.advance_to, target))

    def drive_until(self, is_done: Callable[[], bool], limit: int | None) -> bool:
        """Drive the engine until ``is_done``, for ``limit`` microseconds at most; whether it is."""
        return self._run(self.driver.waiting(is_done, limit))

    def _run(self, begin: Callable[[], Generator[Job, None, Result]]) -> Result:
        if current_call.get() is not None:  # a handler drives the engine that called it: this thread, or that of
            return self._run_all(begin())  # the loop, while the one that called it waits
        with self._lock:
            is_driving, self.driver.is_driving = self.driver.is_driving, True
            try:
                return self._run_through(begin)
            finally:
                self.driver.is_driving = is_driving

    def _run_through(self, begin: Callable[[], Generator[Job, None, Result]]) -> Result:
        """Run it, and run it on when the engine has crashed and is open again."""
        while True:
            try:
                return self._run_all(begin())
            except Crashed:
                if not self.driver.has_crashed:
                    raise
                self.driver.has_crashed = self.driver.is_driving = False
                self._reopen()
                self.driver.is_driving = True

    def _run_all(self, jobs: Generator[Job, None, Result]) -> Result:
        while True:
            try:
                job = next(jobs)
            except StopIteration as end:
                return end.value
            if job.body is not None:
                self._coroutines().run(job.id, job.body)
            else:
                job.run()
            self.driver.check_crash()


class AsyncControl:
    """Drives a driver on the running event loop: async handlers run there, plain functions in a thread."""

    def __init__(self, driver: Driver, coroutines: Callable[[], Coroutines]) -> None:
        self.driver, self._coroutines = driver, coroutines
        self._lock: asyncio.Lock | None = None

    async def run(self, jobs: Generator[Job, None, Result]) -> Result:
        """Make the calls, one after the other."""
        import asyncio

        if current_call.get() is not None:
            return await self._run_all(jobs)
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            return await self._run_all(jobs)

    async def drive_until(self, is_done: Callable[[], bool], limit: int | None) -> bool:
        """Drive the engine until ``is_done``, for ``limit`` microseconds at most; whether it is."""
        return await self.run(self.driver.waiting(is_done, limit)())

    async def _run_all(self, jobs: Generator[Job, None, Result]) -> Result:
        import asyncio

        while True:
            try:
                job = next(jobs)
            except StopIteration as end:
                return end.value
            if job.body is not None:
                await self._coroutines().run_here(job.id, job.body)
            else:
                await asyncio.to_thread(job.run)
