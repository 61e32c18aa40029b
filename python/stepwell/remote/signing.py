"""How a client signs in to a server: a bearer token, or keys that sign each request as AWS's SDKs do (SigV4)."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from stepwell.errors import InvalidInput

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "states"
REGION = "us-east-1"


class SignIn(NamedTuple):
    """A bearer token, or an access key with its secret; nothing of it for a server that asks for none."""

    token: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    region: str = REGION

    def headers(self, host: str, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, str]:
        """The headers that sign a POST request in, beside those that it has."""
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token}"}
        if self.access_key is None or self.secret_key is None:
            return {}
        return _signed(self, host, path, headers, body, now)

    def __repr__(self) -> str:
        return f"SignIn({'a token' if self.token else self.access_key or 'none'})"


def sign_in(token: str | None, access_key: str | None, secret_key: str | None, region: str | None) -> SignIn:
    """What a program gives, else what the environment has: ``STEPWELL_TOKEN``, or the variables of AWS's SDKs."""
    if (access_key is None) != (secret_key is None):
        raise InvalidInput("an access key and its secret key belong together")
    if token is not None and access_key is not None:
        raise InvalidInput("give a token, or an access key and its secret key, not both")
    place = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    if token is None and access_key is None:
        token = os.environ.get("STEPWELL_TOKEN")
        if token is None:
            access_key, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    return SignIn(token, access_key, secret_key, place)


def _signed(
    keys: SignIn, host: str, path: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """The headers of a signature, version 4 (AWS General Reference, "Create a signed AWS API request")."""
    assert keys.access_key is not None
    assert keys.secret_key is not None
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {name.lower(): value.strip() for name, value in headers.items()} | {"host": host, "x-amz-date": stamp}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{keys.region}/{SERVICE}/aws4_request"
    text = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys.secret_key}".encode()
    for part in (stamp[:8], keys.region, SERVICE, "aws4_request"):
        key = _mac(key, part)
    credential = f"{ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}"
    return {"X-Amz-Date": stamp, "Authorization": f"{credential}, Signature={_mac(key, text).hex()}"}


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
