"""The API over HTTP: requests a second of 64 connections, from wrk (Debian's package), beside the server's CPU time.

    make bench BENCH=benches/test_server.py

The client runs on the same machine: its share of the processors is not the server's. So the CPU time that the server
needs for a request is measured too; other work on the machine hardly changes it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machine import cpu_seconds, rss_mb

SECONDS = max(2, int(6 * float(os.environ.get("BENCH_SCALE", "1"))))
CONNECTIONS = 64
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
INPUT = '{"order":7,"name":"abc"}'
FIXED = """wrk.method = "POST"
wrk.headers["X-Amz-Target"] = "AWSStepFunctions.%s"
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.body = [[%s]]
"""
WORKER = """local tokens, headers = {}, {["Content-Type"] = "application/x-amz-json-1.0"}
local poll = [[{"activityArn": "%s"}]]
function request()
  local token = table.remove(tokens)
  headers["X-Amz-Target"] = "AWSStepFunctions." .. (token and "SendTaskSuccess" or "GetActivityTask")
  return wrk.format("POST", "/", headers, token and '{"taskToken":"' .. token .. '","output":"{}"}' or poll)
end
function response(status, _, body)
  local token = string.match(body, '"taskToken":"([^"]+)"')
  if token then table.insert(tokens, token) end
end
"""


class Server:
    """``stepwell serve`` over an empty folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, "-m", "stepwell", "serve", "--port", "0", "--data", str(folder / "data")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]
        self.idle_mb = rss_mb(self.process.pid)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
        asked = urllib.request.Request(self.url, json.dumps(request).encode(), headers)
        with urllib.request.urlopen(asked) as answer:
            return dict(json.load(answer))

    def machine(self, name: str, definition: dict[str, Any], type: str = "STANDARD") -> str:
        made = self.call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn="role", type=type)
        return str(made["stateMachineArn"])

    def load(self, script: str, seconds: int = SECONDS) -> dict[str, float]:
        """The figures of one run of wrk."""
        path = self._folder / "load.lua"
        path.write_text(script)
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", "-s", str(path), self.url]
        cpu = cpu_seconds(self.process.pid)
        text = subprocess.run(["wrk", *options], capture_output=True, text=True, check=True).stdout
        cpu = cpu_seconds(self.process.pid) - cpu
        assert "Non-2xx" not in text, text
        count = int(re.search(r"(\d+) requests in", text)[1])
        p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
        return {
            "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            "p99_ms": float(p99) * {"us": 0.001, "ms": 1, "s": 1000}[unit],
            "cpu_microseconds_each": cpu / count * 1e6,
            "count": count,
        }

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed")
    served = Server(tmp_path)
    yield served
    served.stop()


def best(benchmark: Any, server: Server, script: str) -> dict[str, float]:
    """The best of three runs, each figure for itself."""
    runs: list[dict[str, float]] = []
    benchmark.pedantic(lambda: runs.append(server.load(script)), rounds=3, warmup_rounds=1)
    figures = {name: min(run[name] for run in runs) for name in ("p99_ms", "cpu_microseconds_each")}
    return {"per_second": max(run["per_second"] for run in runs), **figures}


def fixed(operation: str, **request: Any) -> str:
    return FIXED % (operation, json.dumps(request))


def test_server_start_execution(benchmark: Any, server: Server, report: Any) -> None:
    arn = server.machine("pass", PASS)
    idle = server.idle_mb
    report(**best(benchmark, server, fixed("StartExecution", stateMachineArn=arn, input=INPUT)), idle_mb=idle)


def test_server_describe_execution(benchmark: Any, server: Server, report: Any) -> None:
    execution = server.call("StartExecution", stateMachineArn=server.machine("pass", PASS), input=INPUT)
    report(**best(benchmark, server, fixed("DescribeExecution", executionArn=execution["executionArn"])))


def test_server_start_sync_execution(benchmark: Any, server: Server, report: Any) -> None:
    arn = server.machine("pass", PASS, "EXPRESS")
    report(**best(benchmark, server, fixed("StartSyncExecution", stateMachineArn=arn, input=INPUT)))


def test_server_activity_tasks(benchmark: Any, server: Server, report: Any) -> None:
    """Each task costs two requests: GetActivityTask and SendTaskSuccess."""
    activity = server.call("CreateActivity", name="work")["activityArn"]
    arn = server.machine("work", {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": activity, "End": True}}})
    taken: list[dict[str, float]] = []

    def run() -> None:
        server.load(fixed("StartExecution", stateMachineArn=arn, input=INPUT), SECONDS)
        time.sleep(0.5)
        taken.append(server.load(WORKER % activity, max(1, SECONDS // 2)))

    benchmark.pedantic(run, rounds=3, warmup_rounds=0)
    report(
        tasks_per_second=max(run["per_second"] for run in taken) / 2,
        cpu_microseconds_each=min(run["cpu_microseconds_each"] for run in taken) * 2,
        p99_ms=min(run["p99_ms"] for run in taken),
    )
