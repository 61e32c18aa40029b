"""The leases that a node holds: they are written here, and nowhere else.

A lease is a hint. If two nodes believe that they hold one, the log lets only one of them write. But a lease that does
not say what is true costs time: requests find the leader by it. So a write that was refused, since what was read
before came from a replica that is behind, is made again, and ``mend`` makes up for one that failed.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from stepwell.errors import StorageError
from stepwell.logs import logger

from .options import Cluster
from .records import LeaseRecord, lease_key
from .registry import Registry

log = logger("stepwell.cluster")

_ATTEMPTS = 5


class Leases:
    """Of one node. Any thread may call it."""

    def __init__(self, registry: Registry, options: Cluster, boot: str) -> None:
        self._registry, self._options, self._boot = registry, options, boot
        self._epochs: dict[int, int] = {}
        """The partitions that this node leads, and since which epoch."""
        self._sure: set[int] = set()
        """The partitions whose leases this node holds, unless it was taken for dead."""
        self._writing: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def of(self, index: int) -> LeaseRecord:
        """A partition's lease, as it was last read."""
        return lease_of(self._registry, index)

    def holds(self, index: int) -> bool:
        """Whether this node holds a partition's lease, as it was last read."""
        lease = self.of(index)
        return (lease.node, lease.boot) == (self._options.node, self._boot)

    def is_sure(self, index: int) -> bool:
        """Whether nobody else can have the lease, unless this node was taken for dead."""
        return index in self._sure

    def doubt(self) -> None:
        """Others may have taken this node for dead."""
        self._sure.clear()

    def take(self, index: int) -> bool:
        """Take the lease of a partition that nobody leads; whether it was taken. Raises ``NotReached``."""
        with self._writing[index]:
            return self._write(index, LeaseRecord(self._options.node, self._boot))

    def begin(self, index: int, epoch: int) -> None:
        """This node leads a partition: tell the others where to send its requests."""
        self._epochs[index] = epoch
        self.mend(index)

    def end(self, index: int, to: str) -> None:
        """This node leads a partition no longer; ``to`` is to lead it next (empty: anyone)."""
        self._epochs.pop(index, None)
        self._sure.discard(index)
        self._say(index, LeaseRecord(to=to))

    def mend(self, index: int) -> None:
        """Let the lease of a partition that this node leads say so, if it does not."""
        epoch = self._epochs.get(index)
        if epoch is not None and self._say(index, LeaseRecord(self._options.node, self._boot, epoch)):
            self._sure.add(index)

    def confirm(self, index: int) -> bool:
        """Write a lease once more; whether this node still holds it. Raises ``NotReached``."""
        with self._writing[index]:
            record = LeaseRecord(self._options.node, self._boot, self._epochs.get(index, 0))
            is_confirmed = self._replace(index, record)
        if is_confirmed:
            self._sure.add(index)
        return is_confirmed

    def _say(self, index: int, record: LeaseRecord) -> bool:
        """Write a lease of this node that says something else; whether it was written."""
        try:
            with self._writing[index]:
                return self.of(index) != record and self._replace(index, record)
        except StorageError as error:
            log.warning("the lease of partition %d is not written: %s", index, error)
            return False

    def _replace(self, index: int, record: LeaseRecord) -> bool:
        """Write a lease, as long as this node holds it."""
        for _ in range(_ATTEMPTS):
            if not self.holds(index):
                return False
            if self._write(index, record):
                return True
            self._registry.read()
        return False

    def _write(self, index: int, record: LeaseRecord) -> bool:
        key = lease_key(index)
        is_written = self._registry.write(key, record)
        if is_written:
            self._registry.notify(key)
        return is_written


def lease_of(registry: Registry, index: int) -> LeaseRecord:
    """A partition's lease, as it was last read; an empty one, if it never had any."""
    return registry.get(lease_key(index), LeaseRecord) or LeaseRecord()
