"""What a server answers to, and to whom: addresses, names, browsers, and files it must not touch."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from stepwell.server.hosts import Hosts, is_loopback
from stepwell.server.settings import Settings, UnsafeSettings, check_settings

from .support import SECONDS, Served, serving


def refused(*arguments: str, **environment: str) -> str:
    """What a server that does not start says."""
    ended = subprocess.run(
        [sys.executable, "-m", "stepwell", "serve", "--port", "0", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=SECONDS,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "steps.example", "127.0.0.1.example"])
def test_another_address_than_loopback_needs_keys(host: str) -> None:
    assert "--insecure" in refused("--host", host)


def test_what_is_advertised_is_a_url() -> None:
    assert "--advertise is a URL such as http://a:8083, not a:8083" in refused("--advertise", "a:8083")


def test_keys_that_are_bad_are_told(tmp_path: Path) -> None:
    assert f"cannot read {tmp_path}/nothing" in refused("--credentials", f"{tmp_path}/nothing")
    (tmp_path / "tokens").write_text("a 0123456789abcdef\n")
    (tmp_path / "tokens").chmod(0o644)
    assert "chmod 600" in refused("--auth-token-file", f"{tmp_path}/tokens")


def test_another_address_with_keys_or_by_explicit_wish(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.touch(0o600)
    tokens.write_text("a 0123456789abcdef\n")
    with serving("--host", "0.0.0.0", "--auth-token-file", str(tokens)) as served:
        served.url = served.url.replace("0.0.0.0", "127.0.0.1")
        assert served.post("ListStateMachines", "{}")[0] == 403
        assert served.post("ListStateMachines", "{}", Authorization="Bearer 0123456789abcdef")[0] == 200
    with serving("--host", "0.0.0.0", "--insecure") as served:
        served.url = served.url.replace("0.0.0.0", "127.0.0.1")
        assert served.post("ListStateMachines", "{}")[0] == 200


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("a", False)],
)
def test_loopback(host: str, is_one: bool) -> None:
    assert is_loopback(host) == is_one


ALLOWED = [
    *("localhost", "LocalHost:8083", "localhost.", "api.localhost", "127.0.0.1", "127.0.0.1:80", "[::1]:8083", "[::1]"),
    *("sync-localhost:8083", "sync-127.0.0.1:8083", "sync-[::1]:8083", "10.1.2.3:8083", "steps.internal", "other:1"),
    "sync-steps.internal:8083",
]
FOREIGN = [
    *("", "evil.example", "evil.example:8083", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost"),
    *("sync-evil.example", "sync-sync-localhost", "localhost:80:80", "localhost:8083x", "[::1", "[::1]x", "[::1].evil"),
    *("127.1", "steps.internal@evil.example", "evil.example/localhost", "2130706433", "local\xffhost", "localhost, a"),
]


@pytest.mark.parametrize(("header", "is_allowed"), [*((h, True) for h in ALLOWED), *((h, False) for h in FOREIGN)])
def test_names_of_hosts(header: str, is_allowed: bool) -> None:
    hosts = Hosts("steps.internal", ["Other"])
    assert hosts.is_allowed(header.encode("latin-1")) == is_allowed


@pytest.mark.parametrize("path", ["/", "/health/live", "/metrics"])
def test_a_page_that_rebinds_its_name_is_refused(served: Served, path: str) -> None:
    for method in ("GET", "POST"):
        headers = {"Host": "evil.example:8083", "X-Amz-Target": "AWSStepFunctions.ListStateMachines"}
        answer = urllib3.request(method, served.url + path, headers=headers, body=b"{}")
        assert (answer.status, json.loads(answer.data)["__type"]) == (
            403,
            "com.amazon.coral.service#AccessDeniedException",
        )


def test_a_request_without_a_host_is_refused(served: Served) -> None:
    with closing(http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=SECONDS)) as connection:
        connection.putrequest("GET", "/health/live", skip_host=True)
        connection.endheaders()
        assert connection.getresponse().status == 403


def exchanged(served: Served, sent: bytes) -> bytes:
    """The first part of what the server answers to these bytes."""
    where = urlsplit(served.url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=SECONDS) as connection:
        connection.sendall(sent)
        return connection.recv(1 << 16)


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListActivities\r\n"


def test_a_request_with_two_hosts_is_refused(served: Served) -> None:
    answer = exchanged(served, HEAD + b"Host: evil.example\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_what_stands_behind_the_body_changes_no_header(served: Served) -> None:
    trailers = b"Host: evil.example\r\nX-Amz-Target: AWSStepFunctions.Unknown\r\n\r\n"
    answer = exchanged(served, HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + trailers)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"activities"' in answer


def test_allowed_and_advertised_names_are_served_with_their_prefix() -> None:
    with serving("--allowed-host", "states.us-east-1.amazonaws.com", "--advertise", "http://steps:8083") as served:
        for host in ("sync-states.us-east-1.amazonaws.com", "steps:8083", "sync-steps:8083"):
            assert served.post("ListStateMachines", "{}", Host=host)[0] == 200


def test_an_allowed_name_that_no_request_can_have_is_refused() -> None:
    for name in ("", "*", "*.example", "steps:8083", "http://steps/", "steps/", "a b", "a..b"):
        with pytest.raises(UnsafeSettings, match="--allowed-host"):
            check_settings(Settings("127.0.0.1", 0, allowed_hosts=(name,)))
    check_settings(Settings("127.0.0.1", 0, allowed_hosts=("steps", "states.us-east-1.amazonaws.com.", "a_b-c", "::1")))


def test_no_page_of_another_site_may_call_it(served: Served) -> None:
    preflight = urllib3.request(
        "OPTIONS",
        served.url,
        headers={
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-target",
        },
    )
    simple = urllib3.request(
        "POST", served.url, headers={"Origin": "https://evil.example", "Content-Type": "text/plain"}, body=b"{}"
    )
    assert (preflight.status, simple.status) == (405, 403)
    for answer in (preflight, simple):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


HOSTILE = ["../../escaped", "..", "/etc/passwd", "a\0b", "%2e%2e%2fescaped", "..\\escaped", "~root", "$(touch escaped)"]


def test_no_name_becomes_a_path(tmp_path: Path) -> None:
    data = tmp_path / "data"
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    with serving("--data", str(data), cwd=tmp_path) as served:
        before = _files(tmp_path)
        for name in HOSTILE:
            arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"
            role = "arn:aws:iam::000000000000:role/r"
            for operation, body in (
                ("CreateStateMachine", {"name": name, "definition": definition, "roleArn": role}),
                ("CreateActivity", {"name": name}),
                ("StartExecution", {"stateMachineArn": arn, "name": name, "input": "{}"}),
                ("DescribeExecution", {"executionArn": arn}),
                ("DescribeActivity", {"activityArn": arn.replace("stateMachine", "activity")}),
                ("DescribeMapRun", {"mapRunArn": arn}),
                ("SendTaskSuccess", {"taskToken": name, "output": "{}"}),
                (name, {}),
            ):
                status, _ = served.post(operation.replace("\0", ""), json.dumps(body))
                assert status < 500
        assert _files(tmp_path) == before
        for path in ("/../../etc/passwd", "/%2e%2e/etc/passwd", "//etc/passwd", "/data/LOCK"):
            assert served.get(path).status in (400, 404)


def _files(folder: Path) -> set[str]:
    """Files outside the log and storage, whose names are numbers."""
    files = (str(path.relative_to(folder)) for path in folder.rglob("*"))
    return {path for path in files if not path.startswith(("data/log/", "data/storage/"))}
