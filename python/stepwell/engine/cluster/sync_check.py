"""Whether the servers of a cluster sync what they acknowledge: ``sync_interval: always``.

Only their monitoring ports tell (``/varz``); no request of a client does.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from stepwell.errors import StorageError

PORT = 8222
"""The monitoring port that NATS servers usually have."""
NOT_CHECKED = (
    "nobody has checked that the NATS servers sync each write (sync_interval: always); without that a power cut may "
    "lose an acknowledged start. Name their monitoring ports to have it checked"
)
_SECONDS = 3.0


class _Config(msgspec.Struct):
    sync_always: bool = False


class _JetStream(msgspec.Struct):
    config: _Config = msgspec.field(default_factory=_Config)


class _Server(msgspec.Struct):
    server_name: str = ""
    jetstream: _JetStream = msgspec.field(default_factory=_JetStream)


class SyncFaults(NamedTuple):
    """What the servers say, or do not say."""

    refused: list[str]
    """Servers that do not sync each write."""
    unknown: list[str]
    """Servers that do not answer."""


def look_at_sync(monitors: Sequence[str]) -> SyncFaults:
    """Ask each server by its monitoring port."""
    found = SyncFaults([], [])
    with ThreadPoolExecutor(8) as pool:
        for monitor, server in zip(monitors, pool.map(_ask, monitors), strict=True):
            if isinstance(server, str):
                found.unknown.append(f"the server's monitoring port {monitor} does not say whether it does ({server})")
            elif not server.jetstream.config.sync_always:
                found.refused.append(f"the server {server.server_name} ({monitor}) does not sync each write")
    return found


def check_sync(monitors: Sequence[str], *, unsafe_sync: bool = False) -> list[str]:
    """Ask each server by its monitoring port; return what an operator should know.

    Raises ``StorageError`` if a server does not sync each write, or none says whether it does, unless ``unsafe_sync``.
    A server that does not answer beside others may be the one of three that may be missing.
    """
    if not monitors:
        return [] if unsafe_sync else [NOT_CHECKED]
    found = look_at_sync(monitors)
    wrong = found.refused or (found.unknown if len(found.unknown) == len(monitors) else [])
    if wrong and not unsafe_sync:
        raise StorageError(
            f"{'; '.join(wrong)}: an acknowledged start may be lost in a power cut. Set sync_interval: always in the "
            "jetstream block of each server, or accept that with unsafe_sync"
        )
    return [*found.refused, *found.unknown]


def _ask(monitor: str) -> _Server | str:
    """What a server says, or why it says nothing."""
    parts = urlsplit(monitor)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port or PORT, timeout=_SECONDS)
        try:
            connection.request("GET", "/varz")
            return msgspec.json.decode(connection.getresponse().read(), type=_Server)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException, msgspec.MsgspecError) as error:
        return str(error) or type(error).__name__
