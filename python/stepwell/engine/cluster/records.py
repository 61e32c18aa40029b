"""What a cluster keeps in its bucket: JSON, a record for each key."""

from __future__ import annotations

from msgspec import Struct

FORMAT = 1
CLUSTER = "cluster"
"""The key of the cluster's own record."""


class ClusterRecord(Struct):
    """The cluster: its id is drawn when it is made, and its number of partitions stays."""

    format: int
    id: str
    partitions: int


class NodeRecord(Struct):
    """A node, as it last told of itself. It is alive as long as it goes on telling."""

    node: str
    boot: str
    """Drawn at each start of the node's process."""
    address: str
    version: str
    beat: int
    """Rises with each record, so that one that tells nothing new shows that the node is alive."""
    leads: list[int]
    """The partitions that it leads now."""
    ready: list[int]
    """The partitions that it could lead: its copy follows the log."""
    applied: dict[str, int]
    """The last position of each of its copies."""
    problems: dict[str, str]
    """Why a copy cannot follow, or must not be used, by partition."""
    formats: list[int] = []
    """The newest formats that it reads in a stream, which are those that it writes as a leader."""
    lease: float = 0.0
    """So many seconds nobody may take it for dead: it answers reads of what it leads without asking others."""
    unsaved: dict[str, str] = {}
    """Why it could not make a snapshot a short time ago, by partition."""


class LeaseRecord(Struct):
    """Who leads a partition. It is a hint for liveness: the log alone decides who may write."""

    node: str = ""
    """Empty: nobody, since the last leader handed it over."""
    boot: str = ""
    epoch: int = 0
    """0: the node is about to lead, and takes no requests yet."""
    to: str = ""
    """The node that is to lead next, of a partition that was handed over."""


class SlotRecord(Struct):
    """Whose ids have this remainder (``ClusterHost.tick``)."""

    node: str


class PinRecord(Struct):
    """The node that an operator wants to lead a partition; empty: the one that is preferred anyway."""

    node: str


def lease_key(partition: int) -> str:
    """The key of a partition's lease."""
    return f"lease.{partition}"


def pin_key(partition: int) -> str:
    """The key of a partition's pin."""
    return f"pin.{partition}"


def node_key(node: str) -> str:
    """The key of a node's record."""
    return f"node.{node}"


def slot_key(slot: int) -> str:
    """The key of a slot."""
    return f"slot.{slot}"


class StoreRecord(Struct):
    """The store of a partition's stream. A stream of another one, or a missing one, has lost what it acknowledged."""

    store: str
    made: bool = False
    """Whether its stream was made: from then on nobody makes it again by himself."""
    former: list[str] = []
    """The stores that it was restored from, the latest last: copies of these begin anew."""


class SnapshotsRecord(Struct):
    """Where a cluster's snapshots are; empty: in its own bucket."""

    place: str
    id: str = ""
    """In the name of a file that the place has, so that another one of the same name is not taken for it."""


class WantedRecord(Struct):
    """A snapshot that somebody asks for: it is to reach this sequence of the partition's stream."""

    sequence: int


class ChangingRecord(Struct):
    """Which process changes workflows now; empty: none."""

    boot: str = ""


CHANGING = "changing"
"""The key of who changes workflows."""
SNAPSHOTS = "snapshots"
"""The key of the place of snapshots."""


def store_key(partition: int) -> str:
    """The key of a partition's store."""
    return f"store.{partition}"


def wanted_key(partition: int) -> str:
    """The key of a snapshot that is asked for."""
    return f"wanted.{partition}"
