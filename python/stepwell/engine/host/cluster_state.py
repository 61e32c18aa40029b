"""What a node tells of its cluster: to the console, to metrics, and to whoever asks a server."""

from __future__ import annotations

from msgspec import Struct


class NodeState(Struct):
    """A node that the cluster has had, as it last told of itself."""

    node: str
    alive: bool
    address: str
    version: str
    leads: list[int]


class ReplicaState(Struct):
    """A NATS server's replica of a stream; ``lag`` is how many operations it is behind."""

    server: str
    is_current: bool
    is_offline: bool
    lag: int


class StreamState(Struct):
    """A partition's stream, as JetStream says. ``problem`` is why it says nothing."""

    leader: str | None = None
    replicas: list[ReplicaState] = []
    messages: int = 0
    bytes: int = 0
    problem: str = ""


class PartitionState(Struct):
    """Who leads a partition, and up to which position each node's copy goes."""

    partition: int
    leader: str | None
    epoch: int | None
    pinned: str | None
    copies: dict[str, int]
    problems: dict[str, str]
    """Why a node's copy has stopped."""
    stream: StreamState | None = None
    """None: it was not asked for yet."""


class CopyState(Struct):
    """This node's copy of a partition, and what it has done as its leader since the node was started.

    ``role`` is "leading", "following", "stopped" (``problem`` says why) or "opening". ``lag`` is how many messages of
    the stream it has not applied, ``waiting`` for how many seconds a message that it published has had no answer.
    """

    partition: int
    role: str
    epoch: int = 0
    position: int = 0
    lag: int = 0
    waiting: float = 0.0
    problem: str = ""
    promotions: int = 0
    handovers: int = 0
    fenced: int = 0
    """How often another node has taken it over while this one led it."""
    publishes: int = 0
    publish_micros: int = 0

    @property
    def leads(self) -> bool:
        """Whether this node leads the partition."""
        return self.role == "leading"

    @property
    def has_stopped(self) -> bool:
        """Whether the copy does not follow."""
        return self.role == "stopped"


class ClusterState(Struct):
    """The cluster, as one of its nodes sees it."""

    name: str
    id: str
    node: str
    nodes: list[NodeState]
    partitions: list[PartitionState]
    copies: list[CopyState]
