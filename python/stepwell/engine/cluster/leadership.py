"""Whether this node leads a partition. A thread for each partition has its copy open.

It follows the log until the coordinator tells it to lead. Then the partition runs here until it is handed over, until
another node has taken the log over (``FencedError``), or until the node closes.
"""

from __future__ import annotations

import threading
import time

from msgspec.structs import replace

from stepwell import _core
from stepwell.engine.host.cluster_state import CopyState
from stepwell.errors import Closed, CorruptionError, FencedError, StepwellError, StorageError
from stepwell.logs import logger

from .copies import open_copy
from .led import LedPartition
from .node import Leader, Node
from .partition import ClusterPartition
from .serving import Serving
from .snapshots.beginning import Beginning

log = logger("stepwell.cluster")

LEAD_SECONDS = 10.0
"""How long a promotion may wait for the quorum."""
OPEN_SECONDS = 1.0
"""The pause before a copy that cannot be opened is tried again."""
REOPEN_SECONDS = 20.0
"""A copy that has stopped is opened anew after so long: its disk may have been full."""
CLOSING_SECONDS = 10.0
"""How long a node that closes waits for the quorum to confirm what it has begun."""


class Leadership:
    """Of one partition. Any thread may call it."""

    def __init__(self, partition: ClusterPartition, count: int, beginning: Beginning, node: Node) -> None:
        self.partition, self._beginning, self._node = partition, beginning, node
        self.index = partition.index
        self._share = (self.index, count)
        self._counts = CopyState(self.index, "opening")
        """What it has done as a leader; the rest of it is the copy's."""
        self._copy: _core.PartitionCopy | None = None
        self.problem: str | None = None
        """Why the copy cannot follow, or must not be used, if so."""
        self._damage: str | None = None
        """What was found to be wrong with the copy's files: it is not used until the node is started again."""
        self._unsaved, self._unsaved_until = "", 0.0
        self._is_wanted = False
        self._to = ""
        self._changed, self._ending, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stepwell-copy-{self.index}", daemon=True)

    def begin(self) -> None:
        """Open the copy and follow the log."""
        self._thread.start()

    # what the coordinator sees and says

    @property
    def is_led(self) -> bool:
        """Whether this node leads it."""
        return self.partition.is_led

    @property
    def is_taken(self) -> bool:
        """Whether this node leads it or is about to."""
        return self._is_wanted or self.is_led

    @property
    def is_ready(self) -> bool:
        """Whether this node could lead it."""
        return self._copy is not None and self.problem is None

    @property
    def unsaved(self) -> str:
        """Why this node could not make a snapshot of it a short time ago."""
        return self._unsaved if time.monotonic() < self._unsaved_until else ""

    def has_not_saved(self, why: str, seconds: float) -> None:
        """No snapshot could be made; that is said for some seconds. Empty: one was made."""
        self._unsaved, self._unsaved_until = why, time.monotonic() + seconds

    def found_damage(self, error: CorruptionError) -> bool:
        """A row, or a file, of the copy is not what was written. Whether another node leads the partition soon."""
        if self._damage is None:
            log.error("the copy of partition %d is damaged, and is not used any longer: %s", self.index, error)
            self.problem = self._damage = str(error)
            self._node.poke()
        return self._node.has_other(self.index)

    @property
    def copy(self) -> _core.PartitionCopy | None:
        """The copy, while it is open."""
        return self._copy

    def state(self) -> CopyState:
        """How the copy is, and what it has done as a leader."""
        copy, counts = self._copy, self._counts
        if copy is None:
            role = "opening" if self.problem is None else "stopped"
            return replace(counts, role=role, problem=self.problem or "")
        status = copy.status()
        found = replace(
            counts,
            role="stopped" if status["failure"] else "leading" if self.is_led else "following",
            epoch=status["epoch"],
            position=status["position"],
            lag=max(0, status["last_sequence"] - status["sequence"]),
            waiting=status["waiting"],
            problem=status["failure"] or "",
        )
        return _with_publishes(found, copy.store) if self.is_led else found

    @property
    def position(self) -> int:
        """The last position of the copy."""
        copy = self._copy
        try:
            return 0 if copy is None else copy.status()["position"]
        except Closed:  # a moment ago: another partition's request must not fail because of it
            return 0

    def lead(self) -> None:
        """Lead it: the node has the lease."""
        self._is_wanted = True
        self._changed.set()

    def hand_over(self, to: str) -> None:
        """Finish what is there, and let another node lead."""
        self._to = to
        self._ending.set()

    def follow_leader(self, leader: Leader | None) -> None:
        """Another node leads it, or none."""
        self.partition.follow_leader(leader)

    def close(self) -> None:
        """End: finish what is there, if the node leads it."""
        self._closing.set()
        self._changed.set()
        self._ending.set()

    def join(self) -> None:
        """Wait for the end. Without a quorum, what was begun here is left to the next leader."""
        if self._thread.ident is None:
            return
        self._thread.join(CLOSING_SECONDS)
        copy = self._copy
        if self._thread.is_alive() and copy is not None:
            log.warning("partition %d is left without the quorum's word on what was begun", self.index)
            copy.follow()
        self._thread.join()

    # the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._keep_copy()
            except Exception as error:
                if str(error) != self.problem:  # it is tried again and again
                    shown = None if isinstance(error, StepwellError) else error
                    log.error("the copy of partition %d does not work: %s", self.index, error, exc_info=shown)
                self.problem = str(error)
            self._closing.wait(OPEN_SECONDS)

    def _keep_copy(self) -> None:
        node = self._node
        folder = self._beginning.folder(self.index)
        copy = open_copy(folder, node.nats, node.cluster.stream(self.index), node.cluster.node, node.limits)
        self._copy = copy
        began = time.monotonic()
        try:
            while not self._closing.is_set():
                self._changed.wait(OPEN_SECONDS)
                self._changed.clear()
                has_stopped = self._look_at(copy)
                if self._is_outdated(copy) or (has_stopped and time.monotonic() - began > REOPEN_SECONDS):
                    break
                if self._is_wanted and not self._closing.is_set():
                    self._lead_sound(copy)
        finally:
            self._copy = None
            copy.close()

    def _look_at(self, copy: _core.PartitionCopy) -> bool:
        """See how it is; whether it has stopped. What was wrong counts until it has caught up."""
        status = copy.status()
        failure: str | None = status["failure"]
        if failure is not None and failure != self.problem:
            log.error("the copy of partition %d has stopped: %s", self.index, failure)
        if failure is not None:
            self.problem = failure
        elif self.problem != self._damage and status["age"] is not None:
            self.problem = self._damage
            log.warning("the copy of partition %d follows again", self.index)
        return failure is not None

    def _is_outdated(self, copy: _core.PartitionCopy) -> bool:
        """Whether the copy must begin anew: the stream was purged beyond it, or the partition was restored."""
        status = copy.status()
        return status["purged"] or not self._beginning.is_of(self.index, status["store"])

    def _lead_sound(self, copy: _core.PartitionCopy) -> None:
        """Lead; a copy whose rows cannot be read is found out then, and would be again and again."""
        try:
            self._lead(copy)
        except CorruptionError as error:
            self.found_damage(error)
            raise

    def _lead(self, copy: _core.PartitionCopy) -> None:
        """Promote the copy, and run the partition until that ends. After an error the copy is opened anew."""
        self._ending.clear()
        self._to = ""
        self.partition.forget_leader()
        try:
            store = self._promoted(copy)
            if store is not None:
                try:
                    self._run_partition(copy, store)
                finally:
                    copy.follow()
        finally:
            self._is_wanted = False
            self._node.led(self.index, self._to)

    def _promoted(self, copy: _core.PartitionCopy) -> _core.Store | None:
        """The store of the copy as the leader; None: it cannot lead now, and follows on."""
        try:
            return copy.lead(LEAD_SECONDS)
        except FencedError as error:
            log.info("another node leads partition %d: %s", self.index, error)
        except CorruptionError as error:
            self.found_damage(error)
        except StorageError as error:  # no quorum
            log.warning("partition %d cannot be led now: %s", self.index, error)
        return None

    def _run_partition(self, copy: _core.PartitionCopy, store: _core.Store) -> None:
        node = self._node
        windows = node.windows()
        led = LedPartition(self.partition, self._ending.set, self.found_damage, store, node.given, windows, self._share)
        serving = Serving(node, led, self.index)
        self._counts = replace(self._counts, promotions=self._counts.promotions + 1)
        try:
            node.leads(self.index, copy.status()["epoch"])  # first, so that reads that wait here find it confirmed
            self.partition.begin(led)
            log.info("this node leads partition %d", self.index)
            self._ending.wait()
        finally:
            self.partition.end()
            self._end(led, serving)
            self._count(led, store)

    def _count(self, led: LedPartition, store: _core.Store) -> None:
        """Keep what was counted while this node led."""
        counts = _with_publishes(self._counts, store)
        self._counts = replace(
            counts,
            handovers=counts.handovers + (led.failure is None),
            fenced=counts.fenced + isinstance(led.failure, FencedError),
        )

    def _end(self, led: LedPartition, serving: Serving) -> None:
        try:
            led.close()
        except StepwellError as error:
            log.warning("partition %d was not ended in order: %s", self.index, error)
        serving.close()
        if isinstance(led.failure, CorruptionError):
            self.found_damage(led.failure)
        if led.failure is not None:
            log.warning("this node leads partition %d no longer: %s", self.index, led.failure)


def _with_publishes(counts: CopyState, store: _core.Store) -> CopyState:
    """``counts``, with what a leader's store has published."""
    try:
        stats = store.sync_stats()
    except StepwellError:  # it was closed: what it published in the end is not counted
        return replace(counts)
    return replace(
        counts,
        publishes=counts.publishes + stats["syncs"],
        publish_micros=counts.publish_micros + stats["sync_micros"],
    )
