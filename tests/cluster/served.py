"""Nodes that are `stepwell serve`, each on a host of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.network import Host, free_ports
from cluster.nodes import Node, Nodes
from stepwell import RemoteExecutor

NAME = "orders"
PARTITIONS = 3
HANDLERS = """
import pathlib
import time

def tenfold(given):
    return {"n": given["n"] * 10}

def slow(given):
    time.sleep(0.3)
    return given

def needs_file(given):
    return pathlib.Path(given["path"]).read_text()

def keep_token(given):
    pathlib.Path(given["MessageBody"]["path"]).write_text(given["MessageBody"]["token"])

handlers = {
    "tenfold": tenfold,
    "slow": slow,
    "needs_file": needs_file,
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken": keep_token,
}
"""
SERVE = ("-m", "stepwell")
"""What runs a node."""


class ServedNode(Node):
    """A node that serves the API, of the cluster ``cluster``. ``options`` are more of the command's."""

    answer_seconds = 90.0
    url = ""

    def __init__(
        self, host: Host, folder: Path, servers: str, options: Sequence[str | Path], cluster: str = NAME
    ) -> None:
        super().__init__(host, folder, servers)
        self._options, self._cluster = options, cluster
        self._port = free_ports(1)[0] if host.namespace is None else 8083
        """The same at each start, so that clients find it again."""
        self.program: tuple[str, ...] = SERVE

    def start(self) -> None:
        options = ["--data", self.data, "--cluster", self._servers, "--cluster-name", self._cluster]
        options += ["--partitions", str(PARTITIONS), "--node", self.name, "--host", self.host.address]
        options += ["--port", str(self._port), "--insecure", "--json"]
        self._launch(*self.program, "serve", *options, *self._options)

    def wait(self) -> None:
        self.url = self._answer()["ready"]

    def executor(self) -> RemoteExecutor:
        return RemoteExecutor(self.url)

    def stop(self) -> int:
        """End it in order; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(self.answer_seconds)
        self.kill()
        return code


class ServedCluster(Nodes[ServedNode]):
    """Three NATS servers, and three nodes that serve the API."""

    def __init__(self, folder: Path, *options: str | Path) -> None:
        self.folder = folder
        handlers = folder / "handlers.py"
        handlers.write_text(HANDLERS)
        options = options or ("--profile", "default", "--handlers", handlers)

        def make(host: Host, servers: str) -> ServedNode:
            return ServedNode(host, folder, servers, [*options, "--cluster-monitors", self.servers.monitors])

        super().__init__(folder, make)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``stepwell cluster …`` for this cluster."""
        environment = {**os.environ, "STEPWELL_CLUSTER": self.servers.urls, "STEPWELL_CLUSTER_NAME": NAME}
        command = [sys.executable, "-m", "stepwell", "cluster", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)

    def leaders(self) -> dict[int, str | None]:
        """Who leads each partition."""
        status = json.loads(self.run("status", "--json").stdout)
        return {each["partition"]: each["leader"] for each in status["partitions"]}
