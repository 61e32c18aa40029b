"""HTTP/1.1 as clients other than SDKs use it: requests in one packet, bodies in chunks, 100-continue, upgrades."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from .support import SECONDS, Served

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListActivities\r\n"
REQUEST = HEAD + b"Content-Length: 2\r\n\r\n{}"
LAST = HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"


def said(served: Served, *sent: bytes) -> bytes:
    """What the server says until it closes the connection; each piece but the first is sent after an answer."""
    where = urlsplit(served.url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=SECONDS) as connection:
        got = b""
        for number, piece in enumerate(sent):
            if number:
                got += connection.recv(1 << 16)
            connection.sendall(piece)
        while part := connection.recv(1 << 16):
            got += part
    return got


def test_requests_that_are_sent_together_are_answered_in_order(served: Served) -> None:
    health = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    got = said(served, REQUEST + health + REQUEST + LAST)
    bodies = [answer.partition(b"\r\n\r\n")[2][:11] for answer in got.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b'{"activitie', b'{"status":"', b'{"activitie', b'{"activitie']
    assert got.count(b"connection: close") == 1


def test_a_request_may_come_in_pieces_and_its_body_in_chunks(served: Served) -> None:
    chunked = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    assert said(served, chunked).startswith(b"HTTP/1.1 200 OK\r\n")
    where = urlsplit(served.url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=SECONDS) as connection:
        for index in range(len(LAST)):
            connection.sendall(LAST[index : index + 1])
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_waits_for_100_continue_gets_it_once(served: Served) -> None:
    head = HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    got = said(served, head, b"{}")
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert got.count(b"100 Continue") == 1


def test_a_request_that_is_refused_by_its_head_gets_no_100_continue(served: Served) -> None:
    head = HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    assert said(served, head).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_an_upgrade_is_not_taken_and_the_connection_goes_on(served: Served, upgrade: bytes) -> None:
    """Java's client asks for HTTP/2 with its first request."""
    offer = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\nHTTP2-Settings: AAMAAABk\r\n"
    got = said(served, offer + b"Content-Length: 2\r\n\r\n{}", LAST)
    assert got.count(b"HTTP/1.1 200 OK\r\n") == 2


def test_an_answer_to_head_has_no_body(served: Served) -> None:
    got = said(served, b"HEAD /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: 17\r\n" in got
    assert got.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n"])
def test_http_1_0_ends_with_the_answer(served: Served, more: bytes) -> None:
    got = said(served, b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n" + more + b"\r\n")
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"chunked" not in got
