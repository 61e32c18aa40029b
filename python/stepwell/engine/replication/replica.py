"""The copy that a follower keeps: the leader's batches, checked and committed here in their order."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.engine.folders.follows import FOLLOWS, ORIGIN, Following, begin_following, write_follows
from stepwell.engine.folders.paths import as_it_was, names_in
from stepwell.engine.limits import Limits
from stepwell.engine.replay import log_replay
from stepwell.engine.state.executions import Executions
from stepwell.engine.storage.storage import Storage
from stepwell.errors import StorageError

if TYPE_CHECKING:
    from .attaching import Attaching

READ_BYTES = 4 << 20
MARK_SECONDS = 1.0
"""How often the follower's mark in the leader's log is updated."""
TIMERS_KEPT = 100_000
"""After how many batches the timers in memory, which do not fire here, are read again."""


class Replica:
    """The store in ``data``, and the log of ``source`` that it follows. Only one thread may use it at a time."""

    def __init__(self, attaching: Attaching) -> None:
        self.source, self.data, self.id = attaching.source, attaching.data, attaching.id
        self.leader = attaching.leader
        with as_it_was(self.data):
            self.folder = attaching.folder or _core.Folder.open(attaching.place, create=True)
            whom = Following(self.id, attaching.of, attaching.leader.path)
            _claim_if_empty(self.folder, whom)
            self.store = _core.Store.open(self.folder)
            try:
                with _following(self.folder, whom, attaching.leader):
                    self.executions = Executions.over(Storage(self.store), Limits())
                    log_replay.replay(self.store, self.executions)
                    self.log = self._attach(attaching)
            except BaseException:
                self.store.close()
                raise
        self._batches = 0
        self._marked = time.monotonic()

    def _attach(self, attaching: Attaching) -> _core.FollowedLog:
        """Follow the log from the last batch here, which must be the same there. The mark is written last."""
        applied, leader, of = self.store.applied(), attaching.leader, attaching.of
        try:
            found = _core.FollowedLog.open(leader, self.id, self.data, applied, of=of)
        except StorageError:  # that batch may be truncated, and the next one not
            found = _core.FollowedLog.open(leader, self.id, self.data, applied + 1, of=of)
        found.mark(applied)
        return found

    def catch_up(self) -> None:
        """Apply all that there is."""
        while self.advance():
            pass

    def advance(self) -> bool:
        """Apply the batches that are there. Returns whether there were any.

        The log returns batches again until they are applied. So an error here loses none.
        """
        batches = self.log.read(READ_BYTES)
        if not batches:
            return False
        for batch in batches:
            self._apply(*batch)
        last = self.store.tail()
        self.store.wait_applied(last, None)
        self.log.pass_to(last)
        self._tidy(len(batches))
        self._mark(last)
        return True

    def forget(self) -> None:
        """Discard what memory has of a batch that could not be applied."""
        self.store.wait_applied(self.store.tail(), None)
        state = self.executions.state
        state.forget()
        state.names.clear()
        state.deleted.clear()
        state.timers.load()

    def _apply(self, first: int, epoch: int, count: int, payload: bytes) -> None:
        """Check that a batch is the next one, and commit it."""
        store, tail = self.store, self.store.tail()
        if first <= tail:  # the last one that it has
            self._check_same(first, payload)
            return
        if first != tail + 1:
            raise StorageError(f"{self.data} is at position {tail}, and the next batch of {self.source} is at {first}")
        if epoch < store.epoch():
            raise StorageError(f"{self.data} went on in epoch {store.epoch()}, and {self.source} is in epoch {epoch}")
        batch = log_replay.read_batch(self.executions, first, payload)
        if batch.count != count:
            raise StorageError(f"the batch at position {first} of {self.source} has {batch.count} records, not {count}")
        if epoch > store.epoch():
            store.begin_epoch(epoch)
        store.commit(batch.turns, batch.changes(), batch.timestamp)

    def _check_same(self, first: int, payload: bytes) -> None:
        if first < self.store.sync_stats()["log_start"]:  # a backup has the position, but not the records before it
            return
        ours = self.store.read_log(first)
        if not ours or (ours[0][0], ours[0][3]) != (first, payload):
            raise StorageError(
                f"{self.data} is no copy of {self.source}: they have different records at position {first}; "
                "begin with a new folder, or with a backup"
            )

    def _tidy(self, batches: int) -> None:
        """Everything is in storage now. Drop what only an executor needs."""
        state = self.executions.state
        if self.executions.exceeds_memory():
            state.forget()
        state.names.clear()
        state.deleted.clear()
        self._batches += batches
        if self._batches > TIMERS_KEPT:
            self._batches = 0
            state.timers.load()

    def _mark(self, position: int) -> None:
        if time.monotonic() - self._marked > MARK_SECONDS:
            self.log.mark(position)
            self._marked = time.monotonic()


def _claim_if_empty(folder: _core.Folder, whom: Following) -> None:
    """Say whom an empty folder follows before it becomes a store: one that is left half made is no executor's."""
    folder.lock()
    try:
        if not names_in(Path(folder.path)):
            write_follows(folder, whom)
    finally:
        folder.unlock()


@contextmanager
def _following(folder: _core.Folder, whom: Following, leader: _core.Folder) -> Generator[None]:
    """Write down, durably, which store a folder follows; restore the old content if the body fails."""
    before = {name: folder.read(name) for name in (FOLLOWS, ORIGIN)}
    try:
        begin_following(folder, whom, leader)
        yield
    except BaseException:
        for name, bytes in before.items():
            if bytes is None:
                folder.remove(name)
            else:
                folder.write(name, bytes)
        raise
