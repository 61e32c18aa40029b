"""What a server does not exceed, whatever its clients do."""

from __future__ import annotations

import resource
from typing import NamedTuple

from stepwell.logs import logger

log = logger("stepwell.server")

BODY_BYTES = 8 << 20
"""The largest body: that of a definition of 1 MiB whose characters are escaped in JSON."""
_OWN_FILES = 1024
"""Files that the engine has open beside the connections."""


class Limits(NamedTuple):
    """Limits of connections and requests. A connection has one request at a time."""

    connections: int = 2000
    """Further ones are closed at once."""
    head_bytes: int = 64 << 10
    head_seconds: float = 10.0
    """How long the first line and the headers of a request may take, from its first byte or the connection's begin."""
    body_seconds: float = 60.0
    answer_seconds: float = 60.0
    """How long a client may take to read an answer."""
    idle_seconds: int = 60
    """How long a connection may stand between two requests."""
    bodies_bytes: int = 256 << 20
    """The bodies that are being received, together."""
    request_seconds: float = 400.0
    """How long a request may be worked on: StartSyncExecution takes five minutes at most."""


def allow_connections(count: int) -> None:
    """Let the process have so many connections open, as far as its system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OWN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("%d connections need %d open files, and the system allows %d (ulimit -n)", count, wanted, allowed)
