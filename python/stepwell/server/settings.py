"""How a server is reached and by whom, and what is wrong with that before it listens."""

from __future__ import annotations

import ssl
from typing import NamedTuple, NoReturn

from stepwell.errors import StepwellError
from stepwell.logs import logger

from .hosts import is_address, is_loopback, is_name
from .limits import Limits
from .private_files import read_private

log = logger("stepwell.server")


class UnsafeSettings(StepwellError):
    """The server would be open to others than it should be, or cannot use its certificate."""


class Settings(NamedTuple):
    """Where the server listens, and who may use it."""

    host: str
    port: int
    tls_cert: str | None = None
    tls_key: str | None = None
    credentials: str | None = None
    """The file with access keys."""
    token_file: str | None = None
    """The file with bearer tokens."""
    allowed_hosts: tuple[str, ...] = ()
    """Names in the header ``Host`` beside those of this machine and ``host``."""
    insecure: bool = False
    """Whether anybody may use it who reaches it."""
    limits: Limits = Limits()
    metrics: bool = False
    """Whether ``GET /metrics`` answers; it needs the extra ``prometheus``."""
    access_log: bool = False
    """Whether each request is logged."""
    event_log: bool = False
    """Whether each event of an execution is logged."""
    otel: bool = False
    """Whether spans are exported; it needs the extra ``otel``."""
    read_only: bool = False
    """Whether those without a key may only read."""


def check_settings(settings: Settings) -> None:
    """Raises ``UnsafeSettings`` if others reach the server without a key, or its certificate or a name is unusable."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        _check_certificate(settings.tls_cert, settings.tls_key)
    for name in settings.allowed_hosts:
        if not (is_name(name) or is_address(name)):
            raise UnsafeSettings(f"--allowed-host is the name of a host, without a port and wildcards, not {name!r}.")
    if is_loopback(settings.host):
        return
    if settings.credentials is None and settings.token_file is None:
        if not settings.insecure:
            raise UnsafeSettings(
                f"other machines reach a server at {settings.host or 'every address'}: give it --credentials FILE or "
                "--auth-token-file FILE, or say --insecure if everybody may use it."
            )
        log.warning("everybody who reaches %s may use this server: it has no keys", settings.host or "it")
    elif settings.token_file is not None and settings.tls_cert is None:
        log.warning("bearer tokens cross the network in clear text: give --tls-cert and --tls-key")


def _check_certificate(certificate: str, key: str) -> None:
    read_private(key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise UnsafeSettings(f"{certificate} and {key} are no certificate and its key, in PEM: {error}.") from error
    except OSError as error:
        raise UnsafeSettings(f"cannot read {certificate}: {error.strerror or error}.") from error


def _no_password() -> NoReturn:
    raise UnsafeSettings("the key of --tls-key is encrypted: give one that is not.")
