"""One partition without a thread: whoever gives it something to do processes it, in a thread of its own."""

from __future__ import annotations

import os
import random

from stepwell import _core
from stepwell.asl.intrinsics import surroundings
from stepwell.engine.host.host import Options
from stepwell.engine.host.local import LocalHost
from stepwell.errors import StepwellError
from stepwell.tasks.handlers import Handlers

from .disturbances import Crashed
from .driver import Driver
from .durations import datetime_of

MOST_BATCHES = 100_000
"""So many batches at one moment of virtual time are a loop that never waits."""


class Endless(StepwellError):
    """An execution goes on without any time passing."""


class PumpedHost(LocalHost):
    """A partition that works only in ``process``."""

    look_seconds = 0.01

    def __init__(
        self,
        driver: Driver,
        data: _core.Folder | str | os.PathLike[str] | None,
        handlers: Handlers,
        options: Options,
        store: _core.Store | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.driver, self._given_store = driver, store
        self._random = random.Random(options.seed)
        super().__init__(data, handlers, options, share)

    def _open_store(self, folder: _core.Folder | None) -> _core.Store:
        return self._given_store or super()._open_store(folder)

    def _begin_loop(self) -> None:
        """Begins nothing: the partition has no thread."""

    @property
    def store(self) -> _core.Store:
        """The log and the storage."""
        return self._store

    def process(self) -> bool:
        """Process what is there, until only handlers and time can go on. Returns whether there was anything."""
        partition, store, has_worked, batches = self.partition, self._store, False, 0
        try:
            while not self._closed:
                self._fix_surroundings()
                works = partition.step()
                has_worked = has_worked or works
                store.wait_applied(store.tail(), None)
                if works:
                    batches += 1
                    self.driver.batch_is_durable()
                partition.release(store.applied())
                if not works and partition.idle and partition.timeout() != 0.0:
                    break
                if batches > MOST_BATCHES:
                    now = datetime_of(self.clock.now())
                    raise Endless(f"{batches} batches at {now}, and more: does a loop of some workflow never wait?")
        except (Crashed, Endless):
            raise
        except BaseException as error:
            self._has_failed(error)
            raise
        finally:
            surroundings.fix(None)
            _core.fix_jsonata(None)
        return has_worked

    def _fix_surroundings(self) -> None:
        """What expressions see: the virtual time, and random numbers that are the same in each run of the test."""
        surroundings.fix(self._random)
        _core.fix_jsonata(self.clock.now() / 1000, self._random.getrandbits(64))

    def next_due(self) -> int | None:
        """When the next timer is due, in microseconds since the epoch."""
        return self.partition.state.timers.next_due()

    def abandon(self) -> None:
        """End as a process ends that dies: nothing more is processed, and nobody gets a reply."""
        self._closed = True
        self.promises.refuse(self._stopped)
        self.progress.fire_all()
        self._close_folder()

    def _end(self) -> None:
        self._stopping = True
        if self._failure is None:
            self.process()
