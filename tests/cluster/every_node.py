"""Three nodes in this process, used as if they were one executor: each call goes to another node.

Tests of one machine that get an ``EveryNode`` for an ``Executor`` show that a cluster does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from cluster.network import Network
from cluster.nodes import NODES
from cluster.servers import Servers, binary
from stepwell import Cluster, Executor, ItemFiles

PARTITIONS = 3


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
            cluster = Cluster(servers.urls, name="same", node=name, partitions=PARTITIONS)
            files_of_node = ItemFiles(s3=files)
            nodes.append(Executor(folder / name, cluster=cluster, handlers=handlers, item_files=files_of_node))
        yield EveryNode(nodes)
    finally:
        for node in nodes:
            node.close()
        servers.close()
        network.close()
