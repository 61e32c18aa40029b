"""Which place a cluster's snapshots are kept in: its bucket says so, so that nodes and operators find the same ones.

A folder, or a bucket, of the same name may be another one: a file system that is not mounted, or a disk that nodes do
not share. A stream that was purged behind snapshots there could be read by nobody else. So a place that is named gets a
file with an id, and where that is missing nothing is kept, and nothing looked for.
"""

from __future__ import annotations

import io
import secrets
import threading
from typing import BinaryIO

from stepwell.engine.cluster.link import Link
from stepwell.engine.cluster.options import Cluster
from stepwell.engine.cluster.records import SNAPSHOTS, SnapshotsRecord
from stepwell.engine.cluster.registry import Registry
from stepwell.errors import StorageError
from stepwell.logs import logger

from .bucket import BucketPlace
from .places import Missing, Place, place_at

log = logger("stepwell.cluster")

_NONE = SnapshotsRecord("")


class ClusterPlace:
    """Where the cluster's snapshots are now: another node may name another place. Any thread may use it."""

    def __init__(self, link: Link, registry: Registry, cluster: Cluster) -> None:
        self._link, self._registry, self._cluster = link, registry, cluster
        self._lock = threading.Lock()
        self._record = _NONE
        self._place: Place = BucketPlace(link, cluster.name, unsafe_sync=cluster.unsafe_sync)

    @property
    def where(self) -> str:
        return self._current()[0].where

    def names(self, prefix: str) -> list[str]:
        return self._checked().names(prefix)

    def put(self, name: str, file: BinaryIO) -> None:
        self._checked().put(name, file)

    def get(self, name: str, file: BinaryIO) -> None:
        self._current()[0].get(name, file)

    def delete(self, name: str) -> None:
        self._current()[0].delete(name)

    def sweep(self) -> None:
        self._checked().sweep()

    def name(self, url: str, *, again: bool) -> None:
        """Let this be the place. ``again``: also if it is the place, and no longer the one that it was."""
        record = self._named()
        if url == record.place and not (again and self._is_another(*self._current())):
            return
        made = SnapshotsRecord(url, secrets.token_hex(8))
        place = place_at(url)
        place.put(self._mark(made), io.BytesIO(self._cluster.name.encode()))
        if url != record.place and record != _NONE:
            log.warning("the snapshots of cluster %s are kept at %s from now on", self._cluster.name, place.where)
        if not self._registry.write(SNAPSHOTS, made):
            raise StorageError("another node says at the same time where snapshots are kept: ask again")

    def _named(self) -> SnapshotsRecord:
        return self._registry.get(SNAPSHOTS, SnapshotsRecord) or _NONE

    def _current(self) -> tuple[Place, SnapshotsRecord]:
        record = self._named()
        with self._lock:
            if record != self._record:
                self._place, self._record = place_at(record.place), record
            return self._place, record

    def _checked(self) -> Place:
        place, record = self._current()
        if self._is_another(place, record):
            raise StorageError(
                f"{place.where} is not the place that has the snapshots of cluster {self._cluster.name}, or was "
                f"emptied: {self._mark(record)} is missing there. Is it mounted, and the same for all nodes?"
            )
        return place

    def _is_another(self, place: Place, record: SnapshotsRecord) -> bool:
        """Whether a place lacks the file that it got when it was named."""
        try:
            if record.id:
                place.get(self._mark(record), io.BytesIO())
        except Missing:
            return True
        return False

    def _mark(self, record: SnapshotsRecord) -> str:
        return f"{self._cluster.name}/place-{record.id}"


def snapshots_place(link: Link, registry: Registry, cluster: Cluster, *, again: bool = False) -> Place:
    """The place; one that the options name becomes that of the cluster. Raises ``StorageError``, ``InvalidInput``.

    ``again``: one that was emptied is used again.
    """
    registry.read()
    place = ClusterPlace(link, registry, cluster)
    if cluster.snapshots is not None:
        place.name(cluster.snapshots, again=again)
    return place
