"""A host without threads: whoever gives it something to do processes it, until only handlers and time can go on."""

from __future__ import annotations

import os
import threading

from stepwell import _core
from stepwell.engine.host.host import Options
from stepwell.engine.host.local import LocalHost
from stepwell.engine.host.promises import Callback, answering
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.tasks.dispatch import HandlerPool
from stepwell.tasks.handlers import Handlers

from .activities import MockedActivities
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
        self._pumping = threading.RLock()
        self._is_pumping = False
        self.activities: MockedActivities | None = None
        super().__init__(data, handlers, options)
        pool = self.pool
        assert isinstance(pool, DrivenPool)
        assert isinstance(handlers, TestHandlers)
        self.activities = MockedActivities(self, handlers, pool.queue.add)

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
        """Begins nothing: the partition has no thread."""

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
            while True:
                has_worked = partition.step()
                store.wait_applied(store.tail(), None)
                partition.release(store.applied())
                if not has_worked and partition.idle and partition.timeout() != 0.0:
                    return
        except BaseException as error:
            self._has_failed(error)
            raise

    def next_due(self) -> int | None:
        """When the next timer is due, in microseconds since the epoch."""
        return self.partition.state.timers.next_due()

    def queued(self, queue: str) -> None:
        super().queued(queue)
        if self.activities is not None:
            self.activities.look(queue)

    # requests

    def submit(self, command: r.Command, document: Document, deliver: Callback) -> None:
        super().submit(command, document, deliver)
        self.pump()

    def submit_results(self, answers: list[tuple[r.Command, Document]]) -> None:
        super().submit_results(answers)
        if not self._closed and self._failure is None:
            self.pump()

    # closing

    def _end(self) -> None:
        self._stopping = True
        if self._failure is None:
            self.pump()
