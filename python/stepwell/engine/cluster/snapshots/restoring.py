"""Makes streams that are lost again, of a stopped node's copies or of snapshots; or a new cluster.

A restored partition is a new store, whose stream goes on behind a snapshot of what it is made of. So nothing of the
lost stream can be taken for a part of it, and every node begins with that snapshot. It is done in an order in which it
can be interrupted: until the end the bucket says that the stream is not made, and the same command does it again.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from stepwell import _core
from stepwell.engine.cluster.copies import open_offline
from stepwell.engine.cluster.folder import folder_record
from stepwell.engine.cluster.link import Link
from stepwell.engine.cluster.options import Cluster
from stepwell.engine.cluster.records import NodeRecord, StoreRecord, store_key
from stepwell.engine.cluster.registry import Registry
from stepwell.engine.cluster.streams import stream_subject
from stepwell.errors import InvalidInput, StorageError

from .catalog import COPY_OF, Catalog, Whose
from .places import Place
from .where import snapshots_place

_LOOK_SECONDS = 0.2


class Restored(NamedTuple):
    """A partition that was made again."""

    partition: int
    position: int
    store: str
    of: str
    """The store that it was."""


class Source(Protocol):
    """What partitions are made of."""

    @property
    def id(self) -> str | None:
        """The id of the cluster, if it is to be the same one."""
        ...

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        ...

    def snapshot(self, index: int, path: Path, store: str) -> tuple[dict[str, Any], str]:
        """Make a folder the beginning of a new store; where it is, and the store that it was."""
        ...


class FolderSource:
    """The copies of a node that does not run."""

    def __init__(self, folder: _core.Folder) -> None:
        record = folder_record(folder)
        if record is None:
            raise InvalidInput(f"{folder.path} is no folder of a cluster's node")
        self._folder, self.record = folder, record
        self.id, self.partitions = record.id, record.partitions

    def snapshot(self, index: int, path: Path, store: str) -> tuple[dict[str, Any], str]:
        return _renewed(self._folder.within(f"p{index}"), path, store)

    def copies(self) -> Iterator[dict[str, Any]]:
        """How far each copy is."""
        for index in range(self.partitions):
            if not self._folder.has(f"p{index}"):
                yield {"partition": index, "problem": "there is no copy"}
                continue
            try:
                copy = open_offline(self._folder.within(f"p{index}"))
            except StorageError as error:
                yield {"partition": index, "problem": str(error)}
                continue
            try:
                # the files may be further than the stream was known to be
                with TemporaryDirectory(prefix=".stepwell-", dir=self._folder.path) as place:
                    status = copy.snapshot(Path(place) / "copy", copy.status()["store"])
                yield {
                    "partition": index,
                    **{key: status[key] for key in ("position", "epoch", "hash")},
                    "store": copy.status()["store"],
                }
            except StorageError as error:
                yield {"partition": index, "problem": str(error)}
            finally:
                copy.close()


class SnapshotSource:
    """The newest sound snapshots in a place."""

    def __init__(self, place: Place, cluster: str) -> None:
        self._catalog = Catalog(place, cluster)
        found = self._catalog.partitions()
        if not found:
            raise StorageError(f"there are no snapshots of a cluster {cluster} in {place.where}")
        current = {index: self._catalog.current(index) for index in found}
        self._stores = {index: manifest.store for index, manifest in current.items()}
        self.id, self.partitions = None, current[found[0]].partitions
        missing = sorted(set(range(self.partitions)) - set(found))
        if missing:
            raise StorageError(f"{place.where} has no snapshot of the partitions {', '.join(map(str, missing))}")

    def snapshot(self, index: int, path: Path, store: str) -> tuple[dict[str, Any], str]:
        fetched = path.with_name(f"{path.name}.fetched")
        try:
            manifest = self._catalog.fetch_newest(index, self._stores[index], fetched)
            return _renewed(_core.Folder.open(fetched), path, store)[0], manifest.store
        finally:
            shutil.rmtree(fetched, ignore_errors=True)


class Restore:
    """Restores partitions of a cluster. Close it after use."""

    def __init__(self, cluster: Cluster, source: Source) -> None:
        self._cluster, self._source = cluster, source
        self._link = Link(cluster)
        self._nats: _core.Nats | None = None
        try:
            self._registry = Registry(self._link)
            self._nats = _core.Nats.connect(
                cluster.servers, name="stepwell cluster restore", credentials=cluster.credentials
            )
            self.id = self._registry.make_again(source.id or secrets.token_hex(16), source.partitions, source.id)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connections."""
        if self._nats is not None:
            self._nats.close()
        self._link.close()

    @property
    def nats(self) -> _core.Nats:
        """The connection to the streams."""
        assert self._nats is not None
        return self._nats

    def lost(self) -> list[int]:
        """The partitions whose streams are missing, or not the ones that they should be."""
        return [index for index in range(self._source.partitions) if self._is_lost(index)]

    def _is_lost(self, index: int) -> bool:
        stream = self.nats.stream(self._cluster.stream(index))
        record = self._registry.get(store_key(index), StoreRecord)
        if stream is None:
            return True
        if record is None:  # the bucket is lost, and the stream is not
            self._registry.write(store_key(index), StoreRecord(stream["store"], True))
            return False
        return not record.made or record.store != stream["store"]

    def _check_nobody_leads(self, partitions: list[int]) -> None:
        """Refuse partitions that a living node leads: what it confirms meanwhile would be lost."""
        before = {key: self._registry.entry(key) for key in self._registry.keys("node.")}
        deadline = time.monotonic() + 2 * self._cluster.lease
        while before and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            self._registry.read()
            for key, entry in before.items():
                record = self._registry.get(key, NodeRecord)
                led = [] if record is None else [index for index in partitions if index in record.leads]
                if record is not None and led and self._registry.entry(key) != entry:
                    raise StorageError(
                        f"node {record.node} lives and leads the partitions {', '.join(map(str, led))}: stop it first"
                    )

    def restore(self, partitions: list[int], work: Path) -> Iterator[Restored]:
        """Make the streams of partitions again. ``work`` is a folder for what is made meanwhile."""
        for index in partitions:
            if not 0 <= index < self._source.partitions:
                raise InvalidInput(f"there are the partitions 0 to {self._source.partitions - 1}, and no {index}")
        self._check_nobody_leads(partitions)
        place = snapshots_place(self._link, self._registry, self._cluster, again=True)
        catalog = Catalog(place, self._cluster.name)
        for index in partitions:
            yield self._restore(index, catalog, work)

    def _restore(self, index: int, catalog: Catalog, work: Path) -> Restored:
        cluster, store = self._cluster, _core.new_store_id()
        with _new_folder(work / f"p{index}.restored") as path:
            link, of = self._source.snapshot(index, path, store)
            _core.Folder.open(path).write(COPY_OF, cluster.stream(index).encode() + b"\n")
            record = self._registry.get(store_key(index), StoreRecord)
            former = [] if record is None else [*record.former, record.store]
            record = StoreRecord(store, False, [*former, *([] if of in former else [of])])
            self._write(index, record)  # before the snapshot: one of a store that nobody knows would be taken for newer
            whose = Whose(cluster.name, self.id, self._source.partitions, "restore")
            catalog.add(whose, index, path, store, link, record.former)
        name = cluster.stream(index)
        self.nats.delete_stream(name)
        subject, first = stream_subject(cluster, index, record), int(link["sequence"]) + 1
        self.nats.create_stream(name, subject, store=store, first_sequence=first, unsafe_sync=cluster.unsafe_sync)
        self._write(index, StoreRecord(store, True, record.former))
        return Restored(index, int(link["position"]), store, of)

    def _write(self, index: int, record: StoreRecord) -> None:
        if not self._registry.write(store_key(index), record):
            raise StorageError(f"somebody else changes partition {index} at the same time: look, and try again")


def _renewed(folder: _core.Folder, path: Path, store: str) -> tuple[dict[str, Any], str]:
    copy = open_offline(folder)
    try:
        return copy.snapshot(path, store), copy.status()["store"]
    finally:
        copy.close()


@contextmanager
def _new_folder(path: Path) -> Generator[Path]:
    """A folder that does not exist yet, and is removed at the end."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
