"""Nodes as processes, each on a host of its own (``network``)."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from cluster.network import Host

ANSWER_SECONDS = 120.0
"""No test waits longer for a node."""


class NodeProcess:
    """A node that can be killed, paused and started again on its folder."""

    def __init__(self, host: Host, folder: Path, script: Path, servers: str, seed: int) -> None:
        self.host, self.name = host, host.name
        self._folder, self._script, self._servers, self._seed = folder, script, servers, seed
        self._lives = 0
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.was_ready = False

    @property
    def data(self) -> Path:
        return self._folder / self.name

    def start(self) -> None:
        """Start it; ``wait`` waits until it has joined."""
        self._lives += 1
        self.was_ready = False
        command = [*self.host.command, sys.executable, str(self._script), str(self._folder), self._servers]
        with (self._folder / f"{self.name}.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, self.name, str(self._lives), str(self._seed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

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

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        guard = threading.Timer(ANSWER_SECONDS, self.process.kill)
        guard.start()
        line = self.process.stdout.readline()
        guard.cancel()
        if not line:
            raise AssertionError(f"node {self.name} has ended or does not answer:\n{self.log()[-3000:]}")
        return json.loads(line)

    def log(self) -> str:
        return (self._folder / f"{self.name}.log").read_text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for end in (self._process.stdin, self._process.stdout):
                if end is not None:
                    end.close()
            self._process = None

    def lose_folder(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
