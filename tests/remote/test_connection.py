"""The HTTP connection of a remote executor: servers that start again, that are none, or that refuse their client."""

from __future__ import annotations

import asyncio
import http.server
import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from server.support import Served, serving
from stepwell import (
    ApiError,
    AsyncRemoteExecutor,
    Closed,
    InvalidDefinition,
    InvalidInput,
    Limits,
    RemoteExecutor,
    StorageError,
    WorkflowNotFound,
)
from stepwell.engine.control import messages as m
from stepwell.remote.http_pool import server_of
from stepwell.remote.signing import SignIn

LONG = 60
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$", "End": True}}}


@contextmanager
def answering(status: int, body: bytes, lost: str = "") -> Generator[str]:
    """A server with one answer to a greeting, that has nothing, and whose answers to ``lost`` get lost; its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if self.headers["x-amz-target"] == lost:
                return  # the connection ends
            answer = body if self.headers["x-amz-target"] == "Stepwell.Hello" else NOTHING
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """The test's output stays clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://127.0.0.1:8083", (False, "127.0.0.1", 8083, "/")),
        ("https://engine.example", (True, "engine.example", 443, "/")),
        ("http://[::1]:1/", (False, "::1", 1, "/")),
    ],
)
def test_urls_name_servers(url: str, parts: tuple[Any, ...]) -> None:
    assert tuple(server_of(url)) == parts


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8083", "ftp://a", "http://", "http://a:b", "http://a?x=1", 7, [], "http://a,", ["http://a", 7]],
)
def test_other_urls_are_refused(url: Any) -> None:
    with pytest.raises(InvalidInput):
        RemoteExecutor(url)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "data")) as served:
        served.stop()
        with pytest.raises(StorageError, match=f"the server at {served.url} cannot be reached"):
            RemoteExecutor(served.url, patience=0.05)


def test_of_several_servers_one_that_answers_is_asked(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "one")) as gone, serving("--data", str(tmp_path / "two")) as there:
        with RemoteExecutor(f"{gone.url}, {there.url}") as ex:
            assert ex.workflows() == []
            gone.stop()
            ex.deploy("pass", PASS)
            assert ex.start("pass", 5).wait(LONG).output == 5
        body = b'{"__type":"ServiceUnavailable","message":"the server is stopping"}'
        with answering(503, body) as stopping, RemoteExecutor([gone.url, stopping, there.url]) as ex:
            assert ex.workflow("pass").version == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>", "is no server of this version"),
        (404, b"not found", "status 404"),
        (503, b'{"__type":"ServiceUnavailable","message":"the server is stopping"}', "the server is stopping"),
    ],
)
def test_a_server_of_something_else_is_named(status: int, body: bytes, error: str) -> None:
    with answering(status, body) as url, pytest.raises(StorageError, match=error):
        RemoteExecutor(url, patience=0.05)


def test_a_refusal_says_what_the_server_says() -> None:
    body = b'{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The token is invalid."}'
    with answering(403, body) as url, pytest.raises(ApiError) as refused:
        RemoteExecutor(url)
    assert (refused.value.code, refused.value.message) == ("UnrecognizedClientException", "The token is invalid.")


def test_a_server_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "data")) as served:
        monkeypatch.setattr(m, "PROTOCOL", m.PROTOCOL + 1)
        with pytest.raises(StorageError, match="use the same version"):
            RemoteExecutor(served.url)


def test_a_server_that_starts_again_is_waited_for(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    waited: list[Any] = []
    with serving("--data", data) as served:
        port = served.url.rpartition(":")[2]
        with RemoteExecutor(served.url) as ex:
            ex.deploy("wait", WAIT)
            ex.deploy("pass", PASS)
            execution = ex.start("wait", 2, "one")
            waiting = threading.Thread(target=lambda: waited.append(execution.wait(LONG).output))
            waiting.start()
            served.process.kill()
            served.process.wait()
            with serving("--data", data, "--port", port) as again:
                assert again.url == served.url
                assert ex.start("pass", 5).wait(LONG).output == 5
                waiting.join()
    assert waited == [2]


def test_whoever_waits_learns_that_the_executor_was_closed(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "data")) as served:
        ex = RemoteExecutor(served.url)
        ex.deploy("wait", WAIT)
        execution = ex.start("wait", 3600)
        errors: list[Exception] = []

        def wait() -> None:
            try:
                execution.wait(LONG)
            except Closed as error:
                errors.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        ex.close()
        waiting.join()
        assert len(errors) == 1
        with pytest.raises(Closed):
            ex.list()


NOTHING = m.body_of(m.Reply(1, []))
WELCOME = m.body_of(m.Welcome(m.PROTOCOL, "0.1", 1, 0.0, "default", "default", Limits(), False, None))


def test_a_command_whose_answer_is_lost_may_have_been_done() -> None:
    with (
        answering(200, WELCOME, lost="Stepwell.Deploy") as url,
        RemoteExecutor(url) as ex,
        pytest.raises(StorageError, match="may have been done or not"),
    ):
        ex.deploy("pass", PASS)


def test_a_question_whose_answer_is_lost_is_asked_again_for_a_while() -> None:
    with (
        answering(200, WELCOME, lost="Stepwell.Scan") as url,
        RemoteExecutor(url, patience=0.2) as ex,
        pytest.raises(StorageError, match="has not answered"),
    ):
        ex.workflow("pass")


