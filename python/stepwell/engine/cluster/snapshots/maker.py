"""Makes the snapshots of a node, and purges the streams before them.

One node makes those of a partition: one that follows, so that the leader is not slowed down, or the leader, if it is
alone. If two believe that they should, there are two snapshots, which harms nobody. Nothing is remembered: each look
finds out from the stream and from the snapshots what is to do, so a node that is killed leaves nothing undone.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepwell import _core
from stepwell.engine.cluster.coordinator import Coordinator
from stepwell.engine.cluster.leadership import Leadership
from stepwell.engine.cluster.leases import lease_of
from stepwell.engine.cluster.options import Cluster
from stepwell.engine.cluster.placement import preference
from stepwell.engine.cluster.records import (
    NodeRecord,
    StoreRecord,
    WantedRecord,
    store_key,
    wanted_key,
)
from stepwell.engine.cluster.registry import Registry
from stepwell.errors import CorruptionError, StepwellError
from stepwell.logs import logger

from .catalog import KEPT, Catalog, Manifest, Whose

log = logger("stepwell.cluster")

LOOK_SECONDS = 2.0
"""How often it is asked whether a snapshot is due."""
CLOSING_SECONDS = 5.0
RETRY_SECONDS = 60.0
"""So long another node makes the snapshots of a partition, after one could not."""
LIST_SECONDS = 300.0
"""How often the snapshots of others are listed, unless one is due."""


class SnapshotMaker:
    """Of one node. ``begin`` starts its thread."""

    def __init__(
        self,
        nats: _core.Nats,
        registry: Registry,
        cluster: Cluster,
        whose: Whose,
        catalog: Catalog,
        coordinator: Coordinator,
        leaderships: Sequence[Leadership],
        folder: Path,
    ) -> None:
        self._nats, self._registry, self._cluster, self._whose = nats, registry, cluster, whose
        self._catalog, self._coordinator, self._leaderships = catalog, coordinator, leaderships
        self._folder = folder
        self._known: dict[tuple[int, str, str], tuple[list[Manifest], float]] = {}
        """The newest snapshots of a partition's store in a place, and when they were listed."""
        self._failures: Counter[int] = Counter()
        """How often in a row no snapshot of a partition could be made."""
        self._swept = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stepwell-snapshots", daemon=True)

    def begin(self) -> None:
        """Begin to look."""
        for name in ("p*.making*", "p*.restored*"):  # of a process that was killed
            for rest in self._folder.glob(name):
                shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
        self._thread.start()

    def close(self) -> None:
        """End. A snapshot that takes longer to be written is left, and does not count."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSING_SECONDS)

    def _run(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            for leadership in self._leaderships:
                if self._closing.is_set():
                    return
                try:
                    if self.is_ours(leadership):
                        self._look(leadership)
                except StepwellError as error:
                    log.warning("no snapshot of partition %d is made now: %s", leadership.index, error)
                except Exception:
                    if self._closing.is_set():  # the connection is closed meanwhile
                        return
                    log.exception("no snapshot of partition %d is made", leadership.index)
            self._sweep()

    def is_ours(self, leadership: Leadership) -> bool:
        """Whether this node should make the snapshots of a partition."""
        index, nodes = leadership.index, self._coordinator.alive()
        able = preference(index, [name for name, record in nodes.items() if index in record.ready])
        sound = [name for name in able if str(index) not in nodes[name].unsaved]
        leader = lease_of(self._registry, index).node
        chosen = max(sound or able, key=lambda name: (name != leader, able.index(name)), default=None)
        return chosen == self._cluster.node and leadership.copy is not None

    def _look(self, leadership: Leadership) -> None:
        index, copy = leadership.index, leadership.copy
        stream = self._nats.stream(self._cluster.stream(index))
        if copy is None or stream is None:
            return
        store: str = stream["store"]
        try:
            self._make_if_due(leadership, copy, stream, store)
        except Exception as error:
            if isinstance(error, CorruptionError):
                leadership.found_damage(error)
            self._failures[index] += 1
            if self._failures[index] > 1:  # servers that elect a leader are no reason
                leadership.has_not_saved(str(error), RETRY_SECONDS)  # another node makes it
            raise
        self._failures[index] = 0
        self._purge(index, stream, self._newest(index, store))

    def _make_if_due(
        self, leadership: Leadership, copy: _core.PartitionCopy, stream: dict[str, Any], store: str
    ) -> None:
        index = leadership.index
        if self._is_due(index, stream, self._newest(index, store)) and self._is_due(
            index, stream, self._newest(index, store, anew=True)
        ):
            self._make(index, copy, store)
            leadership.has_not_saved("", 0.0)

    def _newest(self, index: int, store: str, *, anew: bool = False) -> list[Manifest]:
        key = (index, store, self._catalog.place.where)
        known = self._known.get(key)
        if known is None or anew or time.monotonic() - known[1] > LIST_SECONDS:
            known = (self._catalog.newest(index, store), time.monotonic())
            self._known[key] = known
        return known[0]

    def _is_due(self, index: int, stream: dict[str, Any], newest: list[Manifest]) -> bool:
        reached = newest[0].sequence if newest else 0
        wanted = self._registry.get(wanted_key(index), WantedRecord)
        if wanted is not None and reached < wanted.sequence <= stream["last_sequence"]:
            return True
        if stream["first_sequence"] > reached + 1:  # what was purged is in no snapshot here
            return True
        return bytes_behind(stream, reached) >= self._cluster.snapshot_bytes

    def _make(self, index: int, copy: _core.PartitionCopy, store: str) -> None:
        began = time.monotonic()
        path = self._folder / f"p{index}.making"
        try:
            link = copy.snapshot(path)
            manifest = self._catalog.add(self._whose, index, path, store, link, self._former(index))
        finally:
            shutil.rmtree(path, ignore_errors=True)
        self._newest(index, store, anew=True)
        log.info(
            "a snapshot of partition %d was made: position %d, %d bytes, %.1f s",
            *(index, manifest.position, manifest.bytes, time.monotonic() - began),
        )

    def _purge(self, index: int, stream: dict[str, Any], newest: list[Manifest]) -> None:
        """Purge the stream up to the older of the newest two, unless a node that lives still needs more."""
        if len(newest) < KEPT or stream["first_sequence"] > newest[-1].sequence:
            return
        oldest = newest[-1]
        for record in self._coordinator.alive().values():
            if _needs_before(record, index, oldest.position):
                return
        self._nats.purge(self._cluster.stream(index), oldest.sequence + 1)
        self._catalog.remove_old(index, oldest.store, self._former(index))

    def _former(self, index: int) -> list[str]:
        record = self._registry.get(store_key(index), StoreRecord)
        return [] if record is None else record.former

    def _sweep(self) -> None:
        if time.monotonic() - self._swept > LIST_SECONDS:
            self._swept = time.monotonic()
            try:
                self._catalog.sweep(len(self._leaderships), self._coordinator.alive().keys() - {self._cluster.node})
            except StepwellError as error:
                log.warning("what is left of interrupted snapshots is not removed now: %s", error)


def bytes_behind(stream: dict[str, Any], sequence: int) -> int:
    """About how many bytes a stream has behind a sequence."""
    behind = stream["last_sequence"] - max(sequence, stream["first_sequence"] - 1)
    return stream["bytes"] * behind // max(stream["messages"], 1)


def _needs_before(record: NodeRecord, index: int, position: int) -> bool:
    """Whether a node's copy, which follows, is not yet at a position."""
    return str(index) not in record.problems and record.applied.get(str(index), 0) < position
