"""One change at a time of workflows, and of what belongs to them: versions, aliases, tags.

Whoever changes one looks at it first. In one process a lock keeps others away meanwhile. Here a key of the cluster's
bucket does so for all nodes: it is taken by compare-and-swap. A node that ends with it, or is paused for long, loses
it.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from stepwell.errors import StorageError
from stepwell.logs import logger

from .link import NotReached
from .records import CHANGING, ChangingRecord
from .registry import Registry

log = logger("stepwell.cluster")

PATIENCE_SECONDS = 30.0
"""How long a change waits for those of other nodes."""
HELD_SECONDS = 10.0
"""Who has had it for so long has ended, or does not get on."""
_FREE = ChangingRecord()
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1


class ChangeLock:
    """A lock of all nodes, which a thread may take several times. Raises ``StorageError`` if it is not to be had."""

    def __init__(self, registry: Registry, boot: str) -> None:
        self._registry, self._ours = registry, ChangingRecord(boot)
        self._here = threading.RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._here.acquire()
        try:
            if self._depth == 0:
                self._take()
        except BaseException:
            self._here.release()
            raise
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        try:
            if self._depth == 0:
                self._give()
        finally:
            self._here.release()

    def _take(self) -> None:
        deadline, pause, why = time.monotonic() + PATIENCE_SECONDS, _SHORTEST_PAUSE, "other nodes change them"
        while True:
            try:
                if self.is_free() and self._registry.write(CHANGING, self._ours):
                    return
                self._registry.read_last(CHANGING)
            except NotReached as error:  # servers may have lost a leader
                why = str(error)
            if time.monotonic() > deadline:
                raise StorageError(f"workflows could not be changed for {PATIENCE_SECONDS:.0f} s: {why}")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def is_free(self) -> bool:
        """Whether nobody has it, as far as is known: who is wrong is told so by the write."""
        entry = self._registry.entry(CHANGING)
        if entry is None or self._registry.get(CHANGING, ChangingRecord) in (_FREE, self._ours):
            return True
        return time.monotonic() - entry.changed > HELD_SECONDS

    def _give(self) -> None:
        try:
            self._registry.write(CHANGING, _FREE)
        except StorageError as error:  # others wait for it until it is old
            log.warning("others are not told that a change of workflows is done: %s", error)
