"""The same requests to `stepwell serve`, to moto's server and to LocalStack, one after the other, in one run, from wrk.

    benches/emulators/setup && make emulators

Each execution has a name of its own and one Pass state. moto runs state machines only if it is asked to
(``execute_state_machine``), so it is measured both ways. Both keep everything in memory, and Stepwell acknowledges what
is on disk. Prints a table with the ratios; ``--save FILE`` writes the figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from comparison import table  # noqa: E402
from machine import cpu_seconds, describe, fdatasync_seconds, rss_mb  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stepwell/emulators"
COLUMNS = {
    "start_per_second": "StartExecution/s",
    "start_p99_ms": "p99 (ms)",
    "describe_per_second": "DescribeExecution/s",
    "start_cpu_ms": "CPU of a start (ms)",
    "describe_cpu_ms": "of a describe",
    "rss_mb": "memory (MB)",
}
CONNECTIONS = 64
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    # moto takes the region from a signature, and checks none.
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/states/aws4_request, "
    "SignedHeaders=host, Signature=none",
}
SCRIPT = """local count, headers = 0, {["Content-Type"] = "application/x-amz-json-1.0",
  ["X-Amz-Target"] = "AWSStepFunctions.%s", ["Authorization"] = [[%s]]}
function request()
  count = count + 1
  return wrk.format("POST", "/", headers, (string.gsub([[%s]], "NUMBER", "%s" .. count)))
end
"""
WARM_UP = 20
READY_SECONDS = 60
Row = dict[str, float]


class Server:
    """A server that answers Step Functions' API."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid

    def call(self, operation: str, **request: object) -> dict[str, str]:
        headers = {**HEADERS, "X-Amz-Target": f"AWSStepFunctions.{operation}"}
        asked = urllib.request.Request(self.url, json.dumps(request).encode(), headers)
        with urllib.request.urlopen(asked) as answer:
            return dict(json.load(answer))

    def load(self, folder: Path, operation: str, seconds: int, **request: object) -> Row:
        """The figures of one run of wrk. Answers other than 200 fail it."""
        path = folder / "load.lua"
        body = json.dumps(request)
        path.write_text(SCRIPT % (operation, HEADERS["Authorization"], body, f"{seconds}-"))
        before = cpu_seconds(self.pid)
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--timeout", "60", "--latency", "-s", str(path)]
        text = subprocess.run([*command, self.url], capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in text:
            raise SystemExit(f"{operation} failed:\n{text}")
        (count,) = re.findall(r"(\d+) requests in", text)
        ((p99, unit),) = re.findall(r"99%\s+([\d.]+)(us|ms|s|m)\b", text)
        return {
            "per_second": float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0]),
            "p99_ms": float(p99) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit],
            "cpu_ms": (cpu_seconds(self.pid) - before) / int(count) * 1000,
        }


@contextmanager
def stepwell(folder: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "stepwell", "serve", "--port", "0", "--data", str(folder / "data")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(process.stdout.readline().split()[-1], process.pid)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def moto(program: Path, *, runs: bool) -> Iterator[Server]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with _process([program, "-p", str(port)], f"{url}/moto-api/") as pid:
        settings = json.dumps({"stepfunctions": {"execute_state_machine": runs}}).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/config", settings, headers)):
            yield Server(url, pid)


@contextmanager
def localstack(python: Path, folder: Path) -> Iterator[Server]:
    port = _free_port()
    settings = {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "FILESYSTEM_ROOT": str(folder / "localstack"),
        "SERVICES": "stepfunctions,events",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "ACTIVATE_PRO": "0",
    }
    url = f"http://127.0.0.1:{port}"
    command = [python, "-m", "localstack.runtime.main"]
    with _process(command, f"{url}/_localstack/health", settings) as pid:
        yield Server(url, pid)


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@contextmanager
def _process(
    command: list[str | Path], ready: str, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[int]:
    """The id of a server's process, once its page ``ready`` answers."""
    environment = {**os.environ, **settings}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_ready(ready)
        yield process.pid
    finally:
        process.kill()  # nothing of it is kept
        process.wait()


def _until_ready(url: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def measure(server: Server, folder: Path, seconds: int) -> Row:
    machine = {"name": "pass", "definition": json.dumps(PASS), "roleArn": "arn:aws:iam::123456789012:role/any"}
    arn = server.call("CreateStateMachine", **machine)["stateMachineArn"]
    start = {"stateMachineArn": arn, "input": '{"order":7,"name":"abc"}'}
    execution = server.call("StartExecution", name="one", **start)["executionArn"]
    for number in range(WARM_UP):
        server.call("StartExecution", name=f"warm-{number}", **start)
    started = server.load(folder, "StartExecution", seconds, name="n-NUMBER", **start)
    described = server.load(folder, "DescribeExecution", seconds, executionArn=execution)
    return {
        "start_per_second": started["per_second"],
        "start_p99_ms": started["p99_ms"],
        "start_cpu_ms": started["cpu_ms"],
        "describe_per_second": described["per_second"],
        "describe_cpu_ms": described["cpu_ms"],
        "rss_mb": rss_mb(server.pid),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emulators", type=Path, default=CACHE, help="where benches/emulators/setup installed them")
    parser.add_argument("--seconds", type=int, default=8, help="of each run of wrk")
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    program: Path = options.emulators / "moto/bin/moto_server"
    if not program.exists():
        raise SystemExit(f"no moto in {options.emulators}: benches/emulators/setup installs it")
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="emulators-", dir=os.environ.get("TMPDIR")) as made:
        folder = Path(made)
        floor = fdatasync_seconds(folder) * 1000
        with stepwell(folder) as server:
            rows["Stepwell"] = measure(server, folder, options.seconds)
        for name, runs in (("moto, which runs them", True), ("moto, as it comes", False)):
            with moto(program, runs=runs) as server:
                rows[name] = measure(server, folder, options.seconds)
        python: Path = options.emulators / "localstack/bin/python"
        if python.exists():
            with localstack(python, folder) as server:
                rows["LocalStack"] = measure(server, folder, options.seconds)
    print(f"{table(COLUMNS, rows)}\n\nThe disk's own fdatasync in this run: {floor:.2f} ms.")
    if options.save:
        kept = {"machine": describe(), "fdatasync_ms": round(floor, 3), "servers": rows}
        options.save.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
