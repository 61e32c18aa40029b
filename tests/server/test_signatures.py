"""AWS Signature V4: what botocore signs is accepted, and nothing that was changed after it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from stepwell.server import signatures
from stepwell.server.signatures import Request
from stepwell.step_functions.errors import Fault

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = time.time()


@dataclass
class Signed:
    header: str
    request: Request


def sign(request: Request, *, secret: str = SECRET, region: str = "us-east-1", service: str = "states") -> Signed:
    """The request with botocore's headers, as a server receives it."""
    url = "http://127.0.0.1:8083" + request.path.decode() + (f"?{request.query.decode()}" if request.query else "")
    headers = {name.decode(): value.decode() for name, value in request.headers}
    sent = AWSRequest(request.method, url, headers=headers, data=request.body)
    SigV4Auth(Credentials("AKIDEXAMPLE", secret), service, region).add_auth(sent)
    received = [(name.lower().encode(), value.encode()) for name, value in sent.headers.items()]
    received.append((b"host", urlsplit(url).netloc.encode()))
    return Signed(sent.headers["Authorization"], request._replace(headers=received))


def is_right(signed: Signed, secret: str = SECRET) -> bool:
    authorization = signatures.read(signed.header, signed.request.headers)
    signatures.check_scope(authorization, time.time())
    return signatures.is_signed_with(authorization, secret, signed.request)


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip)
names = st.from_regex(r"\A(x-amz-[a-z0-9-]{1,9}|[a-z]{3,9}-[a-z]{1,9})\Z").filter(
    lambda name: name not in ("x-amz-date", "user-agent", "transfer-encoding")
)
queries = st.lists(st.tuples(words, values), max_size=3).map(
    lambda pairs: "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
)
requests = st.builds(
    lambda method, path, query, headers, body: Request(
        method,
        quote("/" + path, safe="/").encode(),
        query.encode(),
        [(name.encode(), value.encode()) for name, value in headers.items()],
        body,
    ),
    st.sampled_from(["POST", "GET"]),
    st.sampled_from(["", "metrics", "health/live", "a b", "ü"]),
    queries,
    st.dictionaries(names, values, max_size=4),
    st.binary(max_size=100),
)


@given(requests, st.sampled_from(["us-east-1", "eu-central-1"]))
def test_what_botocore_signs_is_right(request: Request, region: str) -> None:
    assert is_right(sign(request, region=region))


@given(requests, st.data())
def test_what_was_changed_is_wrong(request: Request, data: st.DataObject) -> None:
    signed = sign(request)
    sent = signed.request
    change = data.draw(st.sampled_from(["body", "method", "path", "query", "header", "secret"]))
    secret = SECRET
    match change:
        case "body":
            sent = sent._replace(body=sent.body + b" ")
        case "method":
            sent = sent._replace(method="PUT")
        case "path":
            sent = sent._replace(path=sent.path + b"x")
        case "query":
            sent = sent._replace(query=sent.query + b"&x=1")
        case "header":
            at = data.draw(st.integers(0, len(sent.headers) - 1))
            name, value = sent.headers[at]
            if name in (b"authorization", b"x-amz-date"):
                return  # what is said about these is shown below
            sent = sent._replace(headers=[*sent.headers[:at], (name, value + b"x"), *sent.headers[at + 1 :]])
        case _:
            secret += "x"
    assert not is_right(Signed(signed.header, sent), secret)


