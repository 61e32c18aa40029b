"""Three nodes in this process, used as if they were one executor: each call goes to another node.

Tests of one machine that get an ``EveryNode`` for an ``Executor`` show that a cluster does the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from cluster.network import Network
from cluster.nodes import NODES
from cluster.servers import Servers, binary
from stepwell import Cluster, Executor, ItemFiles
from stepwell.engine.cluster.host import ClusterHost
from stepwell.engine.cluster.placement import preference

PARTITIONS = 3
SECONDS = 60.0
"""No test waits longer: this guards against a hang."""
LEASE_SECONDS = 30.0
"""So long that no node is taken for dead on a busy machine: a task would be called again."""


class EveryNode:
    """Its methods are those of ``Executor``. Whatever one node has answered, the next one must know."""

    def __init__(self, nodes: list[Executor]) -> None:
        self.nodes = nodes
        self._turns = cycle(nodes)

    def register(self, name: str, handler: Callable[..., Any]) -> None:
        """All nodes of a cluster have the same handlers."""
        for node in self.nodes:
            node.register(name, handler)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._turns), name)


@contextmanager
def every_node(folder: Path, handlers: dict[str, Callable[..., Any]], files: Path) -> Iterator[EveryNode]:
    """Three NATS servers, and three nodes of a cluster over them. ``files`` is where result writers write."""
    network = Network()
    servers = Servers(network, folder / "nats", binary())
    nodes: list[Executor] = []
    try:
        servers.start()
        servers.wait()
        for name in NODES:
            cluster = Cluster(servers.urls, name="same", node=name, partitions=PARTITIONS, lease=LEASE_SECONDS)
            files_of_node = ItemFiles(s3=files)
            nodes.append(Executor(folder / name, cluster=cluster, handlers=handlers, item_files=files_of_node))
        _wait_until_each_leads_its_share(nodes)
        yield EveryNode(nodes)
    finally:
        for node in nodes:
            node.close()
        servers.close()
        network.close()


def _wait_until_each_leads_its_share(nodes: list[Executor]) -> None:
    """The first node leads all partitions at first, and hands them over."""
    wanted = {(preference(index, NODES)[0], index) for index in range(PARTITIONS)}
    deadline = time.monotonic() + SECONDS
    while _led(nodes) != wanted:
        assert time.monotonic() < deadline, _led(nodes)
        time.sleep(0.05)


def _led(nodes: list[Executor]) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for name, node in zip(NODES, nodes, strict=True):
        host = node.client.host
        assert isinstance(host, ClusterHost)
        found |= {(name, each.index) for each in host.partitions if each.is_led}
    return found
