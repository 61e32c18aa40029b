"""Hosts of tests: one partition, or several of them in one process."""

from __future__ import annotations

import os
from collections.abc import Callable

from stepwell import _core
from stepwell.engine.host.host import Options
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.host import MultiProcessHost
from stepwell.engine.host.processes.remote import RemotePartition
from stepwell.engine.wall_clock import seconds_of
from stepwell.tasks.handlers import Handlers

from .driven import DrivenHost
from .driver import Driver
from .partitions import PartitionInProcess
from .pumped import PumpedHost

TakeStore = Callable[[], _core.Store | None]


class OnePartition(DrivenHost, PumpedHost):
    """One partition."""

    def __init__(
        self, driver: Driver, data: str | os.PathLike[str] | None, handlers: Handlers, options: Options, take: TakeStore
    ) -> None:
        self._begin_driving(driver)
        PumpedHost.__init__(self, driver, data, handlers, options, take())

    @property
    def stores(self) -> list[_core.Store]:
        return [self.store]

    def next_due(self) -> int | None:
        return PumpedHost.next_due(self)

    def _process_all(self) -> None:
        self.process()

    def _abandon(self) -> None:
        PumpedHost.abandon(self)

    def abandon(self) -> None:
        DrivenHost.abandon(self)

    def _end(self) -> None:
        self._stopping = True
        if self._failure is None:
            self.pump()


class SeveralPartitions(DrivenHost, MultiProcessHost):
    """Several partitions, all of them in this process."""

    reads_wait = False
    effects_may_read = True
    look_seconds = 0.01

    def __init__(
        self,
        driver: Driver,
        data: str | os.PathLike[str] | None,
        handlers: Handlers,
        options: Options,
        partitions: int,
        take: TakeStore,
    ) -> None:
        self._begin_driving(driver)
        self._given, self._take_store = options, take
        self._in_process: list[PartitionInProcess] = []
        self._later: list[m.Abandoned] = []
        MultiProcessHost.__init__(self, data, handlers, options, partitions)

    def _new_partition(self, opening: m.Open) -> RemotePartition:
        made = PartitionInProcess(opening, self, self.driver, self._given, self._take_store())
        self._in_process.append(made)
        self._clock.update(made.hlc.last, seconds_of(self.clock.now()))
        return made

    @property
    def stores(self) -> list[_core.Store]:
        return [partition.store for partition in self._in_process]

    def next_due(self) -> int | None:
        times = [partition.next_due() for partition in self._in_process]
        return min((time for time in times if time is not None), default=None)

    def _process_all(self) -> None:
        while any(partition.process() for partition in self._in_process):
            pass
        for partition in self._in_process:
            if partition.hlc.last > self._clock.last:
                self._clock.update(partition.hlc.last, seconds_of(self.clock.now()))

    def pump(self) -> None:
        super().pump()
        while self._later and not self._is_pumping:
            self._cancel_child(self._later.pop(0))

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned: what it waits for is canceled once the partitions rest."""
        self._later.append(task)

    def _abandon(self) -> None:
        self._closed = True
        for partition in self._in_process:
            partition.abandon()
        self.promises.refuse(self._stopped)
        self.progress.fire_all()
        self._close_folder()
