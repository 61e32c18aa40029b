"""Clients that are slow, greedy or too many are cut off, and disturb nobody else."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .support import SECONDS, WAIT, Served, machine, refusal, serving_script

SCRIPT = """
from stepwell import AsyncExecutor
from stepwell.server import serving
from stepwell.server.limits import Limits
from stepwell.server.settings import Settings

limits = Limits(connections=20, head_seconds=1, body_seconds=1, answer_seconds=1, idle_seconds=1, request_seconds=1,
                bodies_bytes=3 << 20)
ready = lambda url: print("ready on", url, flush=True)
serving.run(serving.serve(AsyncExecutor(), Settings("127.0.0.1", 0, limits=limits), ready))
"""
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\n"
REQUEST = HEAD + b"Content-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_script(tmp_path_factory.mktemp("impatient"), SCRIPT) as served:
        yield served


def connect(served: Served) -> socket.socket:
    where = urlsplit(served.url)
    return socket.create_connection((where.hostname, where.port or 0), timeout=SECONDS)


def is_cut_off(connection: socket.socket) -> bool:
    """Whether the server ends a connection; it waits until then."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        return True
    return True


def status_of(connection: socket.socket) -> int:
    """The status of the answer that comes; 0 if the connection ends without one."""
    got = b""
    try:
        while b"\r\n" not in got and (part := connection.recv(1 << 16)):
            got += part
    except ConnectionResetError:
        return 0
    return int(got.split(b" ")[1]) if got else 0


def answers(served: Served) -> bool:
    return served.post("ListStateMachines", "{}")[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"P", id="one byte"),
        pytest.param(HEAD, id="half a head"),
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\n{", id="half a body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", id="chunks without an end"),
        pytest.param(REQUEST, id="no second request"),
        pytest.param(REQUEST + b"\r\n", id="an empty line for a second request"),
        pytest.param(REQUEST + HEAD, id="half a second head"),
    ],
)
def test_a_client_that_stops_is_cut_off(impatient: Served, sent: bytes) -> None:
    with connect(impatient) as connection:
        connection.sendall(sent)
        assert is_cut_off(connection)
    assert answers(impatient)


@pytest.mark.parametrize("piece", [b"X-A: a\r\n", b"a"], ids=["headers", "bytes of one header"])
def test_a_client_that_sends_a_head_piece_by_piece_is_cut_off(impatient: Served, piece: bytes) -> None:
    with connect(impatient) as connection:
        connection.sendall(HEAD + (b"X-A: " if piece == b"a" else b""))
        assert sends_until_cut_off(connection, piece)
    assert answers(impatient)


def test_a_client_that_sends_a_body_byte_by_byte_is_cut_off(impatient: Served) -> None:
    with connect(impatient) as connection:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        assert sends_until_cut_off(connection, b" ")
    assert answers(impatient)


def sends_until_cut_off(connection: socket.socket, piece: bytes) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return True
        time.sleep(0.05)
    return False


def test_a_client_that_does_not_read_is_cut_off(impatient: Served) -> None:
    """Answers of 1 MB, until they fill what the kernel keeps for the connection."""
    definition = {"StartAt": "A", "Comment": "x" * 1_000_000, "States": {"A": {"Type": "Succeed"}}}
    request = {"name": "large", "definition": json.dumps(definition), "roleArn": "arn:aws:iam::000000000000:role/r"}
    status, machine = impatient.post("CreateStateMachine", json.dumps(request))
    assert status == 200
    body = json.dumps({"stateMachineArn": machine["stateMachineArn"]}).encode()
    head = HEAD.replace(b"ListStateMachines", b"DescribeStateMachine") + b"Content-Length: %d\r\n\r\n" % len(body)
    with connect(impatient) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(20):
            connection.sendall(head + body)
        ends = select.poll()
        ends.register(connection, select.POLLHUP | select.POLLERR)
        assert ends.poll(SECONDS * 1000)
    assert answers(impatient)


@pytest.mark.parametrize(
    "head", [HEAD + b"X-A: " + b"a" * 70_000, HEAD + b"X-A: a\r\n" * 20_000, b"GET /" + b"a" * 70_000]
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_head_has_a_largest_size(impatient: Served, head: bytes, is_whole: bool) -> None:
    with connect(impatient) as connection:
        connection.sendall(
            head + (b" HTTP/1.1\r\n\r\n" if is_whole and head.startswith(b"GET") else b"\r\n\r\n" * is_whole)
        )
        assert status_of(connection) == 431
    assert answers(impatient)


def test_connections_have_a_largest_number(impatient: Served) -> None:
    held = [connect(impatient) for _ in range(60)]
    try:
        for connection in held:
            connection.setblocking(False)
        time.sleep(0.3)  # well within head_seconds, after which all would be cut off
        open_ones = [connection for connection in held if not _has_ended(connection)]
        assert len(open_ones) <= 20
    finally:
        for connection in held:
            connection.close()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            assert answers(impatient)
            return
        except Exception:  # the server has not yet seen that they are closed
            time.sleep(0.05)
    raise AssertionError("it does not serve any more")


def _has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_bodies_have_a_largest_size_together(impatient: Served) -> None:
    """Three bodies of 2 MB are half there: that is more than 3 MiB."""
    held = [connect(impatient) for _ in range(3)]
    try:
        for connection in held:
            connection.sendall(HEAD + b"Content-Length: 2000000\r\n\r\n" + b" " * 1_900_000)
        statuses = [status_of(connection) for connection in held]
        assert set(statuses) == {0, 400}  # those that were held are cut off in the end
    finally:
        for connection in held:
            connection.close()
    assert answers(impatient)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        HEAD + b"X-A: a\x00b\r\n\r\n",
        HEAD + b"X-A : a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\n X: a\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(impatient: Served, sent: bytes) -> None:
    with connect(impatient) as connection:
        connection.sendall(sent)
        assert status_of(connection) == 400
    assert answers(impatient)


def test_a_request_that_takes_too_long_is_given_up(impatient: Served) -> None:
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 300, "End": True}}}
    arn = machine(impatient.client, "slow", definition, type="EXPRESS")
    _, text = refusal(impatient.client.start_sync_execution, stateMachineArn=arn)
    assert text == "the request was not answered in time"
    assert answers(impatient)


def test_the_body_s_length_is_checked_before_it_is_sent(impatient: Served) -> None:
    with connect(impatient) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        assert status_of(connection) == 413


def test_what_a_stop_cuts_off_is_answered_with_service_unavailable(tmp_path: Path) -> None:
    script = SCRIPT.replace("serving.run(", "serving.DRAIN_SECONDS = 1\nserving.run(").replace("request_seconds=1,", "")
    with serving_script(tmp_path, script) as served, ThreadPoolExecutor(1) as pool:
        long = machine(served.client, "long", WAIT, type="EXPRESS")
        answer = pool.submit(refusal, served.client.start_sync_execution, stateMachineArn=long, name="long")
        while b'"long"' not in served.get("/stepwell/executions").data:
            assert not answer.done(), answer
        assert served.stop() == 0
        assert answer.result(SECONDS)[0] == "ServiceUnavailable"
