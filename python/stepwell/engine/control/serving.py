"""Serving a folder that this process has open: what an executor opens with, so it loads little."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.errors import StorageError
from stepwell.logs import logger

from .listener import Listener
from .target import Target

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client
    from stepwell.engine.host.host import Host

    from .status import Live

log = logger("stepwell.control")


def serve(client: Client) -> None:
    """Serve an executor's folder until its host is closed. One in memory, or of another process, is not served."""
    host = client.host
    if host.folder is not None:
        host.before_release(listen(host.folder, target_of(client)))


def target_of(client: Client) -> Target:
    """An executor's engine, for those who may ask it."""
    host, since = client.host, time.time()
    return Target(
        host.storage.rows,
        host.check,
        partial(_describe, host, since),
        host.tenant,
        host.namespace,
        host.limits,
        since,
        client,
    )


def listen(folder: _core.Folder, target: Target) -> Callable[[], None]:
    """Serve a folder that is locked; what ends it.

    A folder that can have no socket is not served, and a warning says why: all else works.
    """
    try:
        return Listener(folder, target).close
    except (OSError, StorageError) as error:
        log.warning("no other process can use what this one has open in %s: %s", folder.path, error)
        return _nothing


def _nothing() -> None:
    """There is nothing to end."""


def _describe(host: Host, since: float) -> Live:
    from .status import of_host

    return of_host(host, since)
