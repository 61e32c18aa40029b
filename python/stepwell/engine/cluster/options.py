"""Which cluster a node belongs to, and how it reaches it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from stepwell.engine.host.reading import CONSISTENCIES, Consistency
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidInput, InvalidName

MAX_PARTITIONS = 256
PARTITIONS = 8
"""How many partitions a new cluster has, unless it is told otherwise."""
LEASE_SECONDS = 4.0
Dispatch = Literal["leader", "any"]
DISPATCHES: tuple[Dispatch, ...] = ("leader", "any")
SNAPSHOT_BYTES = 64 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_SECRET = re.compile(r"//[^/@]*@")


class Cluster:
    """A cluster of nodes over NATS JetStream: ``Executor("DIR", cluster=Cluster("nats://…", name=, node=))``.

    ``servers`` are the URLs of NATS servers, divided by commas; the user and password may stand in them, or
    ``credentials`` names a file of credentials. Nodes with the same ``name`` belong together, and each has a name of
    its own, ``node``, which goes with its data folder. ``advertise`` is the URL that clients reach the node by; it is
    only shown.

    ``partitions`` is how many partitions a cluster gets that does not exist yet (default: 8). A cluster keeps its
    number; None takes it as it is. A node that has not been heard of for ``lease`` seconds is taken for dead, and
    others lead its partitions. Where nodes have different ones, the longer one of both nodes counts.

    ``consistency`` says where queries are answered: ``"leader"`` asks the leader of a partition, ``"local"`` reads this
    node's copy, which may be a little behind, and needs no leader (``Executor.reading`` tells how old it is).

    ``dispatch`` says who does the tasks of a partition that this node leads: ``"leader"``, this node, or ``"any"``: all
    nodes with ``"any"`` that have the task's handler, the one with the fewest tasks first.

    A node puts a snapshot of a partition into ``snapshots`` every ``snapshot_bytes`` of its stream, which is purged up
    to the older of the newest two. ``snapshots`` is the URL of an object store (``s3://bucket/prefix``; extra ``s3``),
    or a folder that all nodes reach. By default it is a bucket of the cluster. The cluster keeps the place; None takes
    it as it is.

    ``monitors`` are the URLs of the servers' monitoring ports (``http://a:8222``). Only these tell whether a server
    syncs each write (``sync_interval: always``); where one does not, a power cut may lose a start that was
    acknowledged. A node refuses to start then, and warns if it has none to ask.

    ``unsafe_sync`` accepts servers that do not sync each write, or are older than 2.14, and streams with fewer than
    three replicas.
    """

    def __init__(
        self,
        servers: str,
        *,
        name: str = "stepwell",
        node: str = "n1",
        advertise: str = "",
        partitions: int | None = None,
        lease: float = LEASE_SECONDS,
        credentials: str | None = None,
        monitors: Sequence[str] = (),
        unsafe_sync: bool = False,
        consistency: Consistency = "leader",
        dispatch: Dispatch = "leader",
        snapshots: str | None = None,
        snapshot_bytes: int = SNAPSHOT_BYTES,
    ) -> None:
        self.servers, self.name, self.node, self.advertise = servers, name, node, advertise
        self.partitions, self.lease = partitions, lease
        self.credentials, self.unsafe_sync = credentials, unsafe_sync
        self.consistency: Consistency = consistency
        self.dispatch: Dispatch = dispatch
        self.snapshots, self.snapshot_bytes = snapshots, snapshot_bytes
        self.monitors = _checked_monitors(monitors)
        if not isinstance(servers, str) or not self.urls:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"a cluster's servers are URLs such as nats://host:4222, not {shown(servers)}")
        for what, given in (("a cluster's name", name), ("a node's name", node)):
            if not isinstance(given, str) or not _NAME.fullmatch(given):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidName(f"{what} has letters, digits, - and _, 63 at most, not {shown(given)}")
        if partitions is not None and (isinstance(partitions, bool) or not 1 <= partitions <= MAX_PARTITIONS):
            raise InvalidInput(f"partitions is a whole number from 1 to {MAX_PARTITIONS}, not {shown(partitions)}")
        if isinstance(lease, bool) or not 1.0 <= lease <= 3600.0:
            raise InvalidInput(f"lease is a number of seconds from 1 to 3600, not {shown(lease)}")
        if consistency not in CONSISTENCIES:
            raise InvalidInput(f'consistency is "leader" or "local", not {shown(consistency)}')
        if dispatch not in DISPATCHES:
            raise InvalidInput(f'dispatch is "leader" or "any", not {shown(dispatch)}')
        if isinstance(snapshot_bytes, bool) or not isinstance(snapshot_bytes, int) or snapshot_bytes < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"snapshot_bytes is a whole number from 1 on, not {shown(snapshot_bytes)}")
        if snapshots is not None and (not isinstance(snapshots, str) or not snapshots):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"snapshots is a URL such as s3://bucket/prefix, or a folder, not {shown(snapshots)}")
        if snapshots is not None and "://" not in snapshots:  # other nodes, and commands, run in other directories
            self.snapshots = os.path.abspath(snapshots)

    def __repr__(self) -> str:
        return f"<Cluster {self.name} at {self.where}, node {self.node}>"

    @property
    def urls(self) -> list[str]:
        """The URL of each server."""
        return [url.strip() for url in self.servers.split(",") if url.strip()]

    def stream(self, partition: int) -> str:
        """The stream of a partition."""
        return f"stepwell-{self.name}-p{partition}"

    def subject(self, *parts: object) -> str:
        """A subject of this cluster."""
        return ".".join(["stepwell", self.name, *map(str, parts)])

    @property
    def where(self) -> str:
        """The servers as a message may name them: without passwords."""
        return _SECRET.sub("//", ",".join(self.urls))


def _checked_monitors(monitors: Sequence[str]) -> list[str]:
    if isinstance(monitors, str) or not isinstance(monitors, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"monitors is a list of URLs such as http://host:8222, not {shown(monitors)}")
    for url in monitors:
        if not _is_monitor(url):
            raise InvalidInput(f"a server's monitoring port is a URL such as http://host:8222, not {shown(url)}")
    return list(monitors)


def _is_monitor(url: object) -> bool:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False
