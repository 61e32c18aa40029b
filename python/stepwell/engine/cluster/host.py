"""A node of a cluster: a copy of each partition, the partitions that it leads, and the handlers of their tasks."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from stepwell import _core
from stepwell.asl.resources import Resource
from stepwell.engine.folders.paths import open_folder
from stepwell.engine.host.cluster_state import ClusterState
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.map_tasks import map_tasks
from stepwell.engine.host.measures import PartitionMeasures
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.definitions import Definitions
from stepwell.engine.host.processes.partitioned import PartitionedHost
from stepwell.engine.host.promises import Callback, answering
from stepwell.engine.host.reading import Reading, joined, reads_copies
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.state.workflows import SharedWorkflows, Workflows
from stepwell.engine.storage.contexts import WorkflowContext
from stepwell.engine.storage.storage import Storage
from stepwell.engine.wall_clock import seconds_of
from stepwell.errors import StepwellError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.items import ItemFiles

from .changes import ChangeLock
from .coordinator import Coordinator
from .copy_reads import CopyReads, not_open
from .folder import ClusterFolder, check_names
from .frames import Inbox
from .leadership import Leadership
from .led import NotConfirmed
from .link import Link
from .messages import FromLeader, from_leader
from .offers import names_of
from .options import Cluster
from .partition import ClusterPartition
from .records import ClusterRecord
from .registry import PATIENCE_SECONDS, SLOTS, Registry
from .snapshots.beginning import Beginning
from .snapshots.catalog import Catalog, Whose
from .snapshots.maker import SnapshotMaker
from .snapshots.where import snapshots_place
from .spreading import Spreading
from .stores import ClusterStores
from .streams import prepare_stream
from .sync_check import check_sync
from .view import View

if TYPE_CHECKING:
    from nats.aio.msg import Msg

log = logger("stepwell.cluster")

Found = TypeVar("Found")

PAUSE_SECONDS = 0.5
"""The pause before a step of joining is tried again."""
READERS = 4
"""How many reads of other nodes, and deployments, are answered at the same time."""
_NOBODY = "503"


class ClusterHost(PartitionedHost[ClusterPartition]):
    """Finds the leader of each request's partition, which may be this node."""

    def __init__(
        self, data: str | os.PathLike[str] | None, handlers: Handlers, options: Options, cluster: Cluster
    ) -> None:
        if data is None:
            raise StorageError("a node of a cluster keeps copies in a data folder: give one")
        self.cluster, self.boot = cluster, secrets.token_hex(8)
        self.consistency, self.has_copies = cluster.consistency, True
        self.given = options._replace(limits=options.limits or Limits())
        self._deploying = threading.Lock()
        self.link = Link(cluster)
        self._nats: _core.Nats | None = None
        self._spreading: Spreading | None = None
        self._folder: ClusterFolder | None = None
        self.partitions: list[ClusterPartition] = []
        self.leaderships: list[Leadership] = []
        try:
            self.registry = Registry(self.link)
            folder = open_folder(data)
            assert folder is not None
            known = check_names(folder, cluster)
            id = None if known is None else known.id
            record = self.registry.patiently(partial(self.registry.join, id))
            self._key = hashlib.blake2b(record.id.encode(), person=b"signatures").digest()
            super().__init__(handlers, self.given, record.partitions)
            self.changing = ChangeLock(self.registry, self.boot)
            self._folder = ClusterFolder(folder, record, cluster)
            self._slot = self.registry.patiently(partial(self.registry.slot, cluster.node))
            self._join(self._folder, record)
        except BaseException:
            self._leave()
            raise
        handlers.provide(map_tasks(self.storage, options.item_files or ItemFiles()))
        self._begin_events()

    def _join(self, folder: ClusterFolder, record: ClusterRecord) -> None:
        cluster, count = self.cluster, self.places.partitions
        for warning in check_sync(cluster.monitors, unsafe_sync=cluster.unsafe_sync):
            log.warning("%s", warning)
        self._nats = nats = _core.Nats.connect(
            cluster.servers, name=f"stepwell {cluster.name} {cluster.node} log", credentials=cluster.credentials
        )
        for warning in _patiently(partial(nats.check, unsafe_sync=cluster.unsafe_sync)):
            log.warning("%s", warning)
        for index in range(count):
            _patiently(partial(prepare_stream, nats, self.registry, cluster, index))
        catalog = Catalog(_patiently(partial(snapshots_place, self.link, self.registry, cluster)), cluster.name)
        beginning = Beginning(nats, self.registry, cluster, folder, catalog)
        self.reads = ThreadPoolExecutor(READERS, "stepwell-reads")
        self._inboxes: dict[int, Inbox[FromLeader]] = {
            index: Inbox(from_leader, lambda: self.hlc) for index in range(count)
        }
        self.partitions = [ClusterPartition(index, self) for index in range(count)]
        self.leaderships = [Leadership(each, count, beginning, self) for each in self.partitions]
        copies = CopyReads(self.leaderships)
        self._stores = ClusterStores(self.partitions, self.places, self.promises, copies)
        self.storage = Storage(self._stores)
        self._definitions = Definitions(self.partitions, self.storage, self.promises, SharedWorkflows)
        self._copied_workflows = SharedWorkflows.over(self.storage)
        if cluster.dispatch == "any":
            self._spreading = Spreading(self, self.given.max_workers)
            self.handlers.look_elsewhere(self._is_elsewhere)
        self.link.subscribe(cluster.subject("n", self.boot, "*"), self._receive)
        self.link.subscribe(cluster.subject("queued"), self._receive_queued)
        self.coordinator = Coordinator(self.link, self.registry, self.boot, self.leaderships, self.lost)
        self._snapshots = SnapshotMaker(
            *(nats, self.registry, cluster, Whose(cluster.name, record.id, count, cluster.node), catalog),
            *(self.coordinator, self.leaderships, Path(folder.folder.path)),
        )
        self._view = View(cluster, folder.record, self.registry, self.leaderships, nats, self.coordinator.alive)
        _patiently(self.coordinator.begin)
        for each in self.leaderships:
            each.begin()
        self._snapshots.begin()

    @property
    def folder(self) -> _core.Folder | None:
        return None if self._folder is None else self._folder.folder

    @property
    def shared_key(self) -> bytes:
        return self._key

    @property
    def nats(self) -> _core.Nats:
        """The connection of the copies."""
        assert self._nats is not None
        return self._nats

    def tick(self) -> int:
        """The next timestamp, which no other node gives: nodes have different remainders."""
        first = self.hlc.reserve(seconds_of(self.clock.now()), SLOTS)
        return first + (self._slot - first) % SLOTS

    # reads

    def shown(self) -> AbstractContextManager[Reading]:
        return joined(self.consistency)

    @property
    def workflows(self) -> Workflows:
        """The definitions; those that copies have do not mix with what decides about a start."""
        return self._copied_workflows if reads_copies() else self._definitions.workflows

    def measure(self) -> list[PartitionMeasures]:
        if not reads_copies():
            return super().measure()
        return [self._measured_copy(each) for each in self.leaderships]

    def _measured_copy(self, held: Leadership) -> PartitionMeasures:
        partition, copy = held.partition, held.copy
        if copy is None:
            return PartitionMeasures(held.index, os.getpid(), problem=not_open(held))
        stats = copy.store.sync_stats()
        positions = (stats["log_start"], stats["log_tail"], stats["applied"], stats["flushed"])
        waiting, problem = partition.unanswered, held.problem or ""
        return PartitionMeasures(
            held.index, os.getpid(), *positions, requests=waiting, tasks=partition.tasks, problem=problem
        )

    def cluster_state(self) -> ClusterState:
        """The cluster, as this node sees it."""
        return self._view.look()

    # messages of other nodes, in the connection's thread

    async def _receive(self, message: Msg) -> None:
        index = int(message.subject.rpartition(".")[2])
        partition = self.partitions[index]
        if message.headers is not None and message.headers.get("Status") == _NOBODY:
            partition.unheard()
            self.coordinator.poke()
            return
        with answering():
            partition.receive(self._inboxes[index].take(str(index), message.data, self.clock.now()))

    async def _receive_queued(self, message: Msg) -> None:
        with answering():
            self.queued(message.data.decode())

    # what partitions ask

    def is_confirmed(self, index: int) -> bool:
        """Whether this node still leads a partition, as far as it knows without asking."""
        return self.coordinator.is_confirmed(index)

    def confirm(self, index: int) -> None:
        """Raise ``NotConfirmed`` unless this node still leads a partition."""
        try:
            leads = self.coordinator.confirm(index)
        except StorageError as error:
            raise NotConfirmed(f"the node does not know whether it still leads: {error}") from error
        if not leads:
            raise NotConfirmed("another node leads")

    def tell_queued(self, queue: str) -> None:
        """A task waits for a worker that polls: tell all nodes, this one among them."""
        self.link.post(self.cluster.subject("queued"), queue.encode())

    def poke(self) -> None:
        """Look at once who leads what, and ask again what has no reply."""
        self.coordinator.poke()

    def has_other(self, index: int) -> bool:
        """Whether another node could lead a partition."""
        return self.coordinator.has_other(index)

    def leads(self, index: int, epoch: int) -> None:
        """This node leads a partition."""
        self.coordinator.leases.begin(index, epoch)

    def led(self, index: int, to: str) -> None:
        """This node leads a partition no longer."""
        self.coordinator.leases.end(index, to)
        self.coordinator.poke()

    # tasks for the handlers of all nodes

    @property
    def spreading(self) -> Spreading | None:
        """What gives tasks to all nodes, if it does."""
        return self._spreading

    def windows(self) -> list[tuple[str, int]]:
        """The handlers that do tasks, and how many tasks of each may be handed out before they begin."""
        return self.handlers.windows() if self._spreading is None else self._spreading.windows()

    def limits_changed(self) -> None:
        """The handlers of all nodes, or their limits, have changed."""
        if self._spreading is not None:
            for partition in self.partitions:
                partition.set_handlers(self._spreading.windows())

    def _handlers_changed(self) -> None:
        if self._spreading is None:
            super()._handlers_changed()
        else:
            self._spreading.offer()

    def _hand_in(self, results: list[m.TaskResult]) -> None:
        if self._spreading is not None:
            self._spreading.holding.finished(results)
        super()._hand_in(results)

    def send_results(self, results: list[m.TaskResult]) -> None:
        """Send results of handlers to the leaders of their partitions."""
        super()._hand_in(results)

    def waits_for_handler(self, task_id: str) -> bool | None:
        """Whether a task still waits for its handler; None: this node does not lead its partition."""
        return self.partitions[self.places.of_task(task_id)].waits_for_handler(task_id)

    def place_of(self, task_id: str) -> int:
        """The partition of a task."""
        return self.places.of_task(task_id)

    def free(self, call: Call) -> None:
        """A task is not counted for its limit any longer."""
        self._freed(call)

    def _is_elsewhere(self, resource: Resource, definition: dict[str, Any]) -> bool:
        """Whether a node has a handler for a Task state."""
        assert self._spreading is not None
        given: Any = definition.get("Parameters") or definition.get("Arguments")
        return self._spreading.has_elsewhere(names_of(resource, given))

    # definitions

    def submit(self, command: r.Command, document: Document, deliver: Callback) -> None:
        if not isinstance(command, r.PutWorkflowCommand | r.DeleteWorkflowCommand):
            Host.submit(self, command, document, deliver)
            return
        self.check()
        answer = self.promises.owe(deliver)
        try:
            self.partitions[0].deploy(command, answer)
        except BaseException:
            answer.forget()
            raise

    def deploy_here(self, command: r.PutWorkflowCommand | r.DeleteWorkflowCommand, deliver: Callback) -> None:
        """Give a definition to all partitions, or delete it there: this node leads the first one."""
        threading.Thread(target=self._deploy, args=(command, deliver), name="stepwell-deploy", daemon=True).start()

    def _deploy(self, command: r.PutWorkflowCommand | r.DeleteWorkflowCommand, deliver: Callback) -> None:
        with self._deploying:
            try:
                if isinstance(command, r.PutWorkflowCommand):
                    self._check_is_next(command)
            except StepwellError as error:
                deliver(None, error)
                return
            change = self._definitions.put if isinstance(command, r.PutWorkflowCommand) else self._definitions.delete
            change(command, deliver)  # pyright: ignore[reportArgumentType] - each gets its own kind

    def _check_is_next(self, command: r.PutWorkflowCommand) -> None:
        """Refuse a version that another node has deployed with another definition meanwhile."""
        row = self.storage.get(WorkflowContext, command.name, command.version)
        if row is not None and row.definition != command.definition:
            raise StorageError(
                f"version {command.version} of workflow {command.name!r} was deployed by another node meanwhile: "
                "deploy it again"
            )

    # closing

    def _close_pool(self) -> None:
        if self._spreading is None:
            super()._close_pool()
            return
        self._spreading.stop()
        super()._close_pool()
        self._spreading.leave()

    def _end(self) -> None:
        self._snapshots.close()
        self.coordinator.pass_on()
        for each in self.leaderships:
            each.close()
        for each in self.leaderships:
            each.join()

    def _close_folder(self) -> None:
        self.coordinator.close()
        self._leave()

    def _leave(self) -> None:
        if self._spreading is not None:
            self._spreading.close()
        if self._folder is not None:
            self._folder.close()
            self._folder = None
        if self._nats is not None:
            self._nats.close()
        self.link.close()


def _patiently(call: Callable[[], Found]) -> Found:
    """Call something until it succeeds, for a while: servers may be starting, or have lost the leader of a stream."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except StorageError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("the cluster is not joined yet: %s", error)
            time.sleep(PAUSE_SECONDS)
