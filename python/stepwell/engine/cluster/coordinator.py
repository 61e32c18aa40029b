"""Decides which partitions this node leads: it tells that it is alive, sees who else is, and takes and passes leases.

A lease is a hint. If two nodes believe that they hold one, the log lets only one of them write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.errors import StorageError
from stepwell.logs import logger
from stepwell.version import VERSION

from .leadership import Leadership
from .leases import Leases
from .link import Link, NotReached
from .node import Leader
from .options import Cluster
from .placement import preference
from .records import LeaseRecord, NodeRecord, PinRecord, lease_key, node_key, pin_key
from .registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.msg import Msg

log = logger("stepwell.cluster")

LOOK_SECONDS = 0.5
"""How often the keys are read, unless a notice comes before."""
REST_SECONDS = 0.02
"""The least pause between two looks: what pokes meanwhile is looked at together."""
TELL_SECONDS = 1.0
"""A node tells that it is alive at least so often, however long its lease is: who asks may have a shorter one."""
RANK_SECONDS = 1.0
"""How much longer each less preferred node waits before it takes a partition that nobody leads."""
SERVER_SECONDS = 3.0
"""After so long without an answer another server is tried."""
SETTLING_SECONDS = 2.0
"""How long a preferred node must have been ready before it is given a partition, unless an operator has asked."""
ASKED_SECONDS = 10.0
"""How long what an operator asks is done without delay."""


class Coordinator:
    """One for each node. Its thread reads and writes the leases; ``lost`` is called if the node must stop."""

    def __init__(
        self,
        link: Link,
        registry: Registry,
        boot: str,
        partitions: Sequence[Leadership],
        lost: Callable[[StorageError], None],
    ) -> None:
        self._link, self._registry, self._boot, self._partitions = link, registry, boot, partitions
        self._options: Cluster = link.options
        self.leases = Leases(registry, link.options, boot)
        self._lost = lost
        self._beat = 0
        self.heard_at = 0.0
        """When the last record of this node that was written began to be written (``time.monotonic``)."""
        self._read_at = 0.0
        """When the last read of the keys began."""
        self._unreached_since = self._changed_server = 0.0
        self._seen: dict[str, NodeRecord] = {}
        """The other nodes that lived at the last look."""
        self._vacant: dict[int, float] = {}
        """Since when nobody leads a partition, as far as is seen here."""
        self._better: dict[int, float] = {}
        """Since when another node is preferred for a partition that is led here."""
        self._poked, self._closing = threading.Event(), threading.Event()
        self._telling = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="stepwell-cluster", daemon=True)
        self._notices = link.subscribe(registry.notices, self._heard)

    def begin(self) -> None:
        """Tell that the node is alive, and begin to look."""
        self.tell()
        if self._thread.ident is None:
            self._thread.start()

    async def _heard(self, message: Msg) -> None:
        self._registry.hear(message.data)
        self._poked.set()

    def poke(self) -> None:
        """Look at once."""
        self._poked.set()

    # what the node says of itself

    def tell(self) -> None:
        """Write this node's record: it is alive. Raises ``NotReached``."""
        with self._telling:
            began = time.monotonic()
            self._beat += 1
            self._registry.tell(node_key(self._options.node), self._own_record())
            if time.monotonic() - self.heard_at > self._options.lease:  # this record may have come too late
                self.leases.doubt()
            self.heard_at = began

    def _own_record(self) -> NodeRecord:
        parts: Sequence[Leadership] = () if self._closing.is_set() else self._partitions
        return NodeRecord(
            self._options.node,
            self._boot,
            self._options.advertise,
            VERSION,
            self._beat,
            [each.index for each in parts if each.is_taken],
            [each.index for each in parts if each.is_ready],
            {str(each.index): each.position for each in parts},
            {str(each.index): each.problem for each in parts if each.problem is not None},
            list(_core.stream_formats()),
            self._options.lease,
            unsaved={str(each.index): each.unsaved for each in parts if each.unsaved},
        )

    def is_confirmed(self, index: int) -> bool:
        """Whether this node leads a partition: it has the lease, and nobody can have taken it for dead since."""
        return self.leases.is_sure(index) and time.monotonic() - self.heard_at < self._options.lease / 2

    def confirm(self, index: int) -> bool:
        """Ask whether this node still leads a partition, by writing its lease once more. Raises ``NotReached``."""
        if self.is_confirmed(index):
            return True
        self.tell()
        return self.leases.confirm(index)

    # the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            is_poked = self._poked.wait(self._pause())
            self._poked.clear()
            try:
                if is_poked and time.monotonic() - self._read_at < 2 * LOOK_SECONDS:
                    self._decide_all()  # what others have told is known already; not after a pause, when all look dead
                self._look()
                self._reached()
            except NotReached as error:
                self._unreached(error)
                self._closing.wait(LOOK_SECONDS)  # what pokes meanwhile is not reached either
            except Exception:
                log.exception("the coordinator goes on after an error")
            for each in self._partitions:
                each.partition.tick()
            self._closing.wait(REST_SECONDS)

    def _pause(self) -> float:
        """The seconds until the next look."""
        due = [at for each in self._partitions if (at := each.partition.next_due()) is not None]
        return max(0.0, min(LOOK_SECONDS, min(due) - time.monotonic())) if due else LOOK_SECONDS

    def _unreached(self, error: NotReached) -> None:
        now = time.monotonic()
        if self._unreached_since == 0.0:
            log.warning("the cluster is not reached: %s", error)
            self._unreached_since = self._changed_server = now
        elif now - self._changed_server > SERVER_SECONDS:  # the server that answers may be cut off from the others
            self._changed_server = now
            log.warning("the cluster is still not reached, another server is tried: %s", error)
            try:
                self._link.change_server()
            except StorageError as other:
                log.warning("no other server is reached: %s", other)

    def _reached(self) -> None:
        if self._unreached_since:
            log.warning("the cluster is reached again, after %.1f s", time.monotonic() - self._unreached_since)
            self._unreached_since = 0.0

    def _look(self) -> None:
        if self._closing.is_set():
            return
        began = time.monotonic()
        self._registry.read()
        self._read_at = began
        record = self._registry.get(node_key(self._options.node), NodeRecord)
        if record is not None and record.boot != self._boot:
            self._lost(StorageError(f"another process runs as node {self._options.node}: give it a name of its own"))
            return
        if time.monotonic() - self.heard_at > min(self._options.lease / 4, TELL_SECONDS):
            self.tell()
        self._decide_all()

    def _decide_all(self) -> None:
        nodes = self.alive()
        self._report(nodes)
        for partition in self._partitions:
            if not self._closing.is_set():
                self._decide(partition, nodes)

    def _report(self, nodes: dict[str, NodeRecord]) -> None:
        """Log which other nodes have come or are not heard of any more."""
        others = {name: record for name, record in nodes.items() if name != self._options.node}
        for name in self._seen.keys() - others.keys():
            if self._seen[name].ready:  # one that ends in order says so
                lease = self._lease(self._seen[name])
                log.warning("node %s is taken for dead: it was not heard of for %.1f s", name, lease)
            else:
                log.info("node %s has ended", name)
        for name in others.keys() - self._seen.keys():
            log.info("node %s is there", name)
        self._seen = others

    def alive(self) -> dict[str, NodeRecord]:
        """The nodes that were heard of within the time of a lease: of theirs, or of this node's if that is longer."""
        now = time.monotonic()
        found: dict[str, NodeRecord] = {}
        for key in self._registry.keys("node."):
            entry, record = self._registry.entry(key), self._registry.get(key, NodeRecord)
            if entry is not None and record is not None and now - entry.changed < self._lease(record):
                found[record.node] = record
        return found

    def _lease(self, record: NodeRecord) -> float:
        """After so many seconds without a word a node is taken for dead here."""
        return max(self._options.lease, record.lease)

    def _decide(self, partition: Leadership, nodes: dict[str, NodeRecord]) -> None:
        index, lease = partition.index, self.leases.of(partition.index)
        is_ours = self.leases.holds(index)
        if partition.is_led and not is_ours:
            partition.hand_over("")  # somebody else has the lease: the log shows who may write
        elif is_ours:
            self._vacant.pop(index, None)
            self._balance(partition, nodes)
        elif self._is_held(index, lease, nodes):
            self._vacant.pop(index, None)
            partition.follow_leader(Leader(lease.node, lease.boot) if lease.epoch else None)
        else:
            partition.follow_leader(None)
            self._consider(partition, lease, nodes)

    def _is_held(self, index: int, lease: LeaseRecord, nodes: dict[str, NodeRecord]) -> bool:
        """Whether the node that has a lease lives, and still leads."""
        holder = nodes.get(lease.node)
        if holder is None or holder.boot != lease.boot:
            return False
        entry = self._registry.entry(lease_key(index))
        is_new = entry is not None and time.monotonic() - entry.changed < self._options.lease
        return is_new or index in holder.leads

    def _order(self, index: int, nodes: dict[str, NodeRecord]) -> list[str]:
        """The nodes that could lead a partition, in the order in which they should."""
        able = {name: record.formats for name, record in nodes.items() if index in record.ready}
        return preference(index, able, self._pin(index), able)

    def has_other(self, index: int) -> bool:
        """Whether another node could lead a partition."""
        return any(name != self._options.node for name in self._order(index, self.alive()))

    def _pin(self, index: int) -> str:
        """The node that an operator wants to lead a partition; empty: any."""
        pin = self._registry.get(pin_key(index), PinRecord)
        return "" if pin is None else pin.node

    def _consider(self, partition: Leadership, lease: LeaseRecord, nodes: dict[str, NodeRecord]) -> None:
        """Nobody leads a partition: take it, if this node is the one that should."""
        index, now = partition.index, time.monotonic()
        if not partition.is_ready or partition.is_taken:
            return
        since = self._vacant.setdefault(index, now)
        order, node = self._order(index, nodes), self._options.node
        rank = order.index(node) if node in order else len(order)
        if lease.to == node:
            rank = 0
        elif lease.to in nodes:
            rank += 1
        if now - since >= rank * RANK_SECONDS:
            self._take(partition)

    def _take(self, partition: Leadership) -> None:
        if self._is_vacant(partition.index) and self.leases.take(partition.index):
            self._vacant.pop(partition.index, None)
            partition.lead()

    def _is_vacant(self, index: int) -> bool:
        """Whether nobody leads a partition, as the bucket's leader knows it. Raises ``NotReached``."""
        holder = self.leases.of(index).node
        if not holder:
            return True
        self._registry.read_last(node_key(holder))
        return not self._is_held(index, self.leases.of(index), self.alive())

    def _balance(self, partition: Leadership, nodes: dict[str, NodeRecord]) -> None:
        """Pass a partition to the node that is preferred, once that is ready; take again what was not promoted."""
        index, now = partition.index, time.monotonic()
        if not partition.is_taken:  # the promotion failed, and the lease could not be given back
            self.leases.end(index, "")
            return
        self.leases.mend(index)
        order = self._order(index, nodes)
        if not partition.is_led or not order or order[0] == self._options.node:
            self._better.pop(index, None)
        elif (
            not partition.is_ready
            or self._is_asked(index, order[0])
            or now - self._better.setdefault(index, now) > SETTLING_SECONDS
        ):
            self._better.pop(index, None)
            partition.hand_over(order[0])

    def _is_asked(self, index: int, node: str) -> bool:
        """Whether an operator wants a partition at the node that is preferred: it is pinned, or the pin was changed."""
        entry = self._registry.entry(pin_key(index))
        is_new = entry is not None and time.monotonic() - entry.changed < ASKED_SECONDS
        return is_new or node == self._pin(index)

    # the end

    def pass_on(self) -> None:
        """Hand over what this node leads: it is about to close."""
        self._closing.set()
        nodes = self.alive()
        for partition in self._partitions:
            others = [name for name in self._order(partition.index, nodes) if name != self._options.node]
            if partition.is_led:
                partition.hand_over(others[0] if others else "")

    def close(self) -> None:
        """End, and say that the node leads nothing."""
        self._closing.set()
        self._poked.set()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            self.tell()
        except StorageError as error:
            log.debug("nobody is told that the node has ended: %s", error)
        self._link.unsubscribe(self._notices)
