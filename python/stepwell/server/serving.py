"""``stepwell serve``: opens the engine, listens, and stops gracefully."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from stepwell.engine.api.async_executor import AsyncExecutor
from stepwell.errors import InvalidInput, StepwellError
from stepwell.logs import logger
from stepwell.step_functions.history_log import HistoryLog
from stepwell.step_functions.mocks import Mocks
from stepwell.step_functions.service import Service

from .access_log import log_request
from .app import Application
from .connections import LimitedProtocol, cut_off_slow
from .event_log import log_events
from .exchange import Observer
from .gate import ANYBODY, Gate
from .hosts import Hosts
from .keys import read_keys
from .limits import allow_connections
from .private_files import UnusableFile
from .settings import Settings, check_settings

if TYPE_CHECKING:
    from .metrics import Metrics

log = logger("stepwell.server")

DRAIN_SECONDS = 30
"""How long requests that are being answered may take when the server stops."""
BACKLOG = 1024
_TICKS_OF_A_SECOND = 10  # of uvicorn's main loop

Handlers = Mapping[str, Callable[..., Any]]


class CannotListen(StepwellError):
    """The address cannot be listened at; the text says why."""


class _Server(uvicorn.Server):
    """Says when it is ready, cuts off slow clients, and lets long polls end when it stops."""

    def __init__(
        self, config: uvicorn.Config, service: Service, ready: Callable[[str], None], takes_signals: bool = True
    ) -> None:
        super().__init__(config)
        self._service, self._ready, self._takes_signals = service, ready, takes_signals

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Let SIGTERM and SIGINT stop the server. uvicorn sends itself the signal again at the end, so it never exits
        with 0.
        """
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT) if self._takes_signals else ():
            loop.add_signal_handler(each, self.handle_exit, each, None)
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready(self._url())

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_OF_A_SECOND == 0:
            cut_off_slow(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Any = None) -> None:
        self._service.stop()
        await super().shutdown(sockets)

    def _url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        scheme = "https" if self.config.is_ssl else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


async def serve(
    executor: AsyncExecutor,
    settings: Settings,
    ready: Callable[[str], None],
    reload: Callable[[], Handlers] | None = None,
    mocks: Mocks | None = None,
) -> None:
    """Serve an engine until SIGTERM or SIGINT.

    ``ready`` gets the server's URL. SIGHUP registers the handlers that ``reload`` gives, and reads keys and mocks.
    Raises ``UnsafeSettings``, ``UnusableFile``, ``CannotListen``.
    """
    gate = _gate(settings)
    allow_connections(settings.limits.connections)
    listening = bound(settings.host, settings.port)  # before the folder is opened, which may take long
    loop, too_early = asyncio.get_running_loop(), list[None]()
    loop.add_signal_handler(signal.SIGHUP, too_early.append, None)
    with listening, ExitStack() as after:
        if mocks is not None:
            executor.use_mocks(mocks)
        async with executor:
            if mocks is not None:
                mocks.attach(executor)
            again = partial(_reload, executor, reload, gate, settings, mocks)
            loop.add_signal_handler(signal.SIGHUP, again)
            if too_early:
                again()
            await _serve(executor, settings, gate, listening, ready, after)


async def _serve(
    executor: AsyncExecutor,
    settings: Settings,
    gate: Gate,
    listening: socket.socket,
    ready: Callable[[str], None],
    after: ExitStack,
) -> None:
    """``after`` is left when the engine has ended."""
    executor.client.deployments.accept_handlers()
    service = Service(executor)
    observers: list[Observer] = [log_request] if settings.access_log else []
    if settings.event_log:
        log_events(executor)
    if settings.otel:
        after.callback(_export_traces(executor))
    metrics = _metrics(service) if settings.metrics else None
    if metrics is not None:
        observers.append(metrics.answered)
    application = Application(service, gate, settings.limits, observers, None if metrics is None else metrics.page)
    server = _Server(_config(application, settings), service, ready)
    if metrics is not None:
        metrics.count_connections(server.server_state.connections)
    history = HistoryLog(executor)
    try:
        await server.serve([listening])
    finally:
        await asyncio.to_thread(history.close)


async def answer(
    executor: AsyncExecutor, settings: Settings, ready: Callable[[str], None], stopping: asyncio.Event
) -> None:
    """Serve an engine that is open, on the loop of a program that has other things to do, until ``stopping`` is set.

    ``ready`` gets the server's URL. Raises ``UnsafeSettings``, ``UnusableFile``, ``CannotListen``.
    """
    gate = _gate(settings)
    service = Service(executor)
    config = _config(Application(service, gate, settings.limits), settings)
    server = _Server(config, service, ready, takes_signals=False)
    with bound(settings.host, settings.port) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        await stopping.wait()
        server.should_exit = True
        await serving


def _gate(settings: Settings) -> Gate:
    """The gate that settings ask for, if they are safe. Raises ``UnsafeSettings``, ``UnusableFile``."""
    check_settings(settings)
    keys = read_keys(settings.credentials, settings.token_file)
    return Gate(Hosts(settings.host, settings.allowed_hosts), keys, ANYBODY._replace(is_read_only=settings.read_only))


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address, which does not listen yet. Raises ``CannotListen``."""
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        raise CannotListen(f"cannot listen at {host}, port {port}: {error.strerror or error}") from error
    return made


def _metrics(service: Service) -> Metrics:
    from .metrics import Metrics  # only who wants metrics needs the extra

    return Metrics(service)


def _export_traces(executor: AsyncExecutor) -> Callable[[], None]:
    """Export spans; what is returned sends those that wait."""
    from stepwell.otel import trace_executor

    from .tracing import made_provider

    provider = made_provider()
    trace_executor(executor, provider)
    return provider.shutdown


def _config(application: Application, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=partial(LimitedProtocol, settings.limits),  # pyright: ignore[reportArgumentType] - it only calls it
        loop="none",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=settings.limits.idle_seconds,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _reload(
    executor: AsyncExecutor,
    load: Callable[[], Handlers] | None,
    gate: Gate,
    settings: Settings,
    mocks: Mocks | None,
) -> None:
    if load is not None:
        _reload_handlers(executor, load)
    if mocks is not None:
        try:
            mocks.reload()
            log.info("read the mock file again")
        except InvalidInput as error:
            log.error("the mocks are as they were: %s", error)
    if settings.credentials or settings.token_file:
        try:
            gate.keys = read_keys(settings.credentials, settings.token_file)
            log.info("read the keys again")
        except UnusableFile as error:
            log.error("the keys are as they were: %s", error)


def _reload_handlers(executor: AsyncExecutor, load: Callable[[], Handlers]) -> None:
    try:
        handlers = load()
    except Exception as error:  # one of the command line says all; others are the reader's own defects
        log.error("the handlers are as they were: %s", error, exc_info=error.__cause__ or error)
        return
    for resource, function in handlers.items():
        executor.register(resource, function)
    log.info("loaded %d handlers again", len(handlers))


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop."""
    uvloop.run(main)
