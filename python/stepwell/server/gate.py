"""Who may send a request: the host that it names, its signature or token, and what its key allows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from stepwell.step_functions.errors import Fault

from . import control, refusals, signatures
from .hosts import Hosts
from .keys import AccessKey, Identity, Keys
from .permissions import READING, RESOURCE_READ
from .signatures import Authorization, Headers, Request

ANYBODY = Identity("anybody", False)
"""Who sends requests to a server without keys."""


class Claim:
    """A request whose headers are in order. Only with its body can a signature be checked."""

    def __init__(self, identity: Identity, signed: tuple[Authorization, AccessKey] | None = None) -> None:
        self._identity, self._signed = identity, signed

    @property
    def is_signed(self) -> bool:
        """Whether a signature is to be checked."""
        return self._signed is not None

    def verify(self, scope: Mapping[str, Any], body: bytes) -> Identity:
        """Who has sent it. Raises ``Fault`` if it was signed otherwise."""
        if self._signed is not None:
            authorization, key = self._signed
            request = Request(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body)
            if not signatures.is_signed_with(authorization, key.secret, request):
                raise refusals.bad_signature()
        return self._identity


_OWN_SITES = frozenset({b"same-origin", b"none"})
"""What a browser says of a request that a page of this server makes, or its user."""


class Gate:
    """Refuses requests. Without ``keys`` anybody may send them who reaches the server by one of its names."""

    def __init__(self, hosts: Hosts, keys: Keys | None, anybody: Identity = ANYBODY) -> None:
        """``anybody`` is who sends requests where there are no keys."""
        self._hosts, self.keys, self._anybody = hosts, keys, Claim(anybody)

    def check_host(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse a request that was meant for another host. Raises ``Fault``."""
        if not self._hosts.is_allowed(headers.get(b"host", b"")):
            raise refusals.wrong_host()

    def check_site(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse what a page of another site lets a browser send. Programs send neither header. Raises ``Fault``."""
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        if site is not None and site not in _OWN_SITES:
            raise refusals.other_site()
        if origin is not None and origin.partition(b"://")[2] != headers.get(b"host", b""):
            raise refusals.other_site()

    def holder(self, headers: Mapping[bytes, bytes], all_headers: Headers) -> Identity | None:
        """Who sends a request without a body; None: nobody who may."""
        try:
            claim = self.claim(headers, all_headers)
        except Fault:
            return None
        return None if claim.is_signed else claim.verify({}, b"")

    def claim(self, headers: Mapping[bytes, bytes], all_headers: Headers) -> Claim:
        """What the headers say about the sender, before the body is read. Raises ``Fault``."""
        keys = self.keys
        if keys is None:
            return self._anybody
        header = headers.get(b"authorization", b"").decode("latin-1")
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            identity = keys.holder(rest.strip())
            if identity is None:
                raise refusals.unknown_client()
            return Claim(identity)
        if scheme != signatures.ALGORITHM:
            raise refusals.missing() if not header else refusals.incomplete("Unsupported AWS 'algorithm'.")
        authorization = signatures.read(header, all_headers)
        key = keys.access_keys.get(authorization.access_key)
        if key is None:
            raise refusals.unknown_client()
        signatures.check_scope(authorization, time.time())
        return Claim(key.identity, (authorization, key))


def check_allowed(identity: Identity, operation: str) -> None:
    """Refuse an operation that changes something to a key that is read-only. Raises ``Fault``."""
    if not identity.is_read_only:
        return
    is_harmless = operation in READING or operation in control.READ_ONLY or operation.startswith(RESOURCE_READ)
    if not is_harmless:
        raise refusals.not_allowed(identity.name, operation)
