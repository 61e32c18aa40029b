"""What both executors have in common: options, the client, handlers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from stepwell.engine.client.client import Client
from stepwell.engine.host.host import Options
from stepwell.engine.limits import Limits, limits_of
from stepwell.engine.storage.storage import Storage
from stepwell.errors import Closed
from stepwell.tasks.handlers import Handler, Handlers
from stepwell.tasks.items import ItemFiles


class BaseExecutor:
    """``Executor`` and ``AsyncExecutor`` document its arguments."""

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        tenant: str = "default",
        namespace: str = "default",
        max_workers: int = 64,
        limits: Limits | None = None,
        profile: str = "default",
        item_files: ItemFiles | None = None,
        partitions: int = 1,
        strict_handlers: bool = False,
    ) -> None:
        self._limits = limits_of(profile, limits)
        self._handlers = Handlers({} if handlers is None else handlers)
        self._data, self._partitions = data, partitions
        self._options = Options(tenant, namespace, max_workers, self._limits, item_files, None, strict_handlers)
        self._client: Client | None = None
        self._begin()

    def _begin(self) -> None:
        """Open the folder, if it is opened when the object is created."""

    @property
    def client(self) -> Client:
        """The client. Raises ``Closed`` before the opening."""
        if self._client is None:
            raise Closed("the executor is not open: use `async with`, or `await executor.open()`")
        return self._client

    @property
    def storage(self) -> Storage:
        """The rows that it keeps."""
        return self.client.host.storage

    def register(
        self, resource: str, function: Handler, *, concurrency: int | None = None, rate: str | None = None
    ) -> None:
        """Register ``function`` as the handler of ``resource``: a name, an ARN, or a pattern of ARNs.

        At most ``concurrency`` of its calls run at the same time, and at most ``rate`` of them begin (``"100/s"``,
        ``"30/m"``, ``"5/h"``). Other tasks wait on the log, and executions take turns. Raises ``InvalidInput``.
        """
        if self._client is None:
            self._handlers.register(resource, function, concurrency=concurrency, rate=rate)
        else:
            self._client.host.register(resource, function, concurrency=concurrency, rate=rate)

    def task(
        self, resource: str, *, concurrency: int | None = None, rate: str | None = None
    ) -> Callable[[Handler], Handler]:
        """The decorator that registers a handler, with the limits of ``register``."""

        def decorate(function: Handler) -> Handler:
            self.register(resource, function, concurrency=concurrency, rate=rate)
            return function

        return decorate