def test_the_log_says_that_a_server_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("stepwell.remote.connection.QUIET_SECONDS", 0.0)
    data = str(tmp_path / "data")
    with serving("--data", data) as served, RemoteExecutor(served.url, patience=0.3) as ex, caplog.at_level("INFO"):
        served.stop()
        with pytest.raises(StorageError):
            ex.list()
        with serving("--data", data, "--port", served.url.rpartition(":")[2]):
            ex.list()
    texts = [record.getMessage() for record in caplog.records if record.name == "stepwell.remote"]
    assert len(texts) == 2
    assert texts[0].startswith(f"the server at {served.url} cannot be reached: ")
    assert texts[1] == f"the server at {served.url} answers again"


def test_a_definition_names_handlers_of_the_server(tmp_path: Path) -> None:
    module = tmp_path / "handlers.py"
    module.write_text("def charge(value):\n    return [value, 'charged']\n")
    machine = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": "charge", "End": True}}}
    with serving("--handlers", str(module)) as served, RemoteExecutor(served.url) as ex:
        ex.deploy("m", machine)
        assert ex.start("m", 1).wait(LONG).output == [1, "charged"]
        machine["States"]["S"]["Resource"] = "chrage"
        with pytest.raises(InvalidDefinition):
            ex.deploy("m", machine)


def test_handlers_and_backups_are_the_servers(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "data")) as served, RemoteExecutor(served.url) as ex:
        for call in (
            lambda: ex.register("a", print),
            lambda: ex.backup(tmp_path / "b"),
            lambda: ex.on("execution_ended", print),
        ):
            with pytest.raises(InvalidInput):
                call()


def test_an_event_loop_uses_a_server_too(tmp_path: Path) -> None:
    async def use(url: str) -> list[Any]:
        async with AsyncRemoteExecutor(url) as ex:
            await ex.deploy("pass", PASS)
            executions = await asyncio.gather(*[ex.start("pass", number) for number in range(20)])
            with pytest.raises(WorkflowNotFound):
                await ex.start("nothing")
            return [(await execution.wait(LONG)).output for execution in executions]

    with serving("--data", str(tmp_path / "data")) as served:
        assert asyncio.run(use(served.url)) == list(range(20))


# requests that no client of ours would send


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("Stepwell.Get", b"", 400),
        ("Stepwell.Get", b"\xc1" * 9, 400),
        ("Stepwell.Get", m.body_of(m.Tick(1)), 400),
        ("Stepwell.Get", b"\x91" * 100_000, 400),
        ("Stepwell.Nothing", m.body_of(m.Tick(1)), 400),
        ("Stepwell.Unwatch", m.body_of(m.Unwatch(1)), 400),
        ("Stepwell.Hello", m.body_of(m.Hello("else", 1, "1")), 400),
        ("Stepwell.Tick", m.body_of(m.Tick(1)), 200),
    ],
)
def test_what_is_no_request_is_refused(served: Served, target: str, body: bytes, status: int) -> None:
    answer = urllib3.request("POST", served.url, body=body, headers={"X-Amz-Target": target}, retries=False)
    assert answer.status == status
    assert served.process.poll() is None


def test_a_document_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "data")) as served, RemoteExecutor(served.url) as ex:
        ex.deploy("pass", PASS)
        request = ex.client.start_request("pass", 1, None, None, None)
        connection: Any = ex.client.host.connection  # type: ignore[attr-defined]  # pyright: ignore
        command: Any = request.command
        with pytest.raises(InvalidInput):
            connection.ask(lambda number: m.Submit(number, command, b'{"a": '))
        assert ex.list() == []


# signing in


@pytest.mark.parametrize("host", ["127.0.0.1:8083", "engine.example"])
def test_signatures_are_those_of_aws(host: str) -> None:
    headers = {"Content-Type": "application/x-msgpack", "X-Amz-Target": "Stepwell.Get"}
    now, body = datetime.now(UTC), os.urandom(100)
    request = AWSRequest("POST", f"http://{host}/", {**headers, "X-Amz-Date": ""}, body)
    del request.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials("key", "secret"), "states", "eu-west-1")
    signer.add_auth(request)
    stamp = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(stamp - now).total_seconds() < LONG
    ours = SignIn(None, "key", "secret", "eu-west-1").headers(host, "/", headers, body, stamp)
    assert ours["Authorization"] == request.headers["Authorization"]


def test_what_the_environment_has_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepwell.remote.signing import sign_in

    monkeypatch.delenv("STEPWELL_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert sign_in(None, None, None, None) == SignIn(None, "key", "secret", "eu-west-1")
    monkeypatch.setenv("STEPWELL_TOKEN", "token")
    keys = sign_in(None, None, None, None)
    assert keys.headers("h", "/", {}, b"", datetime.now(UTC)) == {"Authorization": "Bearer token"}
    assert "token" not in repr(keys).replace("a token", "")
    assert sign_in(None, "other", "secret", None).access_key == "other"
    for wrong in (("token", "key", "secret"), (None, "key", None)):
        with pytest.raises(InvalidInput):
            sign_in(*wrong, None)
