"""Which node should lead a partition: the same answer on each node that sees the same nodes.

Rendezvous hashing: each node has a weight for each partition, and the heaviest node that is alive is preferred. When
a node goes, only its partitions move; when it comes back, the same ones return to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType


def preference(
    partition: int, nodes: Iterable[str], pinned: str = "", formats: Mapping[str, list[int]] = MappingProxyType({})
) -> list[str]:
    """The nodes in the order in which they should lead a partition. One that is pinned comes first.

    ``formats`` are those that each node writes. One of older formats comes before all others: what it writes all nodes
    read, so that in a rolling upgrade every node can take over as long as there is one of the older version.
    """
    return sorted(nodes, key=lambda node: (formats.get(node, []), node != pinned, -_weight(partition, node), node))


def _weight(partition: int, node: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{partition} {node}".encode(), digest_size=8).digest())
