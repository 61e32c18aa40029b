"""AWS Signature Version 4 in the header ``Authorization``, as SDKs send it: read, and computed again.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Iterable, Sequence
from functools import lru_cache
from time import gmtime, strftime, strptime
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from . import refusals

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "states"
SKEW_SECONDS = 5 * 60
"""How far the client's clock may be off, and how long a request may be sent again: as on AWS."""
_TIME = "%Y%m%dT%H%M%SZ"
_SPACES = re.compile(b" +")

Headers = Sequence[tuple[bytes, bytes]]


class Request(NamedTuple):
    """What is signed. The path and the query are as they were sent, the names of headers in lower case."""

    method: str
    path: bytes
    query: bytes
    headers: Headers
    body: bytes


class Authorization(NamedTuple):
    """The parts of the header, and the time of the signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str

    @property
    def scope(self) -> str:
        """What the key is good for."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read(header: str, headers: Headers) -> Authorization:
    """The signature of a request. Raises ``Fault`` for one that is incomplete or leaves out what must be signed."""
    parts = _parts(header.removeprefix(ALGORITHM))
    credential = parts["Credential"].split("/")
    if len(credential) != 5 or credential[4] != "aws4_request":
        raise refusals.incomplete("Credential must have five parts: KEY/YYYYMMDD/REGION/SERVICE/aws4_request.")
    access_key, date, region, service, _ = credential
    signed = tuple(parts["SignedHeaders"].split(";"))
    _check_signed(signed, headers)
    time = next((value.decode("latin-1") for name, value in headers if name == b"x-amz-date"), None)
    if time is None:
        raise refusals.incomplete("Authorization header requires existence of a 'X-Amz-Date' header.")
    return Authorization(access_key, date, region, service, signed, parts["Signature"], time)


def check_scope(authorization: Authorization, now: float) -> None:
    """Refuse a signature of another time or for another service. Raises ``Fault``."""
    if authorization.service != SERVICE:
        raise refusals.bad_signature(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if authorization.date != authorization.time[:8]:
        raise refusals.bad_signature("Date in Credential scope does not match YYYYMMDD of X-Amz-Date.")
    signed_at = _seconds(authorization.time)
    if signed_at < now - SKEW_SECONDS:
        raise refusals.bad_signature(f"Signature expired: {authorization.time} is now earlier than {_past(now)}")
    if signed_at > now + SKEW_SECONDS:
        raise refusals.bad_signature(
            f"Signature not yet current: {authorization.time} is still later than {_future(now)}"
        )


def is_signed_with(authorization: Authorization, secret: str, request: Request) -> bool:
    """Whether the signature is that of the request, with this secret; in constant time."""
    digest = hashlib.sha256(canonical(request, authorization.signed_headers)).hexdigest()
    to_sign = "\n".join((ALGORITHM, authorization.time, authorization.scope, digest))
    key = _signing_key(secret, authorization.date, authorization.region, authorization.service)
    expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return hmac.compare_digest(expected.encode(), authorization.signature.encode())


def canonical(request: Request, signed_headers: Iterable[str]) -> bytes:
    """The canonical request. The hash of the body is always computed: no header can claim another one."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in request.headers:
        values.setdefault(name, []).append(_SPACES.sub(b" ", value.strip()))
    names = [name.encode() for name in signed_headers]
    lines = [name + b":" + b",".join(values.get(name, ())) + b"\n" for name in names]
    return b"\n".join(
        (
            request.method.encode(),
            b"/" if request.path == b"/" else quote(request.path, safe="/~").encode(),
            _canonical_query(request.query),
            b"".join(lines),
            b";".join(names),
            hashlib.sha256(request.body).hexdigest().encode(),
        )
    )


def _canonical_query(query: bytes) -> bytes:
    pairs: list[tuple[str, str]] = []
    for part in query.split(b"&") if query else ():
        name, _, value = part.partition(b"=")
        pairs.append((quote(unquote_to_bytes(name), safe="~"), quote(unquote_to_bytes(value), safe="~")))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs)).encode()


def _parts(text: str) -> dict[str, str]:
    """The parts of the header; each of the three is there once."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        if name in found:
            raise refusals.incomplete(f"Authorization header has two '{name}' parameters."[:200])
        found[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not found.get(name):
            raise refusals.incomplete(f"Authorization header requires '{name}' parameter.")
    return found


def _check_signed(signed: Sequence[str], headers: Headers) -> None:
    """The host and all headers of AWS must be signed, else somebody on the way could change the operation."""
    for name, _ in headers:
        if (name == b"host" or name.startswith(b"x-amz-")) and name.decode("latin-1") not in signed:
            shown = name.decode("latin-1")
            raise refusals.bad_signature(f"'{shown}' must be a 'SignedHeader' in the AWS Authorization.")


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=64)
def _seconds(time: str) -> int:
    try:
        if len(time) == 16:  # strptime accepts fields that are too short
            return timegm(strptime(time, _TIME))
    except ValueError:
        pass
    raise refusals.incomplete("X-Amz-Date must be in ISO-8601 'basic format': YYYYMMDDTHHMMSSZ.")


def _past(now: float) -> str:
    return f"{strftime(_TIME, gmtime(now - SKEW_SECONDS))} ({strftime(_TIME, gmtime(now))} - 5 min.)"


def _future(now: float) -> str:
    return f"{strftime(_TIME, gmtime(now + SKEW_SECONDS))} ({strftime(_TIME, gmtime(now))} + 5 min.)"
