"""``http:invoke``: calls HTTP APIs on hosts that the program allows (ASL A15)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

import urllib3

from stepwell.asl.json import dumps, is_object, loads
from stepwell.errors import InvalidInput, TaskError
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.handlers import Handler

from .http_connections import (
    RUNTIME,
    Connection,
    HttpConnection,
    check_headers,
    find_connection,
    merge_body,
    merge_headers,
)

RESOURCE = "arn:aws:states:::http:invoke"
TIMEOUT_SECONDS = 60.0
MAX_RESPONSE_BYTES = 16 << 20
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
ARRAY_FORMATS = ("INDICES", "REPEAT", "COMMAS", "BRACKETS", "NONE")
FORM = "application/x-www-form-urlencoded"
SOCKET = "States.Http.Socket"
_CHUNK = 64 << 10
RANGE = "bytes=0-262144"
_BINARY = ("application/octet-stream", "image/", "video/", "audio/")


class Registry(Protocol):
    """An executor, as far as this module needs it."""

    def register(self, resource: str, function: Handler) -> None:
        """Register ``function`` for ``resource``."""
        ...


class Limits(NamedTuple):
    """The limits of a call."""

    seconds: float = TIMEOUT_SECONDS
    response_bytes: int = MAX_RESPONSE_BYTES


def allow(
    executor: Registry, *hosts: str, connections: Mapping[str, Connection] | None = None, limits: Limits | None = None
) -> None:
    """Allow Task states to call ``hosts`` by ``http:invoke``.

    A host is a name, with a port unless it is the scheme's default (``localhost:8080``), or a pattern
    (``*.example.com``). The keys of ``connections`` are ConnectionArns or names of connections; the values are headers,
    or an ``HttpConnection`` that also has query parameters and members of the body. Redirects are not followed.
    """
    if not hosts:
        raise InvalidInput("name the hosts that may be called")
    executor.register(RESOURCE, HttpTask(hosts, connections or {}, limits or Limits()))


class HttpTask:
    """The handler of ``http:invoke``."""

    def __init__(self, hosts: tuple[str, ...], connections: Mapping[str, Connection], limits: Limits) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._connections, self._limits = connections, limits
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)

    def __call__(self, arguments: Any, context: HandlerContext) -> dict[str, Any]:
        """The answer: its status, headers and body."""
        if not is_object(arguments):
            raise TaskError(RUNTIME, "http:invoke takes an object of parameters")
        connection = self._connection(arguments)
        arguments = merge_body(arguments, connection.body)
        method, url = self._target(arguments, connection.query)
        region = context.execution_arn.split(":")[3] if context.execution_arn else ""
        fixed = {"User-Agent": f"Amazon|StepFunctions|HttpInvoke|{region}", "Range": RANGE}
        headers = merge_headers(self._headers(arguments, connection), fixed)
        body = _body(arguments, headers)
        deadline = monotonic() + self._limits.seconds
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers=headers,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(total=self._limits.seconds),
            )
            with response:
                content = self._read(response, deadline)
        except urllib3.exceptions.HTTPError as error:
            raise TaskError(SOCKET, f"{method} {url} failed: {error}") from error
        return _answer(response, content)

    def _target(self, arguments: dict[str, Any], more: Mapping[str, Any]) -> tuple[str, str]:
        endpoint, method = arguments.get("ApiEndpoint"), arguments.get("Method")
        if not isinstance(endpoint, str) or method not in METHODS:
            raise TaskError(RUNTIME, f"http:invoke needs an ApiEndpoint, and a Method of {', '.join(METHODS)}")
        parts = urlsplit(endpoint)
        if parts.scheme not in ("https", "http") or parts.hostname is None or parts.username is not None:
            raise TaskError(RUNTIME, f"the ApiEndpoint is not an http or https URL: {endpoint!r}")
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        if not any(fnmatch.fnmatchcase(host, allowed) for allowed in self._hosts):
            raise TaskError(
                "States.Permissions", f"http:invoke may not call {host!r}: it is not among the hosts allowed"
            )
        parameters = {**_object(arguments, "QueryParameters"), **more}
        query = "&".join([*filter(None, [parts.query]), *_pairs(parameters, "REPEAT")])
        return method, parts._replace(query=query, fragment="").geturl()

    def _headers(self, arguments: dict[str, Any], connection: HttpConnection) -> dict[str, str]:
        own = {name: ", ".join(_texts(value)) for name, value in _object(arguments, "Headers").items()}
        check_headers(own)
        headers = merge_headers(own, connection.headers)
        # A length other than that of the body would leave the server waiting for the rest.
        headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        bad = next((name for name, value in headers.items() if "\n" in name + value or "\r" in name + value), None)
        if bad is not None:
            raise TaskError(RUNTIME, f"the header {bad!r} holds a line break")
        return headers

    def _connection(self, arguments: dict[str, Any]) -> HttpConnection:
        for field in ("InvocationConfig", "Authentication"):
            arn = _object(arguments, field).get("ConnectionArn")
            if arn is not None:
                return find_connection(self._connections, str(arn))
        return HttpConnection()

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        content = bytearray()
        for chunk in response.stream(_CHUNK):
            content += chunk
            if len(content) > self._limits.response_bytes:
                raise TaskError("States.DataLimitExceeded", f"the response is over {self._limits.response_bytes} bytes")
            if monotonic() > deadline:
                raise TaskError(SOCKET, f"no whole response within {self._limits.seconds} s")
        return bytes(content)


def _body(arguments: dict[str, Any], headers: dict[str, str]) -> bytes | None:
    """The request's body as bytes; adds its type to ``headers`` unless they have one."""
    if "RequestBody" not in arguments:
        return None
    body = arguments["RequestBody"]
    transform = _object(arguments, "Transform")
    if transform.get("RequestBodyEncoding") == "URL_ENCODED":
        array_format = _object(transform, "RequestEncodingOptions").get("ArrayFormat", "INDICES")
        if array_format not in ARRAY_FORMATS or not is_object(body):
            raise TaskError(
                RUNTIME, f"a URL-encoded body is an object, its ArrayFormat one of {', '.join(ARRAY_FORMATS)}"
            )
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = FORM
        return "&".join(_pairs(body, array_format)).encode()
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json; charset=UTF-8"
    return body.encode() if isinstance(body, str) else dumps(body)


