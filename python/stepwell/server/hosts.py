"""The header ``Host`` of requests: a page of another site must not reach the server by a name of its own.

DNS rebinding: a page from ``evil.example`` lets this name point at 127.0.0.1, and its scripts then talk to whatever
listens there. The browser sends ``Host: evil.example``. An address in figures has no name to point elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

PREFIX = "sync-"
"""StartSyncExecution and TestState put it before the name of the host."""


_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


class Hosts:
    """The names that a server answers to."""

    def __init__(self, bound: str, allowed: Iterable[str] = ()) -> None:
        self._names = {name.lower().rstrip(".") for name in ("localhost", bound, *allowed) if name}
        self.is_allowed = lru_cache(maxsize=1024)(self._is_allowed)
        """Whether a header ``Host`` has one of the names."""

    def _is_allowed(self, header: bytes) -> bool:
        name = _without_port(header.decode("latin-1").lower().removeprefix(PREFIX)).rstrip(".")
        return name in self._names or name.endswith(".localhost") or is_address(name)


def is_address(name: str) -> bool:
    """Whether a host is an address in figures, and not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_name(text: str) -> bool:
    """Whether a text is the name of a host, as requests have it in the header ``Host``."""
    return _NAME.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens at a host. Any name but ``localhost`` may be anywhere."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def _without_port(header: str) -> str:
    """The host of ``host:port`` or ``[address]:port``, the port may be absent; "" if it is neither."""
    if header.startswith("["):
        address, bracket, rest = header[1:].partition("]")
        return address if bracket and (not rest or rest.startswith(":")) else ""
    name, colon, port = header.partition(":")
    return "" if colon and not (port.isascii() and port.isdigit()) else name
