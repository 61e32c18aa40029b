"""The embedded API over HTTP: a program uses a server's engine by changing one line."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.engine.api.async_executor import AsyncExecutor
from stepwell.engine.api.executor import Executor
from stepwell.engine.control.host import ConnectedHost
from stepwell.engine.host.host import Host, Options
from stepwell.errors import InvalidInput

from .connection import HttpConnection
from .signing import SignIn, sign_in

PATIENCE_SECONDS = 30.0


class _Server:
    """Where the server is, and how to sign in there."""

    def __init__(self, url: str | Sequence[str], keys: SignIn, patience: float, ca_file: str | None) -> None:
        if isinstance(patience, bool) or not isinstance(patience, int | float) or not patience >= 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"patience is a number of seconds, not {patience!r}")
        self.url, self._keys, self._patience, self._ca_file = url, keys, float(patience), ca_file

    def __repr__(self) -> str:
        return self.url if isinstance(self.url, str) else ",".join(self.url)

    def connect(self) -> HttpConnection:
        return HttpConnection(self.url, self._keys, self._patience, self._ca_file)


class RemoteExecutor(Executor):
    """An ``Executor`` whose engine is that of a server (``stepwell serve``) at ``url``.

    ``url`` may be several, in a list or with commas: those of the nodes of a cluster. When one does not answer, the
    next one is asked.

    The methods and their errors are those of ``Executor``, but for ``register``, ``task``, ``on`` and ``backup``, which
    belong to the process that has the folder open: handlers run there, or in workers (``stepwell worker``).

    ``token`` is a bearer token; ``access_key`` and ``secret_key`` sign requests as AWS's SDKs do. Without them the
    environment is looked at: ``STEPWELL_TOKEN``, else ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``. ``ca_file``
    has the certificates that the server's is checked with (default: the machine's).

    While the server cannot be reached, calls wait for it, ``patience`` seconds at most, and then raise
    ``StorageError``. So does a call at once that would change something and whose answer got lost: it may have been
    done or not. A server that refuses the client raises ``ApiError``.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        token: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        region: str | None = None,
        ca_file: str | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._server = _Server(url, sign_in(token, access_key, secret_key, region), patience, ca_file)
        super().__init__()

    def _open_host(self, options: Options) -> Host:
        return ConnectedHost(self._server.connect(), self._listeners)

    def _use(self, host: Host) -> None:
        super()._use(host)
        self.client.deployments.accept_handlers()  # as the server does, whatever its profile

    def __repr__(self) -> str:
        return f"<RemoteExecutor {self._server}>"


class AsyncRemoteExecutor(AsyncExecutor):
    """An ``AsyncExecutor`` whose engine is that of a server at ``url``; ``RemoteExecutor`` says the rest."""

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        token: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        region: str | None = None,
        ca_file: str | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._server = _Server(url, sign_in(token, access_key, secret_key, region), patience, ca_file)
        super().__init__()

    def _open_host(self, options: Options) -> Host:
        return ConnectedHost(self._server.connect(), self._listeners)

    def _use(self, host: Host) -> None:
        super()._use(host)
        self.client.deployments.accept_handlers()  # as the server does, whatever its profile

    def __repr__(self) -> str:
        return f"<AsyncRemoteExecutor {self._server}>"