def _object(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    """A parameter that is an object, or an empty one."""
    value = arguments.get(name)
    if value is None:
        return {}
    if not is_object(value):
        raise TaskError(RUNTIME, f"{name} is an object, not {type(value).__name__}")
    return value


def _pairs(fields: dict[str, Any], array_format: str) -> Iterator[str]:
    """``name=value`` for each field; objects in brackets, arrays in one of AWS's forms."""
    for name, value in fields.items():
        if is_object(value):
            yield from _pairs({f"{name}[{key}]": inner for key, inner in value.items()}, array_format)
        elif isinstance(value, list):
            yield from _array_pairs(name, list(_texts(value)), array_format)
        else:
            yield from (f"{_quoted(name)}={_quoted(text)}" for text in _texts(value))


def _array_pairs(name: str, values: list[str], array_format: str) -> Iterator[str]:
    if array_format in ("COMMAS", "NONE"):
        yield f"{_quoted(name)}={_quoted(','.join(values))}"
        return
    for index, value in enumerate(values):
        suffix = {"INDICES": f"[{index}]", "BRACKETS": "[]"}.get(array_format, "")
        yield f"{_quoted(name + suffix)}={_quoted(value)}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _texts(value: Any) -> Iterator[str]:
    """A value, or the values of an array, as text; null has none."""
    for each in value if isinstance(value, list) else [value]:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(each, str):
            yield each
        elif each is not None:
            yield dumps(each).decode()


def _answer(response: urllib3.BaseHTTPResponse, content: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Headers": {name: response.headers.getlist(name) for name in response.headers},
        "ResponseBody": _decoded(content, response.headers.get("Content-Type", "")),
        "StatusCode": response.status,
        "StatusText": response.reason or "",
    }
    if not 200 <= response.status < 300:
        raise TaskError(f"States.Http.StatusCode.{response.status}", dumps(answer).decode())
    return answer


def _decoded(content: bytes, content_type: str) -> Any:
    if content_type.lower().startswith(_BINARY):
        raise TaskError(RUNTIME, f"an HTTP Task cannot take a response of type {content_type!r}")
    if "json" in content_type.lower():
        try:
            return loads(content)
        except (InvalidInput, ValueError):
            pass
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise TaskError(RUNTIME, f"the response is no text: {error}") from error
