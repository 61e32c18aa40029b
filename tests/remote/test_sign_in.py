"""Remote executors and workers of a server that has keys: bearer tokens, signatures as AWS's, keys that only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.support import Served, serving
from stepwell import ApiError, RemoteExecutor

from . import worker_handlers
from .support import working

LONG = 60
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WRITER, READER = "w" * 40, "r" * 40


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("keys")
    tokens, keys = folder / "tokens", folder / "keys"
    tokens.write_text(f"writer {WRITER}\nreader {READER} read-only\n", encoding="utf-8")
    keys.write_text(
        "[main]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = a-secret-of-some-length\n", encoding="utf-8"
    )
    for file in (tokens, keys):
        file.chmod(0o600)
    options = ("--auth-token-file", str(tokens), "--credentials", str(keys), "--profile", "default")
    with serving("--data", str(folder / "data"), *options) as server:
        yield server


def test_a_token_signs_in(served: Served) -> None:
    with RemoteExecutor(served.url, token=WRITER) as ex:
        ex.deploy("by-token", PASS)
        assert ex.start("by-token", 1).wait(LONG).output == 1


def test_keys_sign_requests(served: Served) -> None:
    secret = "a-secret-of-some-length"
    with RemoteExecutor(served.url, access_key="AKIDEXAMPLE", secret_key=secret) as ex:
        ex.deploy("by-key", PASS)
        assert ex.start("by-key", {"a": "é" * 1000}).wait(LONG).output == {"a": "é" * 1000}


def test_a_key_that_only_reads_changes_nothing(served: Served) -> None:
    with RemoteExecutor(served.url, token=WRITER) as writer:
        writer.deploy("read", PASS)
        execution = writer.start("read", 1).wait(LONG)
    with RemoteExecutor(served.url, token=READER) as ex:
        assert ex.get(execution.id).wait(LONG).output == 1
        assert [each.id for each in ex.list("read")] == [execution.id]
        for call in (lambda: ex.start("read"), lambda: ex.deploy("new", PASS), lambda: ex.delete(execution.id)):
            with pytest.raises(ApiError) as refused:
                call()
            assert refused.value.code == "AccessDeniedException"
        assert [each.id for each in ex.list("read")] == [execution.id]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({}, "MissingAuthenticationTokenException"),
        ({"token": "x" * 40}, "UnrecognizedClientException"),
        ({"access_key": "AKIDEXAMPLE", "secret_key": "another"}, "InvalidSignatureException"),
    ],
)
def test_others_are_refused(served: Served, keys: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STEPWELL_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ApiError) as refused:
        RemoteExecutor(served.url, **keys)
    assert refused.value.code == code


def test_a_worker_signs_in_with_the_environment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_TOKEN", WRITER)
    echo = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": "echo", "End": True}}}
    with RemoteExecutor(served.url) as ex, working(served.url, Path(worker_handlers.__file__)) as one:
        ex.deploy("echo", echo)
        assert ex.start("echo", 5).wait(LONG).output == 5
        assert one.stop() == 0
