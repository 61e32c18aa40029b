"""The servers that have the same engine, as the nodes of a cluster do: one is asked, and another when that fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from stepwell.errors import InvalidInput

from .http_pool import HttpPool, Server, server_of


class Target(NamedTuple):
    """One server, and the connections to it."""

    url: str
    server: Server
    pool: HttpPool


class Servers:
    """``urls`` are a list, or a text with commas. Any thread may call it. Raises ``InvalidInput``."""

    def __init__(self, urls: str | Sequence[str], ca_file: str | None = None) -> None:
        if not isinstance(urls, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"{urls!r} is no URL, and no list of URLs")
        given = [url.strip() for url in urls.split(",")] if isinstance(urls, str) else urls
        if not given:
            raise InvalidInput("no URL of a server is given")
        self._targets = [_target(url, ca_file) for url in given]
        self._lock = threading.Lock()
        self._current = 0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._targets)

    @property
    def current(self) -> Target:
        """The one that is asked now."""
        return self._targets[self._current]

    def leave(self, target: Target) -> None:
        """Ask another one from now on, unless somebody has decided that already."""
        with self._lock:
            if self._targets[self._current] is target:
                self._current = (self._current + 1) % len(self._targets)

    def close(self) -> None:
        """Close the connections that are not in use."""
        for target in self._targets:
            target.pool.close()


def _target(url: str, ca_file: str | None) -> Target:
    server = server_of(url)
    return Target(url, server, HttpPool(server, ca_file))
