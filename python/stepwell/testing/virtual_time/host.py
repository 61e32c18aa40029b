"""A host without threads: whoever gives it something to do processes it, until only handlers and time can go on."""

from __future__ import annotations

import os
import random
import threading
from functools import partial

from stepwell import _core
from stepwell.asl.intrinsics import surroundings
from stepwell.engine.host.host import Options
from stepwell.engine.host.local import LocalHost
from stepwell.engine.host.promises import Callback, answering
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.storage.contexts import TaskContext
from stepwell.tasks.calls import Call
from stepwell.tasks.context import current_call
from stepwell.tasks.dispatch import HandlerPool, Result
from stepwell.tasks.handlers import Handlers

from .activities import MockedActivities
from .disturbances import Crashed
from .driver import Driver
from .handlers import TestHandlers
from .listeners import DrivenListeners
from .pool import DrivenPool


class DrivenHost(LocalHost):
    """One partition, processed in the threads of its callers, one at a time."""

    look_seconds = 0.01

    def __init__(
        self,
        driver: Driver,
        data: _core.Folder | str | os.PathLike[str] | None,
        handlers: Handlers,
        options: Options,
        store: _core.Store | None = None,
    ) -> None:
        self.driver = driver
        self._given_store = store
        self._interrupted: list[Call] = []
        self._pumping = threading.RLock()
        self._is_pumping = self._is_abandoned = False
        self._random = random.Random(options.seed)
        self.activities: MockedActivities | None = None
        super().__init__(data, handlers, options)
        pool = self.pool
        assert isinstance(pool, DrivenPool)
        assert isinstance(handlers, TestHandlers)
        self.activities = MockedActivities(self, self.driver, handlers, pool.queue.add)

    def _open_store(self, folder: _core.Folder | None) -> _core.Store:
        return self._given_store or super()._open_store(folder)

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

    def _begin_loop(self) -> None:
        """Begins nothing: the partition has no thread. Mocks may ask for rows from now on."""
        if isinstance(self.handlers, TestHandlers):
            self.handlers.storage = self.storage

    def _resume(self, calls: list[Call]) -> None:
        self._interrupted = calls

    def resume(self) -> None:
        """Call the handlers of tasks that handlers had when the last process ended: all of them are known now."""
        calls, self._interrupted = self._interrupted, []
        super()._resume(calls)
        if self.activities is not None:
            self.activities.look()

    # the loop

    def pump(self) -> None:
        """Process what is there, until only handlers and time can go on."""
        with self._pumping:
            if self._is_pumping:  # an effect asks for something: the loop that runs the effect does it
                return
            self._is_pumping = True
            try:
                with answering():
                    self._process_all()
            finally:
                self._is_pumping = False
        if isinstance(self.listeners, DrivenListeners):
            self.listeners.call()

    def _process_all(self) -> None:
        partition, store = self.partition, self._store
        try:
            while not self._is_abandoned:
                self._fix_surroundings()
                has_worked = partition.step()
                store.wait_applied(store.tail(), None)
                if has_worked:
                    self.driver.batch_is_durable()
                partition.release(store.applied())
                if not has_worked and partition.idle and partition.timeout() != 0.0:
                    return
        except Crashed:
            self.pool.stop()
            raise
        except BaseException as error:
            self._has_failed(error)
            raise
        finally:
            surroundings.fix(None)
            _core.fix_jsonata(None)

    def _fix_surroundings(self) -> None:
        """What expressions see: the virtual time, and random numbers that are the same in each run of the test."""
        surroundings.fix(self._random)
        _core.fix_jsonata(self.clock.now() / 1000, self._random.getrandbits(64))

    def next_due(self) -> int | None:
        """When the next timer is due, in microseconds since the epoch."""
        return self.partition.state.timers.next_due()

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
        call = current_call.get()
        if call is None:
            super()._take_results(results)
        else:
            give = partial(super()._take_results, results)
            self.driver.results_arrive(call, partial(self._deadline_of, call.id), give)

    def _deadline_of(self, task_id: str) -> int:
        """When a task times out, or has had no heartbeat for too long; 0: never."""
        task = self.storage.get(TaskContext, task_id)
        times = () if task is None else (task.timeout_due, task.heartbeat_due)
        return min((time for time in times if time), default=0)

    def submit_results(self, answers: list[tuple[r.Command, Document]]) -> None:
        self.driver.check_crash()
        super().submit_results(answers)
        if not self._closed and self._failure is None:
            self.pump()

    # closing

    @property
    def store(self) -> _core.Store:
        """The log and the storage."""
        return self._store

    def abandon(self) -> None:
        """End as a process ends that dies: nothing more is processed, and nobody gets a reply."""
        self._is_abandoned = True
        self._closed = True
        self.driver.alarms.stop()
        self.pool.stop()
        self.promises.refuse(self._stopped)
        self.progress.fire_all()
        self._close_folder()

    def _end(self) -> None:
        self._stopping = True
        if self._failure is None:
            self.pump()
