"""What hosts of tests have in common: the queue of calls, mocks of activities, results that may be lost."""

from __future__ import annotations

import threading
from abc import abstractmethod
from contextlib import nullcontext
from functools import partial

from stepwell import _core
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.promises import Callback, answering
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.storage.contexts import TaskContext
from stepwell.tasks.calls import Call
from stepwell.tasks.context import current_call
from stepwell.tasks.dispatch import HandlerPool, Result

from .activities import MockedActivities
from .disturbances import Crashed
from .driver import Driver
from .handlers import TestHandlers
from .listeners import DrivenListeners
from .pool import DrivenPool


class DrivenHost(Host):
    """A host whose partitions work in the threads of its callers, one thing at a time."""

    driver: Driver
    activities: MockedActivities | None = None
    effects_may_read = False
    """Whether reads of storage are requests, which effects may make: they are answered at once."""

    def _begin_driving(self, driver: Driver) -> None:
        """Called before the partitions are opened."""
        self.driver = driver
        self._interrupted: list[Call] = []
        self._pumping = threading.RLock()
        self._is_pumping = False

    def _new_pool(self, options: Options) -> HandlerPool:
        pool = DrivenPool(
            self.handlers,
            self._answer_tasks,
            self._keep_alive,
            options.max_workers,
            freed=self._freed,
            handler_seconds=None,
            traceback_characters=self.limits.traceback_characters,
            now=self.clock.now,
            alarms=self.driver.alarms,
        )
        self.driver.attach(self, pool.queue)
        self.driver.answer = self._answer_tasks
        return pool

    @property
    @abstractmethod
    def stores(self) -> list[_core.Store]:
        """The log and the storage of each partition."""

    @abstractmethod
    def next_due(self) -> int | None:
        """When the next timer is due, in microseconds since the epoch."""

    @abstractmethod
    def _process_all(self) -> None:
        """Process what is there, until only handlers and time can go on."""

    @abstractmethod
    def _abandon(self) -> None:
        """End as a process ends that dies."""

    # the loop

    def _resume(self, calls: list[Call]) -> None:
        self._interrupted = calls

    def resume(self) -> None:
        """Call the handlers of tasks that handlers had when the last process ended: all of them are known now."""
        assert isinstance(self.handlers, TestHandlers)
        assert isinstance(self.pool, DrivenPool)
        self.handlers.storage = self.storage
        self.activities = MockedActivities(self, self.handlers, self.pool)
        calls, self._interrupted = self._interrupted, []
        self.pool.resume(calls)
        self.activities.look()

    def pump(self) -> None:
        """Process what is there, until only handlers and time can go on."""
        with self._pumping:
            if self._is_pumping:  # an effect asks for something: the loop that runs the effect does it
                return
            self._is_pumping = True
            try:
                with nullcontext() if self.effects_may_read else answering():
                    self._process_all()
            except Crashed:
                self.pool.stop()
                raise
            finally:
                self._is_pumping = False
        if isinstance(self.listeners, DrivenListeners):
            self.listeners.call()

    def queued(self, queue: str) -> None:
        super().queued(queue)
        if self.activities is not None:
            self.activities.look(queue)

    # requests

    def submit(self, command: r.Command, document: Document, deliver: Callback) -> None:
        self.driver.check_crash()
        super().submit(command, document, deliver)
        self.pump()

    def _take_results(self, results: list[Result]) -> None:
        self.driver.check_crash()
        call, give = current_call.get(), partial(self._give, results)
        if call is None:
            give()
        else:
            self.driver.results_arrive(call, partial(self._deadline_of, call.id), give)

    def _give(self, results: list[Result]) -> None:
        super()._take_results(results)  # pyright: ignore[reportAbstractUsage] - the host of the partitions has it
        if not self._closed and self._failure is None:
            self.pump()

    def _deadline_of(self, task_id: str) -> int:
        """When a task times out, or has had no heartbeat for too long; 0: never."""
        task = self.storage.get(TaskContext, task_id)
        times = () if task is None else (task.timeout_due, task.heartbeat_due)
        return min((time for time in times if time), default=0)

    def submit_results(self, answers: list[tuple[r.Command, Document]]) -> None:
        self.driver.check_crash()
        super().submit_results(answers)  # pyright: ignore[reportAbstractUsage] - the host of the partitions has it
        if not self._closed and self._failure is None:
            self.pump()

    # the end

    def abandon(self) -> None:
        """End as a process ends that dies: nothing more is processed, and nobody gets a reply."""
        self.driver.alarms.stop()
        self.pool.stop()
        self._abandon()
