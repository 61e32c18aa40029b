"""What the executors of tests have in common: the clock, the mocks, the host without threads, crashes."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, cast

from stepwell.engine.api.base_executor import BaseExecutor
from stepwell.engine.client.client import Client
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.open import open_host
from stepwell.engine.limits import Limits
from stepwell.tasks.handlers import Handler, Handlers
from stepwell.tasks.items import ItemFiles
from stepwell.testing.mock import Mock, checked_mock
from stepwell.testing.virtual import VirtualClock

from .crashes import Remains, remains_of
from .disturbances import Disturbance
from .driven import DrivenHost
from .driver import Driver
from .durations import Time, datetime_of, time_of
from .handlers import TestHandlers
from .host import OnePartition, SeveralPartitions
from .listeners import DrivenListeners
from .pool import Coroutines, DrivenPool

START = "2025-01-01T00:00:00Z"
"""Where the virtual clock begins, unless a test says otherwise."""


class Rebinds(Protocol):
    """A handle on an execution, which stays the same when the engine is opened again."""

    def rebind(self, client: Client) -> None:
        """Use the engine that was opened again."""
        ...


class VirtualExecutor(BaseExecutor):
    """``TestExecutor`` and ``AsyncTestExecutor`` document its arguments."""

    _serves = False

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        start: Time = START,
        seed: int = 0,
        tenant: str = "default",
        namespace: str = "default",
        limits: Limits | None = None,
        profile: str = "default",
        item_files: ItemFiles | None = None,
        partitions: int = 1,
        strict: bool = False,
        mock: Mock | None = None,
    ) -> None:
        self._mock = Mock(strict=strict) if mock is None else checked_mock(mock)
        self._driver = Driver(VirtualClock(time_of(start)))
        self._seed, self._remains = seed, Remains()
        self._handles: weakref.WeakSet[Rebinds] = weakref.WeakSet()
        super().__init__(
            data,
            handlers=handlers,
            tenant=tenant,
            namespace=namespace,
            limits=limits,
            profile=profile,
            item_files=item_files,
            partitions=partitions,
        )

    def _new_handlers(self, functions: Mapping[str, Handler]) -> Handlers:
        return TestHandlers(functions, self._driver, self._mock)

    def _new_listeners(self) -> Listeners:
        return DrivenListeners()

    def _open_host(self, options: Options) -> Host:
        options = options._replace(clock=self._driver.clock, seed=self._seed)
        return open_host(self._data, self._handlers, self._partitions, options, self._host_in_process)

    def _host_in_process(self, data: str | None, handlers: Handlers, partitions: int, options: Options) -> Host:
        if partitions == 1:
            return OnePartition(self._driver, data, handlers, options, self._remains.take_store)
        return SeveralPartitions(self._driver, data, handlers, options, partitions, self._remains.take_store)

    def _use(self, host: Host) -> None:
        super()._use(host)
        cast(DrivenHost, host).resume()

    @property
    def _test_handlers(self) -> TestHandlers:
        return cast(TestHandlers, self._handlers)

    def _coroutines(self) -> Coroutines:
        return cast(DrivenPool, self.client.host.pool).one_at_a_time

    @property
    def mock(self) -> Mock:
        """What answers tasks in place of handlers, and records their calls."""
        return self._mock

    @mock.setter
    def mock(self, mock: Mock) -> None:
        self._mock = self._test_handlers.mock = checked_mock(mock)

    @property
    def now(self) -> datetime:
        """The virtual time, in UTC."""
        return datetime_of(self._driver.clock.now())

    def disturb(self, disturbance: Disturbance | None) -> None:
        """Let things go wrong while the engine is driven; None: not any more."""
        self._driver.disturbance = disturbance

    def crash(self) -> None:
        """Let the process die, as far as the engine can tell, and open it again.

        What is durable is there again, by a replay of the log; what handlers and mocks had under way is lost, and
        their tasks are called again, with the same ids. Handles on executions stay good. The clock stands still.
        """
        host = cast(DrivenHost, self.client.host)
        with remains_of(host) as self._remains:
            host.abandon()
        self._seed += 1  # other random choices than before
        self._use(self._open_host(self._options))
        for handle in list(self._handles):
            handle.rebind(self.client)
