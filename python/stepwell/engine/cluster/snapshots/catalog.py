"""Which snapshots there are. One counts once its manifest is there, which is written after the rest was read back.

A partition's snapshots are ``CLUSTER/pN/STORE-POSITION-NODE-RANDOM.tar``, each with its manifest, ``….json``. So two
nodes that make one at the same time do not meet.
"""

from __future__ import annotations

import io
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from stepwell import _core
from stepwell.errors import CorruptionError, StorageError
from stepwell.logs import logger
from stepwell.version import VERSION

from .archive import Digest, digest_of, pack, unpack
from .places import Forgotten, Missing, Place

log = logger("stepwell.cluster")

FORMAT = 1
COPY_OF = "CLUSTER"
"""The file in a copy's folder that names its stream."""
KEPT = 2
"""So many snapshots of a partition are kept: if the newest is damaged, the one before it will do."""
_ATTEMPTS = 10
"""How often they are listed again, because one was removed meanwhile."""
_DATA, _MANIFEST = ".tar", ".json"


class Manifest(msgspec.Struct):
    """What a snapshot is: where in the log, and what its file must hold."""

    format: int
    cluster: str
    id: str
    partition: int
    partitions: int
    store: str
    position: int
    sequence: int
    epoch: int
    hash: str
    """Of all frames up to its position."""
    bytes: int
    sha256: str
    node: str
    version: str
    made: float
    """When, by the clock of the node that made it; it is only shown."""
    former: list[str] = []
    """The stores that the partition was before it was restored."""


class Whose(NamedTuple):
    """What snapshots belong to."""

    cluster: str
    id: str
    partitions: int
    node: str


class Snapshot(NamedTuple):
    """A snapshot by its name, which sorts by position."""

    name: str
    store: str
    position: int


