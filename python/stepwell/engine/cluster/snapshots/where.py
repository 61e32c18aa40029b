"""Which place a cluster's snapshots are kept in: its bucket says so, so that nodes and operators find the same ones."""

from __future__ import annotations

from stepwell.engine.cluster.link import Link
from stepwell.engine.cluster.options import Cluster
from stepwell.engine.cluster.records import SNAPSHOTS, SnapshotsRecord
from stepwell.engine.cluster.registry import Registry
from stepwell.errors import StorageError
from stepwell.logs import logger

from .bucket import BucketPlace
from .places import Place, place_at

log = logger("stepwell.cluster")


def snapshots_place(link: Link, registry: Registry, cluster: Cluster) -> Place:
    """The place; one that the options name becomes that of the cluster. Raises ``StorageError``, ``InvalidInput``."""
    registry.read()
    record = registry.get(SNAPSHOTS, SnapshotsRecord)
    known = "" if record is None else record.place
    if cluster.snapshots is None or cluster.snapshots == known:
        return _open(link, cluster, known)
    place = _open(link, cluster, cluster.snapshots)
    if record is not None:
        log.warning(
            "the snapshots of cluster %s are kept at %s from now on, not at %s", cluster.name, place.where, known
        )
    if not registry.write(SNAPSHOTS, SnapshotsRecord(cluster.snapshots)):
        raise StorageError("another node says at the same time where snapshots are kept: ask again")
    return place


def _open(link: Link, cluster: Cluster, place: str) -> Place:
    return place_at(place) if place else BucketPlace(link, cluster.name, unsafe_sync=cluster.unsafe_sync)
