"""Nodes as processes, each on a host of its own (``network``)."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from cluster.network import Host, Network
from cluster.servers import Servers, binary

NODES = ("n1", "n2", "n3")


class Node(ABC):
    """A node that can be killed and started again on its folder."""

    answer_seconds = 120.0
    """No test waits longer for a line of it."""

    def __init__(self, host: Host, folder: Path, servers: str) -> None:
        self.host, self.name = host, host.name
        self._folder, self._servers = folder, servers
        self._process: subprocess.Popen[str] | None = None

    @abstractmethod
    def start(self) -> None:
        """Start it; ``wait`` waits until it has joined."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until it has joined."""

    def _launch(self, *command: object) -> None:
        with (self._folder / f"{self.name}.log").open("a") as log:
            self._process = subprocess.Popen(
                [*self.host.command, sys.executable, *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def data(self) -> Path:
        return self._folder / self.name

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def _answer(self) -> Any:
        """The next line that it prints, which is JSON."""
        assert self.process.stdout is not None
        guard = threading.Timer(self.answer_seconds, self.process.kill)
        guard.start()
        line = self.process.stdout.readline()
        guard.cancel()
        if not line:
            raise AssertionError(f"node {self.name} has ended or does not answer:\n{self.log()[-3000:]}")
        return json.loads(line)

    def log(self) -> str:
        return (self._folder / f"{self.name}.log").read_text()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for end in (self._process.stdin, self._process.stdout):
                if end is not None:
                    end.close()
            self._process = None


AnyNode = TypeVar("AnyNode", bound=Node)


class Nodes(Generic[AnyNode]):
    """Three NATS servers, and three nodes, each on a host of its own."""

    def __init__(self, folder: Path, make: Callable[[Host, str], AnyNode]) -> None:
        self.network = Network()
        self.servers = Servers(self.network, folder / "nats", binary())
        self.nodes = [make(self.network.host(name), self.servers.urls) for name in NODES]

    def start(self) -> None:
        """Start all, and wait until the nodes have joined."""
        self.servers.start()
        self.servers.wait()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait()

    def close(self) -> None:
        """End all, and remove what it made."""
        self._end()
        self.network.close()

    def _end(self) -> None:
        for node in self.nodes:
            node.kill()
        self.servers.close()


class NodeProcess(Node):
    """A node that runs a script, and does what it is asked over its standard input. It can be paused too."""

    def __init__(self, host: Host, folder: Path, script: Path, servers: str, seed: int) -> None:
        super().__init__(host, folder, servers)
        self._script, self._seed = script, seed
        self._lives = 0
        self._lock = threading.Lock()
        self.was_ready = False

    def start(self) -> None:
        self._lives += 1
        self.was_ready = False
        self._launch(self._script, self._folder, self._servers, self.name, self._lives, self._seed)

    def wait(self) -> None:
        if not self.was_ready:
            assert self._answer() == "ready"
            self.was_ready = True

    def ask(self, *order: Any) -> Any:
        self.wait()
        with self._lock:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            return self._answer()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def lose_folder(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