class Catalog:
    """The snapshots of one cluster in one place. Raises ``StorageError``."""

    def __init__(self, place: Place, cluster: str) -> None:
        self.place, self._cluster = place, cluster
        self._forgotten = Forgotten()

    def partitions(self) -> list[int]:
        """The partitions that have snapshots."""
        names = self.place.names(f"{self._cluster}/")
        return sorted({int(name.split("/")[1][1:]) for name in names if name.endswith(_MANIFEST)})

    def list(self, partition: int) -> list[Snapshot]:
        """Those of a partition that count, the newest first."""
        names = (name for name in self._names(partition) if name.endswith(_MANIFEST))
        found = (_snapshot(name.removesuffix(_MANIFEST)) for name in names)
        return sorted((each for each in found if each is not None), key=lambda each: -each.position)

    def manifest(self, snapshot: Snapshot) -> Manifest:
        """What a snapshot is. Raises ``CorruptionError`` if that cannot be read."""
        file = io.BytesIO()
        self.place.get(snapshot.name + _MANIFEST, file)
        try:
            found = msgspec.json.decode(file.getvalue(), type=Manifest)
        except msgspec.MsgspecError as error:
            raise CorruptionError(f"the manifest {snapshot.name}{_MANIFEST} cannot be read: {error}") from error
        if found.format > FORMAT:
            raise StorageError(
                f"snapshot {snapshot.name} has format {found.format}, and this version knows {FORMAT}: upgrade it"
            )
        return found

    def newest(self, partition: int, store: str | None, count: int | None = KEPT) -> list[Manifest]:
        """The newest of a store, or of all (None), that can be read: so many, or all (None), the newest first."""
        for _ in range(_ATTEMPTS):
            found = (each for each in self.list(partition) if store in (None, each.store))
            try:
                return list(islice((each for each in map(self._sound, found) if each is not None), count))
            except Missing:  # removed since, because there are newer ones
                continue
        raise StorageError(f"the snapshots of partition {partition} in {self.place.where} change too often to be read")

    def _sound(self, snapshot: Snapshot) -> Manifest | None:
        """The manifest of a snapshot; None for one that cannot be read, which does not count."""
        try:
            return self.manifest(snapshot)
        except CorruptionError as error:
            log.error("snapshot %s does not count: %s", snapshot.name, error)
            return None

    def current(self, partition: int) -> Manifest:
        """The newest of the store that a partition was not restored from later. Raises ``StorageError``."""
        found = self.newest(partition, None, None)
        former = {store for each in found for store in each.former}
        current = [each for each in found if each.store not in former]
        stores = sorted({each.store for each in current})
        if len(stores) != 1:
            which = f"snapshots of several stores ({', '.join(stores)})" if stores else "no snapshot that can be read"
            raise StorageError(f"{self.place.where} has {which} of partition {partition}")
        return current[0]

    # making one

    def add(
        self,
        whose: Whose,
        partition: int,
        copy: Path,
        store: str,
        link: dict[str, int | str],
        former: list[str],
    ) -> Manifest:
        """Keep a copy's folder, which ``PartitionCopy.snapshot`` has made. It counts once it was read back."""
        position = int(link["position"])
        name = f"{self._prefix(partition)}{store}-{position:020}-{whose.node}-{secrets.token_hex(4)}"
        archive = copy.with_name(copy.name + _DATA)
        try:
            with archive.open("w+b") as file:
                pack(copy, file)
                file.seek(0)
                digest = digest_of(file)
                file.seek(0)
                self.place.put(name + _DATA, file)
            self._check(name, digest.sha256)
            manifest = Manifest(
                FORMAT,
                *(whose.cluster, whose.id, partition, whose.partitions, store, position),
                *(int(link["sequence"]), int(link["epoch"]), str(link["hash"])),
                *(digest.bytes, digest.sha256, whose.node, VERSION, time.time()),
                former,
            )
            self.place.put(name + _MANIFEST, io.BytesIO(msgspec.json.encode(manifest)))
        except OSError as error:
            raise StorageError(f"the snapshot {name} cannot be made: {error}") from error
        finally:
            archive.unlink(missing_ok=True)
        return manifest

    def check(self, snapshot: Snapshot) -> Manifest:
        """Read a snapshot. Raises ``CorruptionError`` if it is not what was written."""
        manifest = self.manifest(snapshot)
        self._check(snapshot.name, manifest.sha256)
        return manifest

    def _check(self, name: str, sha256: str) -> None:
        digest = Digest()
        self.place.get(name + _DATA, digest)  # pyright: ignore[reportArgumentType] - it is only written to
        _compare(self.place, name, digest, sha256)

    # using one

    def fetch(self, snapshot: Snapshot, folder: Path) -> Manifest:
        """Make a snapshot a new folder. Raises ``CorruptionError``, by its name, if it is not what was written."""
        manifest = self.manifest(snapshot)
        archive = folder.with_name(folder.name + _DATA)
        try:
            with archive.open("w+b") as file:
                digest = Digest(file)
                self.place.get(snapshot.name + _DATA, digest)  # pyright: ignore[reportArgumentType]
                _compare(self.place, snapshot.name, digest, manifest.sha256)
                file.seek(0)
                unpack(file, folder)
            _compare_link(snapshot.name, manifest, folder)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise StorageError(f"snapshot {snapshot.name} cannot be unpacked: {error}") from error
            raise
        finally:
            archive.unlink(missing_ok=True)
        return manifest

    def fetch_newest(self, partition: int, store: str, folder: Path, *, reaches: int = 0) -> Manifest:
        """The newest of a store that is sound and reaches a sequence. The log names each that is not sound."""
        refused: list[str] = []
        for each in self._changing(partition, store):
            try:
                if self.manifest(each).sequence < reaches:
                    break
                return self.fetch(each, folder)
            except Missing:
                continue
            except StorageError as error:
                log.error("snapshot %s of partition %d is refused: %s", each.name, partition, error)
                refused.append(str(error))
        why = "; ".join(refused) or "there is none"
        raise StorageError(f"no snapshot of partition {partition} in {self.place.where} will do: {why}")

    def _changing(self, partition: int, store: str) -> Iterator[Snapshot]:
        """Those of a store, the newest first; what has come meanwhile follows."""
        seen: set[str] = set()
        for _ in range(_ATTEMPTS):
            new = [each for each in self.list(partition) if each.name not in seen and each.store == store]
            if not new:
                return
            seen |= {each.name for each in new}
            yield from new

    # removing those that are not needed

    def remove_old(self, partition: int, store: str, former: list[str]) -> None:
        """Keep the newest two of a store; once there are two, nothing of former stores; and nothing half-done."""
        found = self.list(partition)
        ours = [each for each in found if each.store == store]
        old = ours[KEPT:]
        if len(ours) >= KEPT:
            old += [each for each in found if each.store in former]
        for each in old:
            self.place.delete(each.name + _MANIFEST)
            self.place.delete(each.name + _DATA)

    def sweep(self, partitions: int, others: Collection[str] = ()) -> None:
        """Remove what was begun and never counted, once it is sure that nobody is at it.

        ``others`` are nodes that live: they may take long to read back what they have written.
        """
        self.place.sweep()
        without: dict[str, object] = {}
        for partition in range(partitions):
            names = set(self._names(partition))
            data = (name for name in names if name.endswith(_DATA))
            begun = (name for name in data if name.removesuffix(_DATA) + _MANIFEST not in names)
            without |= dict.fromkeys(name for name in begun if _maker(name) not in others)
        for name in self._forgotten.among(without):
            self.place.delete(name)

    def _names(self, partition: int) -> list[str]:
        return self.place.names(self._prefix(partition))

    def _prefix(self, partition: int) -> str:
        return f"{self._cluster}/p{partition}/"


def _maker(name: str) -> str:
    """The node in a snapshot's name."""
    return name.rpartition("/")[2].split("-", 2)[-1].rpartition("-")[0]


def _snapshot(name: str) -> Snapshot | None:
    store, _, rest = name.rpartition("/")[2].partition("-")
    position = rest.partition("-")[0]
    return Snapshot(name, store, int(position)) if position.isdigit() else None


def _compare(place: Place, name: str, digest: Digest, sha256: str) -> None:
    if digest.sha256 != sha256:
        raise CorruptionError(
            f"snapshot {name} in {place.where} is damaged: its SHA-256 is {digest.sha256}, not {sha256}"
        )


def _compare_link(name: str, manifest: Manifest, folder: Path) -> None:
    found = _core.PartitionCopy.look(folder) or {}
    for what in ("store", "position", "sequence", "epoch", "hash"):
        wanted = getattr(manifest, what)
        if found.get(what) != wanted:
            raise CorruptionError(f"snapshot {name} says that its {what} is {wanted}, and holds {found.get(what)}")
