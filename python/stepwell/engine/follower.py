"""A follower: another executor's log, applied to storage of its own, until it takes over.

It copies the leader's batches into a log of its own (docs/adr/0007), so its folder is a whole one at
every moment, and nothing that its leader does can reach it.
"""

from __future__ import annotations

import builtins
import logging
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from stepwell import _core
from stepwell.errors import Closed, FencedError, StorageError
from stepwell.tasks.dispatch import Call

from . import recovery
from .contexts import ExecutionContext
from .eviction import is_crowded
from .execution import ExecutionView
from .executor import Executor
from .following import Following, begin_following, check_continues, end_following, following
from .forks import FORKS, only_process
from .host import SystemClock
from .partition import Partition
from .partitions.folder import partitions_of
from .reads import Reads
from .storage import Storage
from .workflows import Workflow, Workflows

log = logging.getLogger("stepwell.engine")

SHORTEST_LOOK, LONGEST_LOOK = 0.001, 0.02
"""Seconds until a follower that is level with its leader looks for more: the longer there was nothing, the longer."""
READ_BYTES = 4 << 20
MARK_SECONDS = 1.0
"""How often the leader learns how far its follower is."""
TIMERS_KEPT = 100_000
"""After how many batches the timers in memory, which nobody fires here, are read anew."""


class Lag(NamedTuple):
    """How far a follower is behind: in records, and since when it was last level, in seconds."""

    records: int
    seconds: float


