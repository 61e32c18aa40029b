"""Tasks of handlers with limits: a few are handed out before their calls begin, all others are held back on the log.

There is a queue for each handler and execution. A handler's queues take turns, one task at a time, so that an execution
with many tasks does not delay the others. Memory holds only whose turn it is. The pool of handlers enforces the limit;
a partition only bounds how many tasks are in the pool whose calls have not begun.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from stepwell.asl.json import loads
from stepwell.asl.resources import Resource, parse_resource
from stepwell.engine.storage.contexts import HELD, QueueContext, TaskContext, place_of
from stepwell.engine.storage.storage import Storage
from stepwell.tasks.handlers import Handlers
from stepwell.tasks.limits import Limit

_LIMITED = f"{HELD}\0"
"""The prefix of the queues of handlers with limits."""
_LAST = "\U0010ffff"
"""Greater than every id."""
_END = 1 << 62
"""Later than any task was scheduled."""


class LimitedTasks:
    """Decides which tasks are handed out at once, and in which order the others follow."""

    def __init__(self, storage: Storage, handlers: Handlers) -> None:
        self._storage, self._handlers = storage, handlers
        self._resources: dict[str, Resource] = {}
        self._ahead: Counter[str] = Counter()
        """How many tasks of each limit are in the pool, and their calls have not begun."""
        self._admitted: Counter[str] = Counter()
        """How many more are handed out in the batch that is being made."""
        self._begun: list[str] = []
        """The limits of the tasks that this batch activates."""
        self._freed: deque[str] = deque()
        self._turns: dict[str, str] = {}
        """Handlers with tasks that may be held back, and the queue that had its turn last."""
        self._taken: dict[str, tuple[str, int, str]] = {}
        self._taken_before: dict[str, tuple[str, int, str]] = {}
        """The last task that was taken from a queue, in batches that are not applied yet."""
        self._applied_with = 0

    # handing out

    @property
    def holds_any(self) -> bool:
        """Whether there is anything to do: a task may be held back, or a call has begun."""
        return bool(self._turns or self._freed)

    def target_of(self, resource: Resource, arguments: Callable[[], Any]) -> str:
        """The name of a task's handler."""
        return self._handlers.target_of(resource, arguments)

    def limit_of(self, resource: Resource, arguments: Callable[[], Any]) -> Limit[Any] | None:
        """The limit of a task's handler, if it has one."""
        registration = self._handlers.find(resource, arguments)
        limit = registration.limit if registration is not None else None
        return limit if limit is not None and limit.window else None

    def begins(self, task: TaskContext) -> str:
        """A task was activated; returns the name of its limit, or an empty one."""
        resource = self._resources.get(task.resource)
        if resource is None:
            resource = self._resources[task.resource] = parse_resource(task.resource)
        limit = self.limit_of(resource, lambda: loads(task.input))
        if limit is None:
            return ""
        self._begun.append(limit.name)
        return limit.name

    def admits(self, limit: Limit[Any], target: str) -> bool:
        """Whether a new task may be handed out at once, which it may not before those that are held back."""
        if target in self._turns or not self._has_room(limit):
            return False
        self._admitted[limit.name] += 1
        return True

    def queue_of(self, execution_id: str, target: str) -> str:
        """The queue in which a task is held back."""
        self._turns.setdefault(target, "")
        return f"{_prefix(target)}{execution_id}"

    def holds(self, queue: str) -> None:
        """A task is held back, and storage has it."""
        self._turns.setdefault(_target_of(queue), "")

    def free(self, name: str) -> None:
        """A task's call has begun, or the task has ended before that. From any thread."""
        self._freed.append(name)

    def batch_ends(self) -> None:
        """Count the tasks that the batch activated."""
        if self._begun or self._admitted:
            self._ahead.update(self._begun)
            self.batch_fails()

    def batch_fails(self) -> None:
        """Forget the batch."""
        self._begun.clear()
        self._admitted.clear()

    def _has_room(self, limit: Limit[Any] | None) -> bool:
        if limit is None or not limit.window:
            return True
        return self._ahead[limit.name] + self._admitted[limit.name] < limit.window

    # what is held back

    def recover(self) -> None:
        """Find the handlers with tasks that are held back."""
        queue = _LIMITED
        while (row := self._first_behind(queue)) is not None and row.queue.startswith(_LIMITED):
            self.holds(row.queue)
            queue = f"{_prefix(_target_of(row.queue))}{_LAST}"

    def released(self, most: int, position: int, applied: int) -> list[QueueContext]:
        """Tasks to activate in the next batch: at most ``most``, and no more than their limits allow.

        ``position`` is the last one given to a batch.
        """
        while self._freed:
            name = self._freed.popleft()
            self._ahead[name] = max(0, self._ahead[name] - 1)
        if applied >= self._applied_with:
            self._taken_before, self._applied_with, self._taken = self._taken, position, {}
        found: list[QueueContext] = []
        count = -1
        while count < len(found) < most:
            count = len(found)
            found += self._one_of_each(most - count)
        return found

    def _one_of_each(self, most: int) -> list[QueueContext]:
        """One task of each handler whose limit allows it."""
        found: list[QueueContext] = []
        for target in list(self._turns):
            registration = self._handlers.find_by_name(target)
            if len(found) == most or registration is None or not self._has_room(registration.limit):
                continue
            row = self._next(target)
            if row is not None:
                found.append(row)
                if registration.limit is not None:
                    self._admitted[registration.limit.name] += 1
            elif not any(queue.startswith(_prefix(target)) for queue in (*self._taken, *self._taken_before)):
                del self._turns[target]
        return found

    def _next(self, target: str) -> QueueContext | None:
        """The first task of the execution whose turn it is."""
        prefix, last = _prefix(target), self._turns[target]
        queue, has_wrapped = last or prefix, not last
        while True:
            row = self._first_behind(queue)
            if row is None or not row.queue.startswith(prefix):
                if has_wrapped:
                    return None
                queue, has_wrapped = prefix, True
                continue
            if last and has_wrapped and row.queue > last:
                return None
            queue = row.queue
            row = self._first_left(row)
            if row is not None:
                self._turns[target] = queue
                self._taken[queue] = place_of(row)
                return row

    def _first_left(self, row: QueueContext) -> QueueContext | None:
        """The first task of a queue that was not taken yet; ``row`` is the first that storage has."""
        taken = self._taken.get(row.queue) or self._taken_before.get(row.queue)
        if taken is None:
            return row
        rows = self._storage.scan(QueueContext, row.queue, after=taken, limit=1)
        return rows[0] if rows else None

    def _first_behind(self, queue: str) -> QueueContext | None:
        """The first task of the next queue."""
        rows = self._storage.scan(QueueContext, after=(queue, _END, _LAST), limit=1)
        return rows[0] if rows else None


def _prefix(target: str) -> str:
    return f"{_LIMITED}{target}\0"


def _target_of(queue: str) -> str:
    return queue[len(_LIMITED) :].rpartition("\0")[0]
