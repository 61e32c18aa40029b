"""A follower applies another executor's log to its own storage, until it is promoted.

It copies the leader's batches into its own log (docs/adr/0007). So its folder is complete at every moment, and the
leader cannot change it.
"""

from __future__ import annotations

import builtins
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from stepwell.engine.client.arguments import optional_wait_seconds
from stepwell.engine.client.queries import Queries
from stepwell.engine.client.statuses import Statuses
from stepwell.engine.control.probe import is_served
from stepwell.engine.control.serving import listen
from stepwell.engine.control.target import Target
from stepwell.engine.folders.partitions import is_partition
from stepwell.engine.folders.paths import Folder
from stepwell.engine.host.forks import FORKS, only_process
from stepwell.engine.host.host import Options
from stepwell.engine.host.reading import NOT_SHOWN
from stepwell.engine.limits import Limits
from stepwell.engine.replication.attaching import Attaching
from stepwell.engine.replication.leader import is_locked
from stepwell.engine.replication.promotion import Loss, take_over
from stepwell.engine.replication.replica import Replica
from stepwell.engine.state.workflows import Workflow, Workflows
from stepwell.engine.storage.contexts import ExecutionContext, IdempotencyContext, TaskContext
from stepwell.engine.storage.storage import Storage
from stepwell.errors import Closed, InvalidInput, StepwellError, StorageError
from stepwell.logs import logger

from .execution_view import ExecutionView
from .executor import Executor

if TYPE_CHECKING:
    from stepwell.engine.control.status import Live

log = logger("stepwell.engine")

SHORTEST_LOOK, LONGEST_LOOK = 0.001, 0.02
"""How many seconds a follower without new batches waits before it reads again: more each time there are none."""


LEADER_SECONDS = 1.0
"""How often a follower that is level looks whether its leader still holds its lock."""


class Lag(NamedTuple):
    """How far a follower is behind: in records, and in seconds since it last had all of them."""

    records: int
    seconds: float


class _Reading:
    """What queries of a follower need."""

    def __init__(self, follower: Follower, replica: Replica) -> None:
        self.check = follower.check
        self.storage: Storage = replica.executions.storage
        self.workflows: Workflows = replica.executions.state.workflows

    def shown(self) -> AbstractContextManager[None]:
        """There is nothing to choose from."""
        return NOT_SHOWN

    def spaces(self) -> Iterator[tuple[str, str]]:
        """The default ones, and those that have executions with a name: of each one row is read."""
        yield "default", "default"
        after: tuple[str] | None = None
        while rows := self.storage.scan(IdempotencyContext, after=after, limit=1):
            _, tenant, namespace, _ = rows[0].key.split("/", 3)
            yield tenant, namespace
            after = (f"/{tenant}/{namespace}0",)  # "0" comes right after "/"


