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
from stepwell.integrations import HttpConnection, allow_http
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
        types = {"/text": "text/plain", "/image": "image/png", "/bytes": "application/octet-stream"}
        if path == "/latin":
            body = b"\xe9"
        self.send_header("Content-Type", types.get(path, "text/html" if path == "/latin" else "application/json"))
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
        connections = {
            "stripe": {"Authorization": "Bearer secret"},
            "empty": {},
            "full": HttpConnection({"x-MINE": "theirs"}, {"q": "theirs"}, {"Mode": "theirs"}),
        }
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
    assert (asked["headers"]["Content-Type"], asked["body"]) == ("application/json; charset=UTF-8", '{"n":1}')


@pytest.mark.parametrize(
    ("array_format", "body"),
    [
        ("INDICES", "a%5B0%5D=1&a%5B1%5D=2&o%5Bk%5D=v"),
        ("REPEAT", "a=1&a=2&o%5Bk%5D=v"),
        ("BRACKETS", "a%5B%5D=1&a%5B%5D=2&o%5Bk%5D=v"),
        ("COMMAS", "a=1%2C2&o%5Bk%5D=v"),
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
    assert call(port, Authentication={"ConnectionArn": other}).error == "Events.ConnectionResource.ResourceNotFound"


def of(name: str) -> dict[str, str]:
    return {"ConnectionArn": f"arn:aws:events:us-east-1:000000000000:connection/{name}/81210c42"}


def test_a_connection_wins_over_the_state(port: int) -> None:
    mine = {"Headers": {"X-Mine": "mine", "Other": "o"}, "QueryParameters": {"q": "mine", "r": "1"}}
    body = {"Mode": "mine", "Job": "j"}
    asked = said(call(port, Method="POST", InvocationConfig=of("full"), RequestBody=body, **mine))
    assert (asked["headers"]["x-MINE"], asked["headers"]["Other"]) == ("theirs", "o")
    assert "X-Mine" not in asked["headers"]
    assert asked["path"] == "/?q=theirs&r=1"
    assert json.loads(asked["body"]) == {"Mode": "theirs", "Job": "j"}
    assert call(port, Method="POST", InvocationConfig=of("full"), RequestBody="text").error == "States.Runtime"


def test_a_connection_may_add_nothing(port: int) -> None:
    assert said(call(port, Authentication=of("empty")))["method"] == "GET"


def test_agent_and_range_are_aws_s(port: int) -> None:
    headers = said(call(port, Headers={"User-Agent": "mine", "range": "mine"}))["headers"]
    assert headers["User-Agent"] == "Amazon|StepFunctions|HttpInvoke|us-east-1"
    assert headers["Range"] == "bytes=0-262144"


@pytest.mark.parametrize("name", ["Authorization", "HOST", "x-amz-date", "X-Amzn-Trace", "x-forwarded-for", "TE"])
def test_some_headers_are_not_the_definition_s_to_set(port: int, name: str) -> None:
    assert call(port, Headers={name: "v"}).error == "States.Runtime"


@pytest.mark.parametrize("path", ["image", "bytes", "latin"])
def test_an_answer_that_is_no_text_fails_the_task(port: int, path: str) -> None:
    assert call(port, ApiEndpoint=f"http://127.0.0.1:{port}/{path}").error == "States.Runtime"


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
    assert call(port, "*", ApiEndpoint=endpoint).error == "States.Runtime"


@pytest.mark.parametrize("wrong", [{"Method": "TRACE"}, {"Method": "get"}, {"Headers": 1}, {"QueryParameters": "a"}])
def test_a_wrong_parameter_fails_by_a_name_of_aws(port: int, wrong: dict[str, Any]) -> None:
    assert call(port, **wrong).error == "States.Runtime"


def test_the_length_is_that_of_the_body(port: int) -> None:
    for body, length in (({}, None), ({"RequestBody": "abc"}, "3")):
        asked = said(call(port, Method="POST", Headers={"content-LENGTH": "7", "X": "y"}, **body))
        assert asked["headers"].get("Content-Length") in (length, "0" if length is None else length)
        assert (asked["headers"]["X"], asked["body"]) == ("y", body.get("RequestBody", ""))


def test_a_header_cannot_smuggle_another(port: int) -> None:
    assert call(port, Headers={"X": "a\r\nHost: evil"}).error == "States.Runtime"


def test_no_connection_and_no_answer_in_time(port: int) -> None:
    assert call(port, "127.0.0.1:1", ApiEndpoint="http://127.0.0.1:1/").error == "States.Http.Socket"
    slow = call(port, ApiEndpoint=f"http://127.0.0.1:{port}/slow", limits=Limits(seconds=0.3))
    assert slow.error == "States.Http.Socket"


def test_a_large_answer_is_refused(port: int) -> None:
    large = call(port, ApiEndpoint=f"http://127.0.0.1:{port}/large", limits=Limits(response_bytes=1000))
    assert large.error == "States.DataLimitExceeded"


def test_no_host_is_allowed_unless_named() -> None:
    with Executor(strict_handlers=True) as ex:
        with pytest.raises(InvalidInput):
            allow_http(ex)
        with pytest.raises(HandlerNotFound, match="http:invoke"):
            ex.run(machine({"H": task(None, HTTP, Parameters={"ApiEndpoint": "https://example.com", "Method": "GET"})}))
