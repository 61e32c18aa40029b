"""Gives a node's copy its beginning: where the stream no longer has what follows the copy, that is a snapshot.

A snapshot is unpacked beside the copy's folder, and renamed to it. A node that is killed meanwhile begins again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from stepwell import _core
from stepwell.engine.cluster.folder import ClusterFolder
from stepwell.engine.cluster.options import Cluster
from stepwell.engine.cluster.records import StoreRecord, store_key
from stepwell.engine.cluster.registry import Registry
from stepwell.engine.cluster.streams import stream_of
from stepwell.engine.folders.durable import sync
from stepwell.errors import StorageError
from stepwell.logs import logger

from .catalog import Catalog

log = logger("stepwell.cluster")

_NEW, _OLD = ".snapshot", ".old"


class Beginning:
    """Prepares the folders of a node's copies."""

    def __init__(
        self, nats: _core.Nats, registry: Registry, cluster: Cluster, folder: ClusterFolder, catalog: Catalog
    ) -> None:
        self._nats, self._registry, self._cluster = nats, registry, cluster
        self._folder, self._catalog = folder, catalog

    def is_of(self, index: int, store: str) -> bool:
        """Whether a store is still the one of a partition's stream, as far as the node knows."""
        record = self._record(index)
        return record is None or record.store == store

    def folder(self, index: int) -> _core.Folder:
        """The folder of a copy that is not open: what follows it is in the stream."""
        try:
            return self._prepared(index)
        except OSError as error:
            raise StorageError(f"the folder of partition {index} cannot be prepared: {error}") from error

    def _prepared(self, index: int) -> _core.Folder:
        self._folder.folder.check()
        self._remove_rests(index)
        folder = self._folder.partition(index)
        record = self._record(index)
        stream = stream_of(self._nats, self._cluster, index, record)
        assert record is not None
        next_sequence = self._next_sequence(index, folder, record)
        if stream["first_sequence"] <= next_sequence:
            return self._folder.partition(index)
        log.warning(
            "the stream of partition %d begins at sequence %d, and the copy needs %d: it begins with a snapshot",
            *(index, stream["first_sequence"], next_sequence),
        )
        self._begin(index, record, stream["first_sequence"])
        return self._folder.partition(index)

    def _record(self, index: int) -> StoreRecord | None:
        return self._registry.get(store_key(index), StoreRecord)

    def _next_sequence(self, index: int, folder: _core.Folder, record: StoreRecord) -> int:
        """The sequence that the copy needs next. A copy of a former store is put aside."""
        found = _core.PartitionCopy.look(folder)
        if found is None or found["store"] is None:
            return 1
        if found["store"] == record.store:
            return int(found["sequence"]) + 1
        if found["store"] not in record.former:
            raise StorageError(
                f"{folder.path} is a copy of the store {found['store']}, and the partition is {record.store}: give the "
                "node another folder"
            )
        aside = self._path(index, f".of-{found['store']}")
        log.warning("partition %d was restored: the copy of before is put aside as %s, remove it", index, aside)
        os.rename(folder.path, aside)
        sync(aside.parent)
        return 1

    def _begin(self, index: int, record: StoreRecord, first_sequence: int) -> None:
        place, new, old = self._path(index, ""), self._path(index, _NEW), self._path(index, _OLD)
        manifest = self._catalog.fetch_newest(index, record.store, new, reaches=first_sequence - 1)
        if place.exists():
            place.rename(old)
        new.rename(place)
        sync(place.parent)
        shutil.rmtree(old, ignore_errors=True)
        log.warning("partition %d begins with the snapshot at position %d", index, manifest.position)

    def _remove_rests(self, index: int) -> None:
        """Remove what a process that was killed has left."""
        for name in (_NEW, _OLD, f"{_NEW}.tar"):
            path = self._path(index, name)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _path(self, index: int, ending: str) -> Path:
        return Path(self._folder.folder.path) / f"p{index}{ending}"