@given(requests, st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_a_signature_with_another_digit_is_wrong(request: Request, at: int, digit: str) -> None:
    signed = sign(request)
    start, signature = signed.header[:-64], signed.header[-64:]
    changed = signature[:at] + digit + signature[at + 1 :]
    assert is_right(Signed(start + changed, signed.request)) == (changed == signature)


PLAIN = Request("POST", b"/", b"", [(b"x-amz-target", b"AWSStepFunctions.ListActivities")], b"{}")


def refused(header: str, request: Request, now: float = NOW) -> tuple[str, str]:
    with pytest.raises(Fault) as error:
        signatures.check_scope(signatures.read(header, request.headers), now)
    return error.value.code, error.value.message


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_clock_may_be_five_minutes_off(seconds: int) -> None:
    signed = sign(PLAIN)
    signatures.check_scope(signatures.read(signed.header, signed.request.headers), int(time.time()) + seconds)


@pytest.mark.parametrize(("seconds", "text"), [(302, "Signature expired"), (-302, "Signature not yet current")])
def test_a_signature_of_another_time_is_refused(seconds: int, text: str) -> None:
    signed = sign(PLAIN)
    code, message = refused(signed.header, signed.request, time.time() + seconds)
    assert code == "InvalidSignatureException"
    assert message.startswith(text)


def test_a_signature_for_another_service_is_refused() -> None:
    signed = sign(PLAIN, service="sqs")
    assert refused(signed.header, signed.request, time.time()) == (
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'states'.",
    )


def test_headers_of_aws_that_are_not_signed_are_refused() -> None:
    signed = sign(PLAIN._replace(headers=[]))
    changed = signed.request._replace(headers=[*signed.request.headers, *PLAIN.headers])
    assert refused(signed.header, changed) == (
        "InvalidSignatureException",
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    )


def test_a_header_added_to_a_signed_one_is_refused() -> None:
    signed = sign(PLAIN)
    added = [*signed.request.headers, (b"x-amz-target", b"AWSStepFunctions.DeleteActivity")]
    assert not is_right(Signed(signed.header, signed.request._replace(headers=added)))


def test_a_claimed_hash_of_the_body_does_not_count() -> None:
    unsigned = PLAIN._replace(headers=[*PLAIN.headers, (b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD")])
    signed = sign(unsigned)  # botocore takes the header for the hash
    assert not is_right(signed)


CREDENTIAL = "Credential=AKID/20261129/us-east-1/states/aws4_request"
DATE = [(b"x-amz-date", b"20261129T120000Z"), (b"host", b"localhost")]


@pytest.mark.parametrize(
    ("header", "headers"),
    [
        ("", DATE),
        ("Credential=AKID", DATE),
        (f"{CREDENTIAL}, SignedHeaders=host", DATE),
        (f"{CREDENTIAL}, Signature=00", DATE),
        (f"{CREDENTIAL}, {CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=00", DATE),
        ("Credential=AKID/20261129/us-east-1/states, SignedHeaders=host;x-amz-date, Signature=00", DATE),
        ("Credential=AKID/20261129/us-east-1/states/aws3, SignedHeaders=host;x-amz-date, Signature=00", DATE),
        (f"{CREDENTIAL}, SignedHeaders=host, Signature=00", [(b"host", b"localhost")]),
        *(
            (f"{CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=00", [(b"x-amz-date", date), DATE[1]])
            for date in (b"20261129", b"20261129T1200Z", b"20261129 120000Z", b"2026112 T120000Z", b"\xff" * 16, b"")
        ),
    ],
)
def test_an_incomplete_signature_is_told_as_such(header: str, headers: list[Any]) -> None:
    request = PLAIN._replace(headers=headers)
    assert refused(f"AWS4-HMAC-SHA256 {header}", request)[0] in (
        "IncompleteSignatureException",
        "InvalidSignatureException",
    )


@given(st.text(max_size=80), st.binary(max_size=20))
def test_any_header_is_refused_without_another_error(header: str, date: bytes) -> None:
    headers = [(b"x-amz-date", date)]
    try:
        authorization = signatures.read("AWS4-HMAC-SHA256 " + header, headers)
        signatures.check_scope(authorization, NOW)
    except Fault:
        return
    raise AssertionError("it was accepted")


def test_a_signature_of_characters_that_are_no_digits_is_wrong() -> None:
    signed = sign(PLAIN)
    assert not is_right(Signed(signed.header[:-64] + "ü" * 64, signed.request))
