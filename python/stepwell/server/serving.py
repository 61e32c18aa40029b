"""``stepwell serve``: opens the engine, listens, and stops gracefully."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

import uvicorn
import uvloop

from stepwell.engine.api.async_executor import AsyncExecutor
from stepwell.logs import logger
from stepwell.step_functions.service import Service

from .app import Application
from .protocol import Protocol

log = logger("stepwell.server")

DRAIN_SECONDS = 30
"""How long requests that are being answered may take when the server stops."""
BACKLOG = 1024

Handlers = Mapping[str, Callable[..., Any]]


class Settings(NamedTuple):
    """Where the server listens."""

    host: str
    port: int
    tls_cert: str | None = None
    tls_key: str | None = None


class _Server(uvicorn.Server):
    """Says when it is ready, and lets long polls end when it stops."""

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._service, self._ready = service, ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready(self._url())

    async def shutdown(self, sockets: Any = None) -> None:
        self._service.stopping.set()
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
) -> bool:
    """Serve an engine until SIGTERM or SIGINT; returns whether it could listen.

    ``ready`` gets the server's URL. SIGHUP registers the handlers that ``reload`` gives.
    """
    async with executor:
        service = Service(executor)
        config = uvicorn.Config(
            Application(service),
            host=settings.host,
            port=settings.port,
            http=Protocol,
            loop="none",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        server = _Server(config, service, ready)
        if reload is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, executor, reload)
        await server.serve()
        return server.started


def _reload(executor: AsyncExecutor, load: Callable[[], Handlers]) -> None:
    try:
        handlers = load()
    except Exception:
        log.exception("the handlers are as they were: the module cannot be loaded again")
        return
    for resource, function in handlers.items():
        executor.register(resource, function)
    log.info("loaded %d handlers again", len(handlers))


def run(main: Coroutine[Any, Any, bool]) -> bool:
    """Run a coroutine on uvloop."""
    return uvloop.run(main)
