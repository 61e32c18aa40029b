"""Connections to one server, kept open between requests. Any thread may post."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from stepwell.errors import InvalidInput, StorageError

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""How long a connection may lie idle and be used again: less than servers keep one open."""
MAX_IDLE = 64
DEAD_MILLISECONDS = 60_000
"""How long the other machine may not acknowledge what was sent until a connection counts as dead."""


class NotSent(Exception):
    """The server cannot be reached: it has got nothing of the request."""


class Unanswered(Exception):
    """The connection ended before an answer: the request may have been carried out."""


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    body: bytes


class Server(NamedTuple):
    """Where a server is."""

    is_secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"


def server_of(url: str) -> Server:
    """The server of a URL. Raises ``InvalidInput``."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except (ValueError, AttributeError) as error:
        raise InvalidInput(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise InvalidInput(f"a server's URL is like http://127.0.0.1:8083 or https://engine.example, not {url!r}")
    is_secure = parts.scheme == "https"
    return Server(is_secure, parts.hostname, port or (443 if is_secure else 80), parts.path or "/")


class HttpPool:
    """``ca_file`` has the certificates that an HTTPS server's is checked with; None: the machine's."""

    def __init__(self, server: Server, ca_file: str | None = None) -> None:
        self._server = server
        self._tls = ssl.create_default_context(cafile=ca_file) if server.is_secure else None
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self._lock = threading.Lock()
        self._closed = False

    def post(
        self,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float | None,
        using: Callable[[http.client.HTTPConnection], None] | None = None,
    ) -> Answer:
        """The answer to a request; ``using`` gets the connection, whose socket may be shut down to give the request up.

        Raises ``NotSent``, ``Unanswered``, ``StorageError`` for a certificate that is not trusted.
        """
        connection = self._reused() or self._connected()
        try:
            if using is not None:
                using(connection)
            assert connection.sock is not None
            connection.sock.settimeout(timeout)
            connection.request("POST", self._server.path, body, dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unanswered(str(error) or type(error).__name__) from error
        except BaseException:
            connection.close()
            raise
        self._keep(connection, is_open=not response.will_close)
        return answer

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _reused(self) -> http.client.HTTPConnection | None:
        """A connection that was used a moment ago, and that the server has not closed."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and _is_quiet(connection):
                return connection
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        host, port = self._server.host, self._server.port
        if self._tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._tls)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise StorageError(f"the certificate of {self._server.authority} is not trusted: {error}") from error
        except OSError as error:
            connection.close()
            raise NotSent(str(error) or type(error).__name__) from error
        end = connection.sock
        assert end is not None
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_MILLISECONDS)
        return connection

    def _keep(self, connection: http.client.HTTPConnection, *, is_open: bool) -> None:
        with self._lock:
            if is_open and not self._closed and len(self._idle) < MAX_IDLE:
                self._idle.append((time.monotonic(), connection))
                return
        connection.close()


def _is_quiet(connection: http.client.HTTPConnection) -> bool:
    """Whether nothing has come on an idle connection, not even its end."""
    end = connection.sock
    if end is None:
        return False
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return not poll.poll(0)
