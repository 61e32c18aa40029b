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


class _Replica(msgspec.Struct):
    name: str = ""


class _Meta(msgspec.Struct):
    replicas: list[_Replica] = []
    """The other servers."""


class _JetStream(msgspec.Struct):
    config: _Config = msgspec.field(default_factory=_Config)
    meta: _Meta = msgspec.field(default_factory=_Meta)


class _Server(msgspec.Struct):
    server_name: str = ""
    jetstream: _JetStream = msgspec.field(default_factory=_JetStream)


class SyncFaults(NamedTuple):
    """What the servers say, or do not say."""

    refused: list[str]
    """Servers that do not sync each write."""
    unknown: list[str]
    """Servers that do not answer, and those that nobody has asked."""
    is_answered: bool = True
    """Whether any server has answered."""


def look_at_sync(monitors: Sequence[str]) -> SyncFaults:
    """Ask each server by its monitoring port. They know each other, so one that is not named is found out."""
    refused: list[str] = []
    unknown: list[str] = []
    asked: set[str] = set()
    others: set[str] = set()
    with ThreadPoolExecutor(8) as pool:
        for monitor, server in zip(monitors, pool.map(_ask, monitors), strict=True):
            if isinstance(server, str):
                unknown.append(f"the server's monitoring port {monitor} does not say whether it does ({server})")
                continue
            asked.add(server.server_name)
            others |= {each.name for each in server.jetstream.meta.replicas}
            if not server.jetstream.config.sync_always:
                refused.append(f"the server {server.server_name} ({monitor}) does not sync each write")
    if len(others - asked) > len(unknown):
        names = ", ".join(sorted(others - asked))
        unknown.append(f"no monitoring port is named of the servers {names}: nobody checks that they sync each write")
    return SyncFaults(refused, unknown, bool(asked))


def check_sync(monitors: Sequence[str], *, unsafe_sync: bool = False) -> list[str]:
    """Ask each server by its monitoring port; return what an operator should know.

    Raises ``StorageError`` if a server does not sync each write, or none says whether it does, unless ``unsafe_sync``.
    A server that does not answer beside others may be the one of three that may be missing.
    """
    if not monitors:
        return [] if unsafe_sync else [NOT_CHECKED]
    found = look_at_sync(monitors)
    wrong = found.refused or ([] if found.is_answered else found.unknown)
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