class Follower:
    """Follows the executor over ``source``, which runs, will run, or has ended, with a copy in ``data``.

    ``data`` is a new folder, one that followed ``source`` before, or a backup of it. Reads give what was
    applied here; ``promote`` ends the leader and makes an ``Executor`` of the copy. Every call may come
    from any thread.

    Raises ``LockedError`` where another process has ``data``, ``StorageError`` where it is no copy of
    ``source`` or the log there was cut too far: then begin with a backup.
    """

    def __init__(self, source: str | os.PathLike[str], data: str | os.PathLike[str]) -> None:
        self._process = only_process()
        self._source = _open_source(Path(source))
        self._folder = _core.Folder.open(data, create=True)
        self.source, self.data = Path(self._source.path), Path(self._folder.path)
        self._store = _core.Store.open(self._folder)
        try:
            self.storage = Storage(self._store)
            self.partition = Partition(self._store, SystemClock(), _NoHandlers())
            recovery.replay(self.partition)
            self._log = self._attach()
        except BaseException:
            self._store.close()
            raise
        self.reads = Reads(self)
        self._failure: BaseException | None = None
        self._closed = False
        self._batches = 0
        self._level = self._marked = time.monotonic()
        self._stopping = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="stepwell-follower", daemon=True)
        self._thread.start()

    def __enter__(self) -> Follower:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop following. The leader keeps the log for it, so that it can go on later."""
        if self._process != os.getpid():  # its thread and its folder are its parent's
            self._closed = True
            return
        with self._ending:
            if not self._closed:
                self._stop()
                self._store.close()

    # reads

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed."""
        return self.partition.state.workflows

    def check(self) -> None:
        """Raise what keeps it from following: it was closed or promoted, or it has failed."""
        if self._process != os.getpid():
            raise Closed(f"this follower belongs to process {self._process}, from which this one was forked; {FORKS}")
        if self._closed:
            raise Closed("the follower was closed, or promoted")
        if self._failure is not None:
            kind = type(self._failure) if isinstance(self._failure, StorageError) else StorageError
            raise kind(f"the follower of {self.source} has stopped: {self._failure}") from self._failure

    def get(self, id: str) -> ExecutionView:
        """An execution by its id. Raises ``ExecutionNotFound``."""
        view = ExecutionView(self.reads, id)
        view.context()
        return view

    def list(self, workflow: str | None = None, status: str | None = None, limit: int = 1000) -> list[ExecutionView]:
        """Executions, the newest first, of one workflow or of all, in one status or in any."""
        rows = self.reads.executions(workflow, status, limit)
        return [ExecutionView(self.reads, row.execution_id) for row in rows]

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution. Raises ``ExecutionNotFound``."""
        return self.reads.context(id)

    def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> builtins.list[dict[str, Any]]:
        """The events of an execution, as ``Executor.history`` gives them."""
        return self.reads.history(id, limit, reverse=reverse, after=after, include_data=include_data)

    def workflow(self, name: str) -> Workflow:
        """The newest version under a name. Raises ``WorkflowNotFound``."""
        return self.reads.workflow(name)

    # how far it is

    @property
    def position(self) -> int:
        """The position of the last record applied here."""
        return self._store.applied()

    def lag(self) -> Lag:
        """How far it is behind its leader."""
        self.check()
        records = max(0, self._log.tail() - self._store.applied())
        return Lag(records, time.monotonic() - self._level if records else 0.0)

    def wait_level(self, timeout: float | None = None) -> bool:
        """Wait until all is applied that the leader has written by now; whether it is."""
        self.check()
        position = self._log.tail()
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._store.wait_applied(position, 0.1):
            self.check()
            if deadline is not None and time.monotonic() >= deadline:
                return False
        return True

    def pause(self) -> None:
        """Apply nothing until ``resume``: reads give what is here."""
        self._going.clear()

    def resume(self) -> None:
        """Go on."""
        self._going.set()

    # the end

    def promote(self, *, accept_loss: bool = False, **options: Any) -> Executor:
        """``take_over``, and go on as an ``Executor`` with these ``options``.

        Commands without their event are processed, open tasks handed out again, timers that were due
        meanwhile fire.
        """
        self.take_over(accept_loss=accept_loss)
        return Executor(self.data, **options)

    def take_over(self, *, accept_loss: bool = False) -> None:
        """End the leader, apply the rest of its log, and close: the folder is an executor's from then on.

        Whatever the leader confirmed is there. It confirms nothing more, however it comes back: it gets
        ``FencedError``. That is what a follower gets, too, if another one was faster. Where the rest of
        the log cannot be read, or not be fenced, nothing is taken over; ``accept_loss`` does it all the
        same, with what is here.
        """
        if self._process != os.getpid():
            self.check()
        with self._ending:
            if self._closed:
                raise Closed("the follower was closed, or promoted")
            self._stop()
            try:
                self._store.begin_epoch(self._end_leader(accept_loss))
                position = self._store.tail()
            finally:
                self._store.close()
            end_following(self._folder, position)

    def _end_leader(self, accept_loss: bool) -> int:
        """Fence the log, and apply what is left of it. The epoch from then on."""
        with self._lost_if(accept_loss):
            self._catch_up()  # what cannot be read is found before the leader is ended
        epoch = max(self._store.epoch(), self._log.epoch()) + 1
        with self._lost_if(accept_loss):
            epoch, by, leader = self._log.fence(epoch)
            if by != self._id:
                raise FencedError(f"{leader} took over from {self.source} at epoch {epoch}: follow that one")
        with self._lost_if(accept_loss):
            self._catch_up()
            self._log.forget()
        return max(epoch, self._store.epoch())

    @contextmanager
    def _lost_if(self, accepted: bool) -> Generator[None]:
        try:
            yield
        except StorageError as error:
            if isinstance(error, FencedError) or not accepted:
                raise
            log.warning("promoted without the rest of the log in %s: %s", self.source, error)

    def _catch_up(self) -> None:
        while self._advance():
            pass

    def _stop(self) -> None:
        self._closed = True
        self._stopping.set()
        self._going.set()
        self._thread.join()

    # the thread

    def _run(self) -> None:
        look = SHORTEST_LOOK
        try:
            while not self._stopping.is_set():
                self._going.wait()
                asked = time.monotonic()
                if self._advance():
                    look = SHORTEST_LOOK
                    continue
                self._level = asked
                self._stopping.wait(look)
                look = min(2 * look, LONGEST_LOOK)
        except BaseException as error:
            log.exception("the follower has stopped")
            self._failure = error

    def _advance(self) -> bool:
        """Apply what there is. Returns whether there was anything."""
        batches = self._log.read(READ_BYTES)
        last = 0
        for first, epoch, _, payload in batches:
            last = self._apply(first, epoch, payload)
        if last:
            self._store.wait_applied(last, None)
            self._tidy(len(batches))
            self._mark(last)
        return bool(batches)

    def _apply(self, first: int, epoch: int, payload: bytes) -> int:
        store = self._store
        if first <= store.tail():  # the one that it had last
            self._check_same(first, payload)
            return 0
        if epoch > store.epoch():
            store.begin_epoch(epoch)
        batch = recovery.read_batch(self.partition, first, payload)
        last, leaders = store.commit(batch.turns, batch.changes(), batch.timestamp), first + batch.count - 1
        if last != leaders:
            raise StorageError(f"{self.data} is at position {last}, where its leader is at {leaders}")
        return last

    def _tidy(self, batches: int) -> None:
        """Storage has all of it now: forget what only an executor needs."""
        state = self.partition.state
        if is_crowded(self.partition):
            state.forget()
        state.names.clear()
        state.deleted.clear()
        self._batches += batches
        if self._batches > TIMERS_KEPT:
            self._batches = 0
            state.timers.load()

    def _mark(self, position: int) -> None:
        if time.monotonic() - self._marked > MARK_SECONDS:
            self._log.mark(position)
            self._marked = time.monotonic()

    # that it is a copy

    def _attach(self) -> _core.FollowedLog:
        """Follow the log from the last batch here on, which must be the same there."""
        applied, before = self._store.applied(), following(self._folder)
        self._id = _core.new_store_id() if before is None else before.follower
        try:
            found = _core.FollowedLog.open(self._source, self._id, self.data, applied)
        except StorageError:
            found = _core.FollowedLog.open(self._source, self._id, self.data, applied + 1)
        try:
            check_continues(self._folder, self._store, self._source, found.store)
            fence = found.fenced()
            if fence is not None and fence[1] == self._id and self._store.epoch() >= fence[0]:
                end_following(self._folder, applied)
                raise StorageError(f"{self.data} took over from {self.source} before: open it with Executor")
        except BaseException:
            found.forget()
            raise
        begin_following(self._folder, Following(self._id, found.store, self._source.path), self._source)
        return found

    def _check_same(self, first: int, payload: bytes) -> None:
        if first < self._store.sync_stats()["log_start"]:  # a backup: it says where it is, not how it came there
            return
        ours = self._store.read_log(first)
        if ours and (ours[0][0], ours[0][3]) != (first, payload):
            raise StorageError(
                f"{self.data} is no copy of {self.source}: they have different records at position {first}; "
                "begin with a new folder, or with a backup"
            )


def _open_source(source: Path) -> _core.Folder:
    partitions = partitions_of(source)
    if partitions is None:
        raise StorageError(f"there is no executor's folder to follow at {source}")
    if partitions > 1:
        raise StorageError(f"{source} has {partitions} partitions: give each, from {source / 'p0'} on, a follower")
    return _core.Folder.open(source)


class _NoHandlers:
    def dispatch(self, tasks: list[Call]) -> None:
        """Tasks are the leader's."""

    def queued(self, queue: str) -> None:
        """Workers poll at the leader."""
