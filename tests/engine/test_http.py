"""http:invoke: requests and answers in AWS's shapes, and only to hosts that are allowed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from engine.support import machine, task
from stepwell import Executor, InvalidInput
from stepwell.errors import HandlerNotFound
from stepwell.integrations import allow_http
from stepwell.tasks.integrations.http import Limits

pytestmark = pytest.mark.covers("A15.68")
HTTP = "arn:aws:states:::http:invoke"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        path = self.path.partition("?")[0]
        if path == "/slow":
            time.sleep(3)
        status = int(path[1:]) if path[1:].isdigit() else 200
        said = {"method": self.command, "path": self.path, "body": self.rfile.read(length).decode()}
        said["headers"] = dict(self.headers)
        body = b"x" * 100_000 if path == "/large" else json.dumps(said).encode()
        self.send_response(status, "As Asked")
        self.send_header("Content-Type", "text/plain" if path == "/text" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def call(port: int, *hosts: str, limits: Limits | None = None, **parameters: Any) -> Any:
    with Executor() as ex:
        connections = {"stripe": {"Authorization": "Bearer secret"}}
        allow_http(ex, *(hosts or (f"127.0.0.1:{port}",)), connections=connections, limits=limits)
        parameters = {"ApiEndpoint": f"http://127.0.0.1:{port}/", "Method": "GET", **parameters}
        return ex.run(machine({"H": task(None, HTTP, Parameters=parameters)}))


def said(context: Any) -> Any:
    assert context.status == "Succeeded", context.cause
    return json.loads(context.output)["ResponseBody"]


def test_the_answer_has_status_headers_and_a_parsed_body(port: int) -> None:
    answer = json.loads(call(port).output)
    assert (answer["StatusCode"], answer["StatusText"]) == (200, "As Asked")
    assert answer["Headers"]["Content-Type"] == ["application/json"]
    assert answer["ResponseBody"]["method"] == "GET"


def test_text_stays_text(port: int) -> None:
    assert isinstance(said(call(port, ApiEndpoint=f"http://127.0.0.1:{port}/text")), str)


def test_query_headers_and_body(port: int) -> None:
    asked = said(
        call(
            port,
            Method="POST",
            QueryParameters={"a": "1 2", "b": ["x", "y"]},
            Headers={"X-Mine": "yes"},
            RequestBody={"n": 1},
        )
    )
    assert asked["path"] == "/?a=1%202&b=x&b=y"
    assert asked["headers"]["X-Mine"] == "yes"
    assert (asked["headers"]["Content-Type"], asked["body"]) == ("application/json", '{"n":1}')


@pytest.mark.parametrize(
    ("array_format", "body"),
    [
        ("INDICES", "a[0]=1&a[1]=2&o[k]=v"),
        ("REPEAT", "a=1&a=2&o[k]=v"),
        ("BRACKETS", "a[]=1&a[]=2&o[k]=v"),
        ("COMMAS", "a=1%2C2&o[k]=v"),
    ],
)
def test_url_encoded_bodies(port: int, array_format: str, body: str) -> None:
    transform = {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": array_format}}
    asked = said(call(port, Method="POST", Transform=transform, RequestBody={"a": [1, 2], "o": {"k": "v"}}))
    assert asked["body"] == body
    assert asked["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_connection_adds_its_headers(port: int) -> None:
    arn = "arn:aws:events:us-east-1:000000000000:connection/stripe/81210c42"
    assert said(call(port, Authentication={"ConnectionArn": arn}))["headers"]["Authorization"] == "Bearer secret"
    other = arn.replace("stripe", "other")
    assert call(port, Authentication={"ConnectionArn": other}).error == "States.Permissions"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_other_statuses_are_errors(port: int, status: int) -> None:
    context = call(port, ApiEndpoint=f"http://127.0.0.1:{port}/{status}")
    assert context.error == f"States.Http.StatusCode.{status}"
    assert json.loads(context.cause)["StatusText"] == "As Asked"


@pytest.mark.covers("A6 States.Permissions")
@pytest.mark.parametrize("endpoint", ["http://localhost:{}/", "http://127.0.0.1/", "http://127.0.0.1.example.com/"])
def test_other_hosts_are_not_called(port: int, endpoint: str) -> None:
    context = call(port, ApiEndpoint=endpoint.format(port))
    assert context.error == "States.Permissions"
    assert "not among the hosts allowed" in (context.cause or "")


@pytest.mark.parametrize("endpoint", ["file:///etc/passwd", "//127.0.0.1/", "http://user@127.0.0.1/", 7])
def test_what_is_no_url_is_refused(port: int, endpoint: Any) -> None:
    assert call(port, "*", ApiEndpoint=endpoint).error == "InvalidInput"


def test_a_header_cannot_smuggle_another(port: int) -> None:
    assert call(port, Headers={"X": "a\r\nHost: evil"}).error == "InvalidInput"


def test_no_connection_and_no_answer_in_time(port: int) -> None:
    assert call(port, "127.0.0.1:1", ApiEndpoint="http://127.0.0.1:1/").error == "States.Http.Socket"
    slow = call(port, ApiEndpoint=f"http://127.0.0.1:{port}/slow", limits=Limits(seconds=0.3))
    assert slow.error == "States.Http.Socket"


def test_a_large_answer_is_refused(port: int) -> None:
    large = call(port, ApiEndpoint=f"http://127.0.0.1:{port}/large", limits=Limits(response_bytes=1000))
    assert large.error == "States.DataLimitExceeded"


def test_no_host_is_allowed_unless_named() -> None:
    with Executor() as ex:
        with pytest.raises(InvalidInput):
            allow_http(ex)
        with pytest.raises(HandlerNotFound, match="http:invoke"):
            ex.run(machine({"H": task(None, HTTP, Parameters={"ApiEndpoint": "https://example.com", "Method": "GET"})}))