class Follower:
    """Follows the executor over ``source``, which is running, will run, or has ended, with a copy in ``data``.

    ``data`` is a new folder, one that followed ``source`` before, or a backup of it. Queries return what was applied
    here. ``promote`` fences the leader and opens the copy as an ``Executor``. All methods may be called from any
    thread.

    Raises ``LockedError`` if another process has ``data`` open, ``AlreadyPromoted`` if ``data`` took over from
    ``source`` before, ``FencedError`` if another follower did, ``StorageError`` if ``data`` is not a copy of it or the
    log there was truncated too far: then begin with a backup. If a folder is refused, neither folder is changed.
    """

    def __init__(self, source: Folder, data: Folder) -> None:
        self._process = only_process()
        self._replica = Replica(Attaching(source, data))
        self.source, self.data = self._replica.source, self._replica.data
        self._store, self._log = self._replica.store, self._replica.log
        self.storage = self._replica.executions.storage
        self.reads = Queries(_Reading(self, self._replica))
        self.loss: Loss | None = None
        """What was lost, if it was promoted with ``accept_loss``."""
        self._failure: BaseException | None = None
        self._closed = False
        self._level = time.monotonic()
        self._stopping = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._ending = threading.Lock()
        self._opened = time.time()
        self._heard: float | None = None
        self._looked = 0.0
        self._thread = threading.Thread(target=self._run, name="stepwell-follower", daemon=True)
        self._thread.start()
        self._stop_serving = listen(self._replica.folder, self._target())

    def __enter__(self) -> Follower:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop following. The leader keeps its log for this follower, so that it can continue later."""
        if self._process != os.getpid():  # the thread and the folder belong to the parent process
            self._closed = True
            return
        with self._ending:
            if not self._closed:
                self._stop()
                self._stop_serving()
                self._store.close()

    # reads

    def check(self) -> None:
        """Raise the reason why it does not follow: it was closed or promoted, or it has failed."""
        self._check_process()
        if self._closed:
            raise Closed("the follower was closed, or promoted")
        self._check_failure()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise Closed(f"this follower belongs to process {self._process}, from which this one was forked; {FORKS}")

    def _check_failure(self) -> None:
        if self._failure is not None:
            kind = type(self._failure) if isinstance(self._failure, StorageError) else StorageError
            raise kind(f"the follower of {self.source} has stopped: {self._failure}") from self._failure

    def get(self, id: str | None = None, *, workflow: str | None = None, name: str | None = None) -> ExecutionView:
        """An execution by its id, short id or ARN, or by its workflow and its name. Raises ``ExecutionNotFound``."""
        return ExecutionView(self.reads, self.reads.find(id, workflow, name).id)

    def executions(
        self,
        workflow: str | None = None,
        *,
        status: Statuses | None = None,
        name_prefix: str | None = None,
        started_after: float | datetime | None = None,
        started_before: float | datetime | None = None,
        parent: str | None = None,
        map_run: str | None = None,
    ) -> Iterator[ExecutionView]:
        """All executions that fit, the newest first, as ``Executor.executions`` gives them."""
        rows = self.reads.executions(
            workflow,
            status=status,
            name_prefix=name_prefix,
            started_after=started_after,
            started_before=started_before,
            parent=parent,
            map_run=map_run,
        )
        return (ExecutionView(self.reads, row.execution_id) for row in rows)

    def list(
        self,
        workflow: str | None = None,
        status: Statuses | None = None,
        limit: int = 1000,
        *,
        name_prefix: str | None = None,
        started_after: float | datetime | None = None,
        started_before: float | datetime | None = None,
        parent: str | None = None,
        map_run: str | None = None,
    ) -> list[ExecutionView]:
        """The first ``limit`` of ``executions``."""
        rows = self.reads.executions(
            workflow,
            status=status,
            name_prefix=name_prefix,
            started_after=started_after,
            started_before=started_before,
            parent=parent,
            map_run=map_run,
            limit=limit,
        )
        return [ExecutionView(self.reads, row.execution_id) for row in rows]

    def open_tasks(
        self,
        execution: str | None = None,
        *,
        state: str | None = None,
        resource: str | None = None,
        limit: int = 1000,
    ) -> builtins.list[TaskContext]:
        """Tasks that have no result yet, as ``Executor.open_tasks`` gives them. Their leader takes the answers."""
        return self.reads.open_tasks(execution, state, resource, limit)

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution, by its id, short id or ARN. Raises ``ExecutionNotFound``."""
        return self.reads.context(id)

    def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> builtins.list[dict[str, Any]]:
        """The events of an execution, as ``Executor.history`` gives them."""
        return self.reads.history(id, limit, reverse=reverse, after=after, include_data=include_data)

    def workflow(self, name: str) -> Workflow:
        """The newest version under a name, or that of ``name:version``. Raises ``WorkflowNotFound``."""
        return self.reads.workflow(name)

    def workflows(self, name: str | None = None) -> builtins.list[Workflow]:
        """The newest version of each workflow, or all of one, as ``Executor.workflows`` gives them."""
        return self.reads.workflows(name)

    # how far it is

    @property
    def position(self) -> int:
        """The position of the last record applied here."""
        return self._store.applied()

    def lag(self) -> Lag:
        """How far it is behind what its leader has written; ``leader_alive`` says whether there will be more."""
        self.check()
        records = max(0, self._log.tail() - self._store.applied())
        self.check()
        return Lag(records, time.monotonic() - self._level if records else 0.0)

    @property
    def leader_alive(self) -> bool:
        """Whether a process has the leader's folder open, now: it holds the lock, or serves the control socket.

        A process in another PID namespace that has just begun to open the folder is not seen.
        """
        self.check()
        alive = is_locked(self._replica.leader) or is_served(self._served_folder())
        if alive:
            self._heard = time.time()
        return alive

    @property
    def last_heard(self) -> datetime | None:
        """When the leader was last known to live: it held its lock, or wrote something. None: never since the opening.

        While it lives this is at most a few seconds ago. Together with ``lag`` it tells a follower that is level
        with its leader from one that is level with what a dead leader has left.
        """
        return None if self._heard is None else datetime.fromtimestamp(self._heard, UTC)

    def _served_folder(self) -> str:
        """The folder in which the leader has its socket: a partition's is that of all partitions."""
        return str(self.source.parent if is_partition(self.source) else self.source)

    def wait_level(self, timeout: float | None = None) -> bool:
        """Wait until everything is applied that the leader has written so far; returns whether it is."""
        seconds = optional_wait_seconds("timeout", timeout)
        self.check()
        position = self._log.tail()
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._store.wait_applied(position, 0.1):
            self.check()
            if deadline is not None and time.monotonic() >= deadline:
                return False
        self.check()
        return True

    def pause(self) -> None:
        """Apply nothing until ``resume``: queries return what is here."""
        self._going.clear()

    def resume(self) -> None:
        """Continue after ``pause``."""
        self._going.set()

    # promotion

    def promote(self, *, accept_loss: bool = False, **options: Any) -> Executor:
        """Take over, and open the folder as an ``Executor`` with these ``options``.

        Commands without an event are processed, open tasks dispatched again, and timers that are due fire. Options
        that no executor accepts are refused before the leader is fenced.
        """
        self._check_process()
        if is_partition(self.source):
            raise InvalidInput(f"{self.source} is one of several partitions: take_over each, and open their folder")
        if options.get("partitions", 1) != 1:
            raise InvalidInput(f"{self.data} is one partition, not {options['partitions']!r}")
        if options.get("cluster") is not None:
            raise InvalidInput("a follower is promoted to lead on its machine: it joins no cluster")
        Executor(None, **options).close()
        self.take_over(accept_loss=accept_loss)
        return Executor(self.data, **options)

    def take_over(self, *, accept_loss: bool = False) -> None:
        """Fence the leader, apply the rest of its log, and close. From then on the folder can be opened by an executor.

        Everything that the leader confirmed is there. The leader confirms nothing more; it gets ``FencedError``, as
        a follower does if another one was faster. A follower that has failed, cannot read or apply the rest of the
        log, or cannot fence the leader, does not take over: the leader continues, and this follower is closed. With
        ``accept_loss`` it takes over with what it has; ``loss`` then says which positions are lost, and a warning is
        logged.
        """
        self._check_process()
        with self._ending:
            if self._closed:
                raise Closed("the follower was closed, or promoted")
            self._stop()
            try:
                if not accept_loss:
                    self._check_failure()
                self.loss = take_over(self._replica, self._failure, accept_loss=accept_loss)
            finally:
                self._stop_serving()
                self._store.close()

    def _stop(self) -> None:
        self._closed = True
        self._stopping.set()
        self._going.set()
        self._thread.join()

    # other processes

    def _target(self) -> Target:
        source = str(self.source)
        rows, tenant = self.storage.rows, Options().tenant
        return Target(
            rows, self.check, self._describe, tenant, Options().namespace, Limits(), self._opened, follows=source
        )

    def _describe(self) -> Live:
        from stepwell.engine.control.status import Following, of_follower

        stats, records, health = self._store.sync_stats(), 0, "ok"
        seconds, alive = 0.0, False
        try:
            (records, seconds), alive = self.lag(), self.leader_alive
        except StepwellError as error:
            health = str(error)
        following = Following(str(self.source), records, seconds, alive, self._heard)
        return of_follower(following, self._opened, health, stats)

    # the thread

    def _run(self) -> None:
        look = SHORTEST_LOOK
        try:
            while not self._stopping.is_set():
                self._going.wait()
                asked = time.monotonic()
                if self._replica.advance():
                    look = SHORTEST_LOOK
                    self._heard = time.time()
                    continue
                self._look_for_leader(asked)
                self._level = asked
                self._stopping.wait(look)
                look = min(2 * look, LONGEST_LOOK)
        except BaseException as error:
            log.exception("the follower has stopped")
            self._failure = error

    def _look_for_leader(self, now: float) -> None:
        """Note, once a second, whether the leader holds its lock, without disturbing it."""
        if now - self._looked >= LEADER_SECONDS:
            self._looked = now
            if is_locked(self._replica.leader):
                self._heard = time.time()
