"""A partition that this node leads: it runs in a thread here, and its tasks go to the node's handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stepwell import _core
from stepwell.engine.host.host import Options
from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.local import LocalHost, command_of
from stepwell.engine.host.processes import asked
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.repeated import scope_of, was_done
from stepwell.engine.host.processes.stores import STATS
from stepwell.engine.host.promises import Callback
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.partition.events import Event
from stepwell.engine.storage.contexts import TaskContext
from stepwell.errors import Closed, CorruptionError, FencedError, StorageError
from stepwell.tasks.dispatch import Call, HandlerPool, Result
from stepwell.tasks.handlers import Handlers

UNKNOWN = "the partition's leader has changed before it answered: the task may have its result"

_READS = frozenset({"get", "scan", "load", "history", "sync_stats", STATS})
"""What another node may ask for: what ``PartitionedHost`` and its stores do."""


class NotConfirmed(StorageError):
    """The node does not know whether it still leads: it was not heard of for a while."""


class Home(Protocol):
    """What a led partition needs of the node."""

    @property
    def pool(self) -> HandlerPool:
        """What calls the node's handlers."""
        ...

    @property
    def listeners(self) -> Listeners:
        """The node's listeners."""
        ...

    def dispatch(self, tasks: list[Call]) -> None:
        """Tasks that are durable."""
        ...

    def resume(self, tasks: list[Call]) -> None:
        """Tasks that the last leader's handlers had."""
        ...

    def tasks_ended(self, task_ids: list[str]) -> None:
        """Tasks have ended without results of their handlers."""
        ...

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        ...

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned, and what it waits for may be in another partition."""
        ...


class LedPartition(LocalHost):
    """Runs over the store that a promoted copy gives."""

    def __init__(
        self,
        home: Home,
        stopped: Callable[[], None],
        damaged: Callable[[CorruptionError], bool],
        store: _core.Store,
        options: Options,
        windows: list[tuple[str, int]],
        share: tuple[int, int],
    ) -> None:
        self._home, self._tell_stopped, self._tell_damage, self._given = home, stopped, damaged, store
        handlers = Handlers()
        asked.register(handlers, windows)
        own = Options(options.tenant, options.namespace, 1, options.limits, options.item_files, clock=options.clock)
        super().__init__(None, handlers, own, share)

    def _new_pool(self, options: Options) -> HandlerPool:
        return self._home.pool

    def _close_pool(self) -> None:
        """The handlers are the node's, and work for other partitions too."""

    def _open_store(self, folder: _core.Folder | None) -> _core.Store:
        return self._given

    @property
    def has_stopped(self) -> bool:
        """Whether it takes nothing more: an error that it gives then says nothing about the request."""
        return self._stopping or self._closed or self._failure is not None

    @property
    def failure(self) -> BaseException | None:
        """Why it cannot go on."""
        return self._failure

    def _has_failed(self, error: BaseException) -> None:
        self._failure = error
        self.promises.refuse(self._stopped)
        self.progress.fire_all()
        self._tell_stopped()

    # what it asks of the node

    def _resume(self, calls: list[Call]) -> None:
        self._home.resume(calls)

    def dispatch(self, tasks: list[Call]) -> None:
        self._home.dispatch(tasks)

    def _tasks_ended(self, task_ids: list[str]) -> None:
        self._home.tasks_ended(task_ids)

    def queued(self, queue: str) -> None:
        self._home.queued(queue)

    def _abandoned(self, task: TaskContext) -> None:
        self._home.abandoned(m.Abandoned(task.id, task.activity_id.rpartition("/")[0], task.input))

    def _tell(self, event: Event) -> None:
        self._home.listeners.tell(event)

    # what the node asks

    @property
    def position(self) -> int:
        """Up to where its log is applied."""
        return self._store.applied()

    def take(self, command: r.Command, document: Document, reply: Callback, *, again: bool) -> None:
        """Put a command into the inbox. ``again``: an earlier leader may have done it."""
        try:
            if again and was_done(self.storage, command, UNKNOWN):
                reply(scope_of(command), None)
            else:
                self.submit(command, document, reply)
        except Exception as error:  # noqa: BLE001 - whoever asks gets any error
            reply(None, self._shown(error))

    def read(self, message: m.Read) -> Any:
        """Call a reading method of the store."""
        if message.operation not in _READS:  # another node sends it, over a network
            raise StorageError(f"a node of a cluster reads no {message.operation!r} for another one")
        return asked.read(self._store, self.partition, message)

    def answer(self, message: m.Read, confirm: Callable[[], None], reply: Callback) -> None:
        """Answer a read, once ``confirm`` has not raised: this node still leads."""
        try:
            confirm()
            result = self.read(message)
        except Exception as error:  # noqa: BLE001 - whoever asks gets any error
            reply(None, self._shown(error))
        else:
            reply(result, None)

    def says_nothing(self, error: BaseException | None) -> bool:
        """Whether an error only says that this node does not lead any longer, and not what became of the request.

        That the store is closed, or fenced, is so whether or not the partition has noticed it yet.
        """
        if isinstance(error, NotConfirmed | Closed | FencedError):
            return True
        return self.has_stopped and isinstance(error, StorageError)

    def take_results(self, results: list[m.TaskResult]) -> None:
        """Take results of handlers."""
        self.submit_results([command_of(Result(*result)) for result in results])

    def keep_alive(self, task_id: str) -> None:
        """A handler reports that its work continues."""
        self._keep_alive(task_id)

    def observe(self, names: list[str]) -> None:
        """Tell the node's listeners the events of these names."""
        self.partition.observe(names, self._tell)

    def set_handlers(self, windows: list[tuple[str, int]]) -> None:
        """The node has another handler, or another limit."""
        asked.register(self.handlers, windows)
        self._handlers_changed()

    def watch_end(self, id: str, deliver: Callable[[bytes | None, BaseException | None], None]) -> None:
        """Call ``deliver`` with the row of an execution once it has ended (None: it was deleted), or with an error."""

        def ended(context: Any, error: BaseException | None) -> None:
            deliver(None if error is not None else self._store.get(1, id), error)

        try:
            self.watch(id, ended)
        except Exception as error:  # noqa: BLE001 - whoever asks gets any error
            deliver(None, self._shown(error))

    def _shown(self, error: Exception) -> Exception:
        """What whoever asks gets: where this copy is damaged and another node leads soon, that one answers."""
        if isinstance(error, CorruptionError) and self._tell_damage(error):
            return NotConfirmed(f"this node's copy is damaged: {error}")
        return error
