"""Whether the servers of a cluster sync what they acknowledge: ``sync_interval: always``.

Only their monitoring ports tell (``/varz``); no request of a client does.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import msgspec

from stepwell.errors import StorageError

PORT = 8222
"""The monitoring port that NATS servers usually have."""
_SECONDS = 3.0


class _Config(msgspec.Struct):
    sync_always: bool = False


class _JetStream(msgspec.Struct):
    config: _Config = msgspec.field(default_factory=_Config)


class _Server(msgspec.Struct):
    server_name: str = ""
    jetstream: _JetStream = msgspec.field(default_factory=_JetStream)


def monitors_of(servers: Iterable[str]) -> list[str]:
    """The usual address of each server's monitoring port."""
    return [f"http://{urlsplit(url if '//' in url else '//' + url).hostname}:{PORT}" for url in servers]


def check_sync(monitors: Iterable[str], *, unsafe_sync: bool = False) -> list[str]:
    """Ask each server by its monitoring port; return what is accepted only because of ``unsafe_sync``.

    Raises ``StorageError`` if a server does not sync each write, or does not say whether it does.
    """
    with ThreadPoolExecutor(8) as pool:
        faults = [fault for fault in pool.map(_fault, list(monitors)) if fault is not None]
    if faults and not unsafe_sync:
        raise StorageError(
            f"{'; '.join(faults)}: an acknowledged start may be lost in a power cut. Set sync_interval: always in the "
            "jetstream block of each server, or accept that with unsafe_sync=True"
        )
    return faults


def _fault(monitor: str) -> str | None:
    parts = urlsplit(monitor)
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or PORT, timeout=_SECONDS)
        try:
            connection.request("GET", "/varz")
            server = msgspec.json.decode(connection.getresponse().read(), type=_Server)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException, msgspec.MsgspecError) as error:
        return f"the server's monitoring port {monitor} does not say whether each write is synced ({error})"
    if server.jetstream.config.sync_always:
        return None
    return f"the server {server.server_name} ({monitor}) does not sync each write"
