"""What an EventBridge connection adds to a call of ``http:invoke``, and the headers that AWS reserves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from stepwell.asl.json import is_object
from stepwell.errors import TaskError

RUNTIME = "States.Runtime"
_NOTHING: Mapping[str, Any] = MappingProxyType({})
# AWS's guide, "Call HTTPS APIs": a state with one of these headers fails.
_FORBIDDEN = frozenset(
    [
        "a-im",
        "accept-charset",
        "accept-datetime",
        "accept-encoding",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-md5",
        "date",
        "expect",
        "forwarded",
        "from",
        "host",
        "http2-settings",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "origin",
        "pragma",
        "proxy-authorization",
        "referer",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "warning",
    ]
)
_FORBIDDEN_PREFIXES = ("x-forwarded-", "x-amz-", "x-amzn-")


class HttpConnection(NamedTuple):
    """The headers, query parameters and members of the body of a connection; they take precedence over the state's."""

    headers: Mapping[str, str] = _NOTHING
    query: Mapping[str, Any] = _NOTHING
    body: Mapping[str, Any] = _NOTHING


Given: TypeAlias = Mapping[str, str] | HttpConnection
Connection: TypeAlias = Given | Callable[[], Given]
"""A connection, or only the headers that it adds; or a function that returns one of them."""


def find_connection(connections: Mapping[str, Connection], arn: str) -> HttpConnection:
    """The connection of an ARN, by the ARN or by its name. Raises ``TaskError``."""
    _, _, rest = arn.partition(":connection/")
    found = connections.get(arn)
    if found is None:
        found = connections.get(rest.partition("/")[0])
    if found is None:
        raise TaskError("Events.ConnectionResource.ResourceNotFound", f"no connection is known by {arn!r}")
    given = found() if callable(found) else found
    return given if isinstance(given, HttpConnection) else HttpConnection(given)


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that a definition may not set. Raises ``TaskError``."""
    for name in headers:
        if name.lower() in _FORBIDDEN or name.lower().startswith(_FORBIDDEN_PREFIXES):
            raise TaskError(RUNTIME, f"the header {name!r} may not be set by an HTTP Task")


def merge_headers(own: Mapping[str, str], connection: Mapping[str, str]) -> dict[str, str]:
    """The headers of a state and of its connection, which take precedence; names are compared without case."""
    taken = {name.lower() for name in connection}
    return {**{name: value for name, value in own.items() if name.lower() not in taken}, **connection}


def merge_body(arguments: Mapping[str, Any], connection: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call with the connection's members in its RequestBody. Raises ``TaskError``."""
    if not connection:
        return dict(arguments)
    body = arguments.get("RequestBody", {})
    if not is_object(body):
        raise TaskError(RUNTIME, "the connection has body parameters, and the RequestBody is no object")
    return {**arguments, "RequestBody": {**body, **connection}}
