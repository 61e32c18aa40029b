"""Tasks that handlers of this process have: at most so many. What is beyond that is held back, on the log.

A task that is held back is created but not activated, and waits in the queue ``HELD``; there it costs a
row and no memory. As answers come in, the next ones are activated. After a restart the tasks that were
out are found by reading all open tasks, a page at a time, while the partition works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stepwell.engine.status import ACTIVE, SUBMITTED
from stepwell.engine.storage.contexts import HELD, QueueContext, TaskContext
from stepwell.engine.storage.storage import Storage

AUDIT_SECONDS = 5.0
"""How often, while tasks are held back for want of room, those that are out are looked at."""
TASK_PAGE = 200
PAGES_AT_ONCE = 100
"""How much is looked through for tasks that were out, before anything else is done."""


class InFlight:
    """The tasks that are out, and those that are held back."""

    def __init__(self, storage: Storage, max_tasks: int, max_bytes: int) -> None:
        self._storage, self._max_tasks, self._max_bytes = storage, max_tasks, max_bytes
        self._out: dict[str, int] = {}
        """How large the input of each is."""
        self._bytes = 0
        """What those have that are out or admitted."""
        self._admitted = self._admitted_bytes = 0
        self._begun: dict[str, int] = {}
        self.begins = self._begun.__setitem__
        """A task was activated: its id, and how large its input is."""
        self._may_hold = False
        self._held_after: tuple[str, str] | None = None
        self._anew_at = 0
        self._pages: Iterator[list[TaskContext]] | None = None
        self._newer: set[str] = set()
        self._audited = 0

    def __len__(self) -> int:
        """How many tasks are out."""
        return len(self._out)

    @property
    def input_bytes(self) -> int:
        """How large the inputs are of the tasks that are out or admitted."""
        return self._bytes

    # handing out

    def admits(self, size: int) -> bool:
        """Whether a new task with an input of ``size`` may be handed out at once; else it is to be held back."""
        admitted = self._admitted
        if self._may_hold or len(self._out) + admitted >= self._max_tasks or self._bytes >= self._max_bytes:
            self._may_hold = True  # whoever came before goes first
            return False
        self._admitted = admitted + 1
        self._admitted_bytes += size
        self._bytes += size
        return True

    def ends(self, task_id: str) -> None:
        """A task was answered, or was closed before it went out."""
        self._bytes -= self._out.pop(task_id, 0)

    def batch_ends(self) -> None:
        """What began in the batch is out; what was admitted and did not begin is not waited for."""
        if self._begun:
            self._take_out(self._begun)
            if self._pages is not None:
                self._newer.update(self._begun)
        self.batch_fails()

    def batch_fails(self) -> None:
        """Nothing of the batch is to be."""
        self._bytes -= self._admitted_bytes
        self._admitted = self._admitted_bytes = 0
        self._begun.clear()

    def _take_out(self, tasks: dict[str, int]) -> None:
        self._bytes += sum(tasks.values()) - sum(
            self._out.get(task_id, 0) for task_id in tasks.keys() & self._out.keys()
        )
        self._out.update(tasks)

    # what was held back

    def holds(self) -> None:
        """A task is held back, and storage has it."""
        self._may_hold = True

    def released(self, limit: int, position: int, applied: int) -> list[TaskContext]:
        """Tasks that were held back and for which there is room now, to be activated in the next batch.

        They are taken in the order of their ids, round and round. ``position`` is the last one given to a batch:
        before it is applied, another round would meet those of the last one.
        """
        room = min(self._max_tasks - len(self._out), limit)
        if (
            not self._may_hold
            or room <= 0
            or self._bytes >= self._max_bytes
            or (self._held_after is None and applied < self._anew_at)
        ):
            return []
        rows = self._storage.scan(QueueContext, HELD, after=self._held_after, limit=room)
        if not rows:  # the round is over; if it has just begun, there are none
            self._may_hold = self._held_after is not None
            self._held_after, self._anew_at = None, position
            return self.released(limit, position, applied) if self._may_hold else []
        self._held_after = (HELD, rows[-1].task_id)
        tasks: list[TaskContext] = []
        size = 0
        for row in rows:
            task = self._storage.get(TaskContext, row.task_id)
            if task is not None:
                size += len(task.input)
                tasks.append(task)
            if self._bytes + size >= self._max_bytes:
                self._held_after = (HELD, row.task_id)
                break
        return tasks

    @property
    def is_full(self) -> bool:
        """Whether tasks are held back because there is no room."""
        return self._may_hold and not self._has_room

    def audit(self, now: int, is_open: Callable[[str], bool]) -> None:
        """Where there has been no room for long, count no more on tasks that were closed meanwhile.

        A task that timed out before its handler was there, or whose handler hangs, is never answered.
        """
        if self.is_full and now - self._audited > AUDIT_SECONDS * 1_000_000:
            self._audited = now
            for task_id in [task_id for task_id in self._out if not is_open(task_id)]:
                self.ends(task_id)

    # what was out when the process ended

    def recover(self) -> list[TaskContext]:
        """Tasks that were out: the first of them."""
        self._pages = open_tasks(self._storage)
        self._may_hold = bool(self._storage.scan(QueueContext, HELD, limit=1))
        found: list[TaskContext] = []
        for _ in range(PAGES_AT_ONCE):
            found += self.recovered()
        return found

    @property
    def is_recovering(self) -> bool:
        """Whether there may be more, and room for them."""
        return self._pages is not None and self._has_room

    @property
    def _has_room(self) -> bool:
        return len(self._out) < self._max_tasks and self._bytes < self._max_bytes

    def recovered(self) -> list[TaskContext]:
        """More of the tasks that were out."""
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
    """The tasks that were with handlers of this process, and those whose jobs it looks after: page by page."""
    after: tuple[Any, ...] | None = None
    while tasks := storage.scan(TaskContext, after=after, limit=TASK_PAGE):
        yield [task for task in tasks if _was_out(task)]
        after = (tasks[-1].id,)


def _was_out(task: TaskContext) -> bool:
    return not task.queue and (task.status == ACTIVE or (task.status == SUBMITTED and task.token is None))
