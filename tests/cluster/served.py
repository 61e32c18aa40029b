"""Nodes that are `stepwell serve`, each on a host of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from cluster.network import Host, Network
from cluster.servers import Servers, binary
from stepwell import RemoteExecutor

NAME = "orders"
PARTITIONS = 3
READY_SECONDS = 90.0
HANDLERS = """
import time

def tenfold(given):
    return {"n": given["n"] * 10}

def slow(given):
    time.sleep(0.3)
    return given
"""


class ServedNode:
    """A node that can be killed and started again on its folder."""

    def __init__(self, host: Host, folder: Path, servers: str) -> None:
        self.host, self.name, self.folder, self._servers = host, host.name, folder, servers
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        options = ["--data", self.folder / self.name, "--profile", "default", "--handlers", self.folder / "handlers.py"]
        options += ["--cluster", self._servers, "--cluster-name", NAME, "--partitions", str(PARTITIONS)]
        options += ["--node", self.name, "--host", self.host.address, "--port", "0", "--insecure", "--json"]
        command = [*self.host.command, sys.executable, "-m", "stepwell", "serve", *map(str, options)]
        with (self.folder / f"{self.name}.log").open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def wait(self) -> None:
        """Wait until it serves."""
        assert self.process.stdout is not None
        guard = threading.Timer(READY_SECONDS, self.process.kill)
        guard.start()
        line = self.process.stdout.readline()
        guard.cancel()
        assert line, (self.folder / f"{self.name}.log").read_text()[-3000:]
        self.url = json.loads(line)["ready"]

    def executor(self) -> RemoteExecutor:
        return RemoteExecutor(self.url)

    def stop(self) -> int:
        """End it in order; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(READY_SECONDS)
        self.kill()
        return code

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None


class ServedCluster:
    """Three NATS servers, and three nodes that serve the API."""

    def __init__(self, folder: Path) -> None:
        (folder / "handlers.py").write_text(HANDLERS)
        self.network = Network()
        self.servers = Servers(self.network, folder / "nats", binary())
        hosts = [self.network.host(name) for name in ("n1", "n2", "n3")]
        self.nodes = [ServedNode(host, folder, self.servers.urls) for host in hosts]

    def start(self) -> None:
        self.servers.start()
        self.servers.wait()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait()

    def close(self) -> None:
        for node in self.nodes:
            node.kill()
        self.servers.close()
        self.network.close()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``stepwell cluster …`` for this cluster."""
        environment = {**os.environ, "STEPWELL_CLUSTER": self.servers.urls, "STEPWELL_CLUSTER_NAME": NAME}
        command = [sys.executable, "-m", "stepwell", "cluster", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)

    def leaders(self) -> dict[int, str | None]:
        """Who leads each partition."""
        status = json.loads(self.run("status", "--json").stdout)
        return {each["partition"]: each["leader"] for each in status["partitions"]}
