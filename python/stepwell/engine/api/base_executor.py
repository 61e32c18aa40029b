"""What both executors have in common: options, the client, handlers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from stepwell.engine.client.client import Client
from stepwell.engine.control.serving import serve
from stepwell.engine.folders.paths import folder_path
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.listeners import Listener, Listeners
from stepwell.engine.host.open import open_host
from stepwell.engine.host.reading import CONSISTENCIES, Consistency, Reading, reading
from stepwell.engine.limits import Limits, limits_of
from stepwell.engine.partition.events import EventName
from stepwell.engine.quoting import shown
from stepwell.engine.storage.storage import Storage
from stepwell.errors import Closed, InvalidInput
from stepwell.tasks.handlers import Handler, Handlers, Mocks
from stepwell.tasks.items import ItemFiles

if TYPE_CHECKING:
    from stepwell.engine.cluster.options import Cluster

OneHandler = TypeVar("OneHandler", bound=Handler)
OneListener = TypeVar("OneListener", bound=Listener)


class BaseExecutor:
    """``Executor`` and ``AsyncExecutor`` document its arguments."""

    _calls_on_loop = False
    """Whether listeners are called on the program's event loop."""
    _serves = True
    """Whether other processes may use it through the folder's control socket."""

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
        connect: bool = False,
        cluster: Cluster | None = None,
    ) -> None:
        self._limits = limits_of(profile, limits)
        self._handlers = self._new_handlers({} if handlers is None else handlers)
        if not isinstance(connect, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"connect is True or False, not {shown(connect)}")
        if cluster is not None:
            _check_cluster(cluster)
            if connect or partitions != 1:
                raise InvalidInput("a cluster has its own number of partitions, and is joined, not connected to")
        self._data, self._partitions, self._connect, self._cluster = data, partitions, connect, cluster
        self._listeners = self._new_listeners()
        self._options = Options(
            tenant, namespace, max_workers, self._limits, item_files, None, strict_handlers, self._listeners
        )
        self._client: Client | None = None
        self._begin()

    def _new_handlers(self, functions: Mapping[str, Handler]) -> Handlers:
        """What finds the handlers of tasks."""
        return Handlers(functions)

    def _new_listeners(self) -> Listeners:
        """What calls listeners."""
        return Listeners(on_loop=self._calls_on_loop)

    def _begin(self) -> None:
        """Open the folder, if it is opened when the object is created."""

    def _open_host(self, options: Options) -> Host:
        """Open the folder, or connect to the process that has it open."""
        if self._cluster is not None:
            return self._join(self._cluster, options)
        if not self._connect:
            return open_host(self._data, self._handlers, self._partitions, options)
        from stepwell.engine.control.connection import Connection
        from stepwell.engine.control.host import ConnectedHost

        if self._handlers:
            raise InvalidInput("handlers run in the process that has the folder open: register them there")
        data = folder_path(self._data)
        if data is None:
            raise InvalidInput("an executor in memory belongs to its process: there is nothing to connect to")
        return ConnectedHost(Connection(data), self._listeners)

    def _join(self, cluster: Cluster, options: Options) -> Host:
        """Join a cluster as one of its nodes."""
        from stepwell.engine.cluster.host import ClusterHost

        def join(data: str | None, handlers: Handlers, _partitions: int, given: Options) -> Host:
            return ClusterHost(data, handlers, given, cluster)

        return open_host(self._data, self._handlers, 1, options, join)

    def _use(self, host: Host) -> None:
        """Work with a host that is open, and serve its folder."""
        self._client = Client(host, host.limits)
        if self._connect:
            self._client.deployments.accept_handlers()  # the process that has the folder open decides
        if self._serves:
            serve(self._client)

    def _check_process(self) -> None:
        """Raise ``Closed`` in a process that was forked: its handlers and listeners would never be called."""
        if self._client is not None:
            self._client.host.check_process()

    @property
    def client(self) -> Client:
        """The client. Raises ``Closed`` before the opening."""
        if self._client is None:
            raise Closed("the executor is not open: use `async with`, or `await executor.open()`")
        return self._client

    def check(self) -> None:
        """Raise the reason why it does not work: for a health probe, and for a service that waits for its end.

        An engine that has failed takes nothing more until its folder is opened again. Raises ``PoisonedError`` (the
        disk has failed), ``FencedError`` (a follower took over), ``StorageError``, ``Closed``. It reads no storage.
        """
        self.client.host.check()

    @property
    def storage(self) -> Storage:
        """The rows that it keeps."""
        return self.client.host.storage

    def reading(self, consistency: Consistency | None = None) -> AbstractContextManager[Reading]:
        """A block whose reads a node of a cluster makes as ``consistency`` says; None: as its ``Cluster`` says.

        ``"leader"`` asks the leaders of partitions. ``"local"`` reads this node's copies, without asking anybody; then
        ``age`` says for how many seconds at most what was read may have changed elsewhere.

        ``with ex.reading("local") as reading: executions = ex.list("order")`` lists what the copies have, and then
        ``reading.age`` is, say, 0.4.

        What the block changes or waits for is never decided by a copy. Raises ``InvalidInput``.
        """
        host = self.client.host
        if consistency is not None and consistency not in CONSISTENCIES:
            raise InvalidInput(f'consistency is "leader" or "local", not {shown(consistency)}')
        if consistency == "local" and not host.has_copies:
            raise InvalidInput('only a node of a cluster has copies: what it reads with "local"')
        return reading(consistency or host.consistency)

    def register(
        self, resource: str, function: Handler, *, concurrency: int | None = None, rate: str | None = None
    ) -> None:
        """Register ``function`` as the handler of ``resource``: a name, an ARN, or a pattern of ARNs.

        A first parameter that is annotated with a dataclass, a msgspec struct, a pydantic model or a TypedDict gets
        the input as that; a task whose input does not fit fails with States.Runtime, which nothing retries.
        At most ``concurrency`` of its calls run at the same time, and at most ``rate`` of them begin (``"100/s"``,
        ``"30/m"``, ``"5/h"``). Other tasks wait on the log, and executions take turns. Raises ``InvalidInput``.
        """
        self._check_process()
        if self._client is None:
            self._handlers.register(resource, function, concurrency=concurrency, rate=rate)
        else:
            self._client.host.register(resource, function, concurrency=concurrency, rate=rate)

    def use_mocks(self, mocks: Mocks) -> None:
        """Let a mock file answer the tasks of executions that its test cases started, before any handler.

        Called before the folder is opened, so that tasks that wait there meet no handler either.
        """
        self._handlers.use_mocks(mocks)

    def task(
        self, resource: str, *, concurrency: int | None = None, rate: str | None = None
    ) -> Callable[[OneHandler], OneHandler]:
        """The decorator that registers a handler, with the limits of ``register``. The function stays as it is."""

        def decorate(function: OneHandler) -> OneHandler:
            self.register(resource, function, concurrency=concurrency, rate=rate)
            return function

        return decorate

    @overload
    def on(self, event: EventName, listener: Listener) -> Callable[[], None]: ...

    @overload
    def on(self, event: EventName) -> Callable[[OneListener], OneListener]: ...

    def on(self, event: EventName, listener: Listener | None = None) -> Callable[..., Any]:
        """Call ``listener`` with each ``Event`` of this name. What is returned ends that.

        Without a listener it is a decorator: ``@ex.on("execution_ended")``. A listener hears of what is durable, in
        order for each execution, from the next batch on: in a thread of its own, or on the event loop of an
        ``AsyncExecutor``, where it may be a coroutine function. Listeners never slow the engine down: while 10,000
        events wait for them, further ones are dropped, counted (``stats().events_dropped``) and logged. What happened
        before a crash may not be told. An exception of a listener is logged (``stepwell.events``).

        Raises ``InvalidInput`` for an unknown event, ``TypeError`` for what cannot be called.
        """
        self._check_process()
        if listener is not None:
            return self._listeners.add(event, listener)

        def decorate(function: OneListener) -> OneListener:
            self._listeners.add(event, function)
            return function

        return decorate


def _check_cluster(cluster: object) -> None:
    from stepwell.engine.cluster.options import Cluster

    if not isinstance(cluster, Cluster):
        raise InvalidInput(f"cluster is a Cluster, not {shown(cluster)}")
