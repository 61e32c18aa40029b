"""Nodes that are `stepwell serve`, each on a host of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.network import Host
from cluster.nodes import Node, Nodes
from stepwell import RemoteExecutor

NAME = "orders"
PARTITIONS = 3
HANDLERS = """
import time

def tenfold(given):
    return {"n": given["n"] * 10}

def slow(given):
    time.sleep(0.3)
    return given
"""


class ServedNode(Node):
    """A node that serves the API, of the cluster ``cluster``. ``options`` are more of the command's."""

    answer_seconds = 90.0
    url = ""

    def __init__(
        self, host: Host, folder: Path, servers: str, options: Sequence[str | Path], cluster: str = NAME
    ) -> None:
        super().__init__(host, folder, servers)
        self._options, self._cluster = options, cluster

    def start(self) -> None:
        options = ["--data", self.data, "--cluster", self._servers, "--cluster-name", self._cluster]
        options += ["--partitions", str(PARTITIONS), "--node", self.name, "--host", self.host.address]
        self._launch("-m", "stepwell", "serve", *options, "--port", "0", "--insecure", "--json", *self._options)

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
        super().__init__(folder, lambda host, servers: ServedNode(host, folder, servers, options))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``stepwell cluster …`` for this cluster."""
        environment = {**os.environ, "STEPWELL_CLUSTER": self.servers.urls, "STEPWELL_CLUSTER_NAME": NAME}
        command = [sys.executable, "-m", "stepwell", "cluster", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)

    def leaders(self) -> dict[int, str | None]:
        """Who leads each partition."""
        status = json.loads(self.run("status", "--json").stdout)
        return {each["partition"]: each["leader"] for each in status["partitions"]}
