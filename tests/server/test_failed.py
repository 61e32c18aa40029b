"""A server whose disk takes no more: it answers so, its log stays small, and what it has answered is there later."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from stepwell.errors import ClockError
from stepwell.step_functions.api import fault_of

from .support import SECONDS, machine, refusal, serving

FULL = """\
import resource

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
"""
"""Handlers that keep the process from making files larger, as a full disk does."""


HANDLER = "def echo(task):\n    return task\n"


def test_a_full_disk_is_answered_with_service_unavailable(tmp_path: Path) -> None:
    module, log, data = tmp_path / "handlers.py", tmp_path / "log", str(tmp_path / "data")
    module.write_text(HANDLER)
    with serving("--data", data, "--handlers", str(module), stderr=log) as server:
        arn = machine(server.client, "m")
        module.write_text(FULL + HANDLER)
        server.process.send_signal(signal.SIGHUP)
        answered: list[str] = []
        deadline = time.monotonic() + SECONDS
        while True:
            assert time.monotonic() < deadline
            name = f"e{len(answered)}"
            status, body = server.post(
                "StartExecution", json.dumps({"stateMachineArn": arn, "name": name, "input": json.dumps("x" * 200_000)})
            )
            if status != 200:
                break
            answered.append(body["executionArn"])
        assert (status, body["__type"]) == (503, "ServiceUnavailable")
        for _ in range(30):
            assert refusal(server.client.describe_execution, executionArn=answered[0])[0] == "ServiceUnavailable"
        assert server.get("/health/ready").status == 503
        assert server.get("/health/live").status == 200
        assert server.stop() == 0
        assert log.read_text().count("Traceback") < 10
    with serving("--data", data) as server:
        for execution in answered:
            server.client.describe_execution(executionArn=execution)


def test_a_clock_that_no_timestamp_has_makes_the_service_unavailable() -> None:
    assert fault_of(ClockError("after 2106")).code == "ServiceUnavailable"
