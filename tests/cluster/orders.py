"""A cluster whose nodes run in the process of the test, and what the tests of snapshots ask of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.servers import Servers
from stepwell import Cluster, Executor, _core
from stepwell.engine.cluster.host import ClusterHost
from stepwell.engine.cluster.leadership import Leadership
from stepwell.engine.cluster.overview import Overview

SECONDS = 150.0
"""No test waits longer: this guards against a hang."""
ECHO = {"StartAt": "Say", "States": {"Say": {"Type": "Task", "Resource": "echo", "End": True}}}
SNAPSHOT_BYTES = 60_000
PADDING = "x" * 2000


def echo(given: Any) -> Any:
    return given


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what} is still awaited"
        time.sleep(0.05)
    return found


class Orders:
    """A cluster of one name, its nodes in this process."""

    def __init__(self, servers: Servers, folder: Path, name: str, **options: Any) -> None:
        self.servers, self.folder, self.name = servers, folder, name
        self._options = {"partitions": 1, "snapshot_bytes": SNAPSHOT_BYTES, "lease": 2.0, **options}

    def node(self, name: str, **options: Any) -> Executor:
        cluster = Cluster(self.servers.urls, name=self.name, node=name, **{**self._options, **options})
        executor = Executor(self.folder / name, cluster=cluster, handlers={"echo": echo})
        executor.deploy("echo", ECHO)
        return executor

    def overview(self) -> Overview:
        return Overview(Cluster(self.servers.urls, name=self.name))

    def stream(self, partition: int = 0) -> dict[str, Any]:
        """What the servers say of a partition's stream."""
        connection = _core.Nats.connect(self.servers.urls, name="test")
        try:
            return connection.stream(f"stepwell-{self.name}-p{partition}") or {}
        finally:
            connection.close()

    def append(self, executor: Executor, partitions: int) -> None:
        """Run executions until the stream of each partition has grown."""
        streams = {partition: self.stream(partition)["last_sequence"] for partition in range(partitions)}
        fill(executor, lambda: all(self.stream(each)["last_sequence"] > last for each, last in streams.items()))

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run ``stepwell cluster …`` for it."""
        environment = {**os.environ, "STEPWELL_CLUSTER": self.servers.urls, "STEPWELL_CLUSTER_NAME": self.name}
        command = [sys.executable, "-m", "stepwell", "cluster", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)

    def read(self, *arguments: object) -> list[Any]:
        """Run it, and read what it prints as JSON."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def leadership(executor: Executor, partition: int = 0) -> Leadership:
    host = executor.client.host
    assert isinstance(host, ClusterHost)
    return host.leaderships[partition]


def content(executor: Executor) -> tuple[str, int, str] | None:
    """What a node's copy holds: the hash of its log, and the digest of its rows."""
    copy = leadership(executor).copy
    return None if copy is None else (copy.status()["hash"], *copy.store.digest())


def converge(*executors: Executor) -> None:
    """Wait until all copies hold the same."""
    until(lambda: len(found := {content(each) for each in executors}) == 1 and None not in found, "equal copies")


def fill(executor: Executor, until_done: Callable[[], bool]) -> list[str]:
    """Run executions until something holds; their ids."""
    ids: list[str] = []
    deadline = time.monotonic() + SECONDS
    while not until_done():
        assert time.monotonic() < deadline
        ids += [each.id for each in [executor.start("echo", {"n": n, "padding": PADDING}) for n in range(10)]]
        executor.get(ids[-1]).wait(SECONDS)
    return ids


def check_outputs(executor: Executor, ids: list[str]) -> None:
    for id in ids:
        assert executor.get(id).wait(SECONDS).output["padding"] == PADDING
