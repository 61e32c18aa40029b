"""The tasks that handlers of this process have. Their number is limited; further tasks are held back, on the log.

A held task is created but not activated. It waits in the queue ``HELD``, or in a queue of its handler if that has a
limit (limited_tasks.py), where it costs a row and no memory. When tasks end, the next ones are activated. After a
restart the tasks that handlers had are found by reading all open tasks, in pages, while the partition is running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stepwell.asl.resources import Resource
from stepwell.engine.log.document import Document
from stepwell.engine.status import ACTIVE, SUBMITTED
from stepwell.engine.storage.contexts import HELD, QueueContext, TaskContext, place_of
from stepwell.engine.storage.storage import Storage
from stepwell.tasks.handlers import Handlers

from .limited_tasks import LimitedTasks

AUDIT_SECONDS = 5.0
"""How often the tasks in flight are checked while tasks are held back."""
TASK_PAGE = 200
PAGES_AT_ONCE = 100
"""How many pages are read for tasks in flight before anything else is done."""


class InFlight:
    """The tasks in flight, and those that are held back."""

    def __init__(self, storage: Storage, max_tasks: int, max_bytes: int, handlers: Handlers) -> None:
        self.limited, self.limits = LimitedTasks(storage, handlers), handlers.limits
        """``limits`` are the limits that handlers have or had."""
        self._storage, self._max_tasks, self._max_bytes = storage, max_tasks, max_bytes
        self._out: dict[str, int] = {}
        """The size of each task's input."""
        self._bytes = 0
        """The bytes of inputs of tasks that are in flight or admitted."""
        self._admitted = self._admitted_bytes = 0
        self._begun: dict[str, int] = {}
        self.begins = self._begun.__setitem__
        """Note that a task was activated: its id, and the size of its input."""
        self._may_hold = False
        self._held_after: tuple[str, int, str] | None = None
        self._anew_at = 0
        self._pages: Iterator[list[TaskContext]] | None = None
        self._newer: set[str] = set()
        self._audited = 0

    def __len__(self) -> int:
        """How many tasks are in flight."""
        return len(self._out)

    @property
    def input_bytes(self) -> int:
        """How large the inputs are of the tasks that are out or admitted."""
        return self._bytes

    # activation

    def admits(self, size: int) -> bool:
        """Whether a new task with an input of ``size`` bytes may be activated at once. Else it must be held back."""
        admitted = self._admitted
        if self._may_hold or len(self._out) + admitted >= self._max_tasks or self._bytes >= self._max_bytes:
            self._may_hold = True  # earlier tasks go first
            return False
        self._admitted = admitted + 1
        self._admitted_bytes += size
        self._bytes += size
        return True

    def queue_of(self, execution_id: str, resource: Resource, document: Document) -> str:
        """The queue of a new task whose handler may have a limit; empty if it may be handed out at once."""
        limited = self.limited
        limit = limited.limit_of(resource, lambda: document.value)
        if limit is not None:
            target = limited.target_of(resource, lambda: document.value)
            if limited.admits(limit, target) and self.admits(len(document.text)):
                return ""
            return limited.queue_of(execution_id, target)
        return "" if self.admits(len(document.text)) else HELD

    def ends(self, task_id: str) -> None:
        """Note that a task has its result, or was closed before it was dispatched."""
        self._bytes -= self._out.pop(task_id, 0)

    def batch_ends(self) -> None:
        """The batch was made: its activated tasks are in flight. What was only admitted is not counted any more."""
        if self._begun:
            self._take_out(self._begun)
            if self._pages is not None:
                self._newer.update(self._begun)
        self.limited.batch_ends()
        if self._begun or self._admitted:
            self._forget_batch()

    def batch_fails(self) -> None:
        """The batch was not made: nothing of it counts."""
        self.limited.batch_fails()
        self._forget_batch()

    def _forget_batch(self) -> None:
        self._bytes -= self._admitted_bytes
        self._admitted = self._admitted_bytes = 0
        self._begun.clear()

    def _take_out(self, tasks: dict[str, int]) -> None:
        self._bytes += sum(tasks.values()) - sum(
            self._out.get(task_id, 0) for task_id in tasks.keys() & self._out.keys()
        )
        self._out.update(tasks)

    # held tasks

    def holds(self, queue: str) -> None:
        """Note that storage has a held task."""
        if queue == HELD:
            self._may_hold = True
        else:
            self.limited.holds(queue)

    def released(self, limit: int, position: int, applied: int) -> list[TaskContext]:
        """Held tasks for which there is capacity now, to be activated in the next batch.

        ``position`` is the last one of a batch.
        """
        tasks: list[TaskContext] = []
        holds_limited = self.limited.holds_any
        if not holds_limited and not self._may_hold:
            return tasks
        if holds_limited and self._has_room:
            free = min(self._max_tasks - len(self._out), limit)
            rows = self.limited.released(free, position, applied)
            tasks = [task for row in rows if (task := self._storage.get(TaskContext, row.task_id)) is not None]
        return tasks + self._released(limit - len(tasks), len(tasks), position, applied)

    def _released(self, limit: int, others: int, position: int, applied: int) -> list[TaskContext]:
        """Those whose handlers have no limit, first in, first out, again and again from the start.

        A new round begins only when ``position`` is applied, because it would find the tasks of the last batch again.
        """
        free = min(self._max_tasks - len(self._out) - others, limit)
        if (
            not self._may_hold
            or free <= 0
            or self._bytes >= self._max_bytes
            or (self._held_after is None and applied < self._anew_at)
        ):
            return []
        rows = self._storage.scan(QueueContext, HELD, after=self._held_after, limit=free)
        if not rows:  # the round is over; if it has just begun, there are no held tasks
            self._may_hold = self._held_after is not None
            self._held_after, self._anew_at = None, position
            return self._released(limit, others, position, applied) if self._may_hold else []
        self._held_after = place_of(rows[-1])
        tasks: list[TaskContext] = []
        size = 0
        for row in rows:
            task = self._storage.get(TaskContext, row.task_id)
            if task is not None:
                size += len(task.input)
                tasks.append(task)
            if self._bytes + size >= self._max_bytes:
                self._held_after = place_of(row)
                break
        return tasks

    @property
    def is_full(self) -> bool:
        """Whether tasks are held back for lack of capacity."""
        return self._may_hold and not self._has_room

    def audit(self, now: int, is_open: Callable[[str], bool]) -> None:
        """If there is no capacity for long, stop counting tasks that were closed meanwhile.

        A task that timed out before its handler was registered, or whose handler hangs, never gets a result.
        """
        if self.is_full and now - self._audited > AUDIT_SECONDS * 1_000_000:
            self._audited = now
            for task_id in [task_id for task_id in self._out if not is_open(task_id)]:
                self.ends(task_id)

    # tasks in flight when the last process ended

    def recover(self) -> list[TaskContext]:
        """The first of the tasks that were in flight."""
        self._pages = open_tasks(self._storage)
        self._may_hold = bool(self._storage.scan(QueueContext, HELD, limit=1))
        self.limited.recover()
        found: list[TaskContext] = []
        for _ in range(PAGES_AT_ONCE):
            found += self.recovered()
        return found

    @property
    def is_recovering(self) -> bool:
        """Whether there may be more of them, and capacity for them."""
        return self._pages is not None and self._has_room

    @property
    def _has_room(self) -> bool:
        return len(self._out) < self._max_tasks and self._bytes < self._max_bytes

    def recovered(self) -> list[TaskContext]:
        """More of the tasks that were in flight."""
        if self._pages is None or not self.is_recovering:
            return []
        page = next(self._pages, None)
        if page is None:
            self._pages = None
            self._newer.clear()
            return []
        found = [task for task in page if task.id not in self._newer]
        self._take_out({task.id: len(task.input) for task in found})
        return found


def open_tasks(storage: Storage) -> Iterator[list[TaskContext]]:
    """The tasks that handlers of this process had, and those that wait for nested executions: page by page."""
    after: tuple[Any, ...] | None = None
    while tasks := storage.scan(TaskContext, after=after, limit=TASK_PAGE):
        yield [task for task in tasks if _was_out(task)]
        after = (tasks[-1].id,)


def _was_out(task: TaskContext) -> bool:
    return not task.queue and (task.status == ACTIVE or (task.status == SUBMITTED and task.token is None))
