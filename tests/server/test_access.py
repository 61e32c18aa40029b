"""Who may use a server: keys that sign, bearer tokens, keys that may only read, and nobody else."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import botocore.auth
import pytest
import urllib3

from stepwell.engine.control.messages import READS, REQUESTS
from stepwell.server.permissions import READING, WRITING
from stepwell.step_functions.model import OPERATIONS

from .support import SECONDS, Served, client, refusal, serving

FULL = ("AKIAFULL", "full-secret-0123456789")
READER = ("AKIAREAD", "read-secret-0123456789")
TOKENS = {"worker": "worker-token-0123456789", "probe": "probe-token-0123456789"}


class Guarded(NamedTuple):
    served: Served
    credentials: Path

    def client(self, key: str, secret: str) -> Any:
        return client(self.served.url, key, secret)

    def call(self, operation: str, token: str | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
        bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.served.post(operation, "{}", **bearer, **headers)


def section(name: str, key: str, secret: str, access: str) -> str:
    return f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\naccess = {access}\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    credentials, tokens = folder / "credentials", folder / "tokens"
    credentials.touch(0o600)
    credentials.write_text(section("owner", *FULL, "full") + section("dashboard", *READER, "read-only"))
    tokens.touch(0o600)
    tokens.write_text(f"worker {TOKENS['worker']}\nprobe {TOKENS['probe']} read-only\n")
    with serving("--credentials", str(credentials), "--auth-token-file", str(tokens)) as served:
        yield Guarded(served, credentials)


def test_every_operation_is_classified() -> None:
    assert not READING & WRITING
    assert set(OPERATIONS) == READING | WRITING
    assert all(name.startswith(("Describe", "List", "Validate")) or name == "GetExecutionHistory" for name in READING)


def test_a_key_that_signs_may_do_all(guarded: Guarded, name: str) -> None:
    sfn = guarded.client(*FULL)
    arn = sfn.create_activity(name=name)["activityArn"]
    assert arn.endswith(f":activity:{name}")
    assert "stateMachines" in sfn.list_state_machines()


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_read_only_key_reads_and_no_more(guarded: Guarded, operation: str) -> None:
    status, answer = guarded.call(operation, TOKENS["probe"])
    is_refused = answer.get("__type") == "com.amazon.coral.service#AccessDeniedException"
    assert is_refused == (operation in WRITING)
    if is_refused:
        assert (status, answer["message"]) == (
            400,
            f"probe is not authorized to perform: states:{operation} because its key is read-only",
        )


@pytest.mark.parametrize("kind", [kind.__name__ for kind in REQUESTS])
def test_a_read_only_key_reads_as_a_remote_executor(guarded: Guarded, kind: str) -> None:
    answer = urllib3.request(
        "POST",
        guarded.served.url,
        body=b"",
        headers={"X-Amz-Target": f"Stepwell.{kind}", "Authorization": f"Bearer {TOKENS['probe']}"},
    )
    assert (b"AccessDenied" in answer.data) == (kind not in [each.__name__ for each in READS])
    assert urllib3.request("POST", guarded.served.url, headers={"X-Amz-Target": f"Stepwell.{kind}"}).status == 403


def test_a_read_only_key_that_signs(guarded: Guarded, name: str) -> None:
    sfn = guarded.client(*READER)
    assert "stateMachines" in sfn.list_state_machines()
    assert refusal(sfn.create_activity, name=name)[0] == "AccessDeniedException"


def test_a_wrong_secret_and_an_unknown_key_are_refused(guarded: Guarded) -> None:
    assert refusal(guarded.client(FULL[0], READER[1]).list_state_machines)[0] == "InvalidSignatureException"
    assert refusal(guarded.client("AKIANOBODY", FULL[1]).list_state_machines)[0] == "UnrecognizedClientException"


def test_requests_without_a_key_are_refused(guarded: Guarded) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "AWS4-HMAC-SHA256"}):
        status, answer = guarded.call("ListStateMachines", **headers)
        assert status == 403
        assert answer["__type"].removeprefix("com.amazon.coral.service#") in (
            "MissingAuthenticationTokenException",
            "IncompleteSignatureException",
        )


@pytest.mark.parametrize("token", ["", "x", TOKENS["worker"] + "x", TOKENS["worker"][:-1], "ü"])
def test_wrong_tokens_are_refused(guarded: Guarded, token: str) -> None:
    answer = urllib3.request(
        "POST",
        guarded.served.url,
        body=b"{}",
        headers={"X-Amz-Target": "AWSStepFunctions.ListStateMachines", "Authorization": f"Bearer {token}".encode()},
    )
    assert (answer.status, json.loads(answer.data)["__type"]) == (
        403,
        "com.amazon.coral.service#UnrecognizedClientException",
    )


def test_a_token_is_enough(guarded: Guarded, name: str) -> None:
    assert guarded.call("ListStateMachines", TOKENS["worker"])[0] == 200
    headers = {"Authorization": f"bearer {TOKENS['worker']}"}  # the scheme's case does not count (RFC 9110 §11.1)
    assert guarded.served.post("CreateActivity", json.dumps({"name": name}), **headers)[0] == 200


def test_a_body_that_was_changed_on_the_way_is_refused(guarded: Guarded) -> None:
    sfn = guarded.client(*FULL)

    def change(request: Any, **_: Any) -> None:
        request.body = request.body + b" "
        request.headers["Content-Length"] = str(len(request.body))

    sfn.meta.events.register("before-send.stepfunctions", change)
    assert refusal(sfn.list_state_machines)[0] == "InvalidSignatureException"


def test_a_request_of_an_hour_ago_is_refused_with_the_server_s_time(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now().replace(year=now().year - 1))
    code, message = refusal(guarded.client(*FULL).list_state_machines)
    assert code == "InvalidSignatureException"
    assert message.startswith("Signature expired: ")
    answer = urllib3.request("POST", guarded.served.url, body=b"{}")
    assert answer.headers["date"].endswith("GMT")


def test_a_refused_body_need_not_be_sent_whole(guarded: Guarded) -> None:
    answer = urllib3.request("POST", guarded.served.url, body=b"x" * (6 << 20))
    assert answer.status == 403


def test_health_needs_no_key(guarded: Guarded) -> None:
    for path in ("/health/live", "/health/ready"):
        assert urllib3.request("GET", guarded.served.url + path).status == 200


def test_keys_are_read_again_on_sighup_and_kept_if_they_are_bad(guarded: Guarded) -> None:
    old = guarded.credentials.read_text()
    guarded.credentials.write_text(old + section("new", "AKIANEW", "new-secret-0123456789", "full"))
    new = guarded.client("AKIANEW", "new-secret-0123456789")
    try:
        _until(guarded, lambda: _works(new))
        guarded.credentials.write_text("no keys")
        guarded.served.process.send_signal(signal.SIGHUP)
        assert _works(new)
    finally:
        guarded.credentials.write_text(old)
    _until(guarded, lambda: not _works(new))
    assert _works(guarded.client(*FULL))


def _works(sfn: Any) -> bool:
    try:
        sfn.list_state_machines()
    except sfn.exceptions.ClientError:
        return False
    return True


def _until(guarded: Guarded, holds: Any) -> None:
    deadline = time.monotonic() + SECONDS
    guarded.served.process.send_signal(signal.SIGHUP)
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
