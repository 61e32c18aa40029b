"""Tasks that wait for a worker to poll them: those of AWS's activities (ASL A8)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from stepwell.engine.host.host import Host
from stepwell.engine.host.promises import Latch
from stepwell.engine.limits import AWS, Limits
from stepwell.engine.storage.contexts import QueueContext, TaskContext
from stepwell.errors import ApiError, WaitTimeout

LOOK_SECONDS = 1.0
"""How often a waiting poll reads the queue again: another poll may have been notified and have given up."""
POLLERS = 1000
"""How many workers may poll for one activity on AWS (ASL A15.72)."""
_PAGE = 64


class ActivityPolls:
    """The queues of a host. All polls share it, so that two polls do not take the same task."""

    def __init__(self, host: Host, limits: Limits) -> None:
        self._host = host
        self._max_pollers = POLLERS if limits.profile == AWS else None
        self._pollers: Counter[str] = Counter()
        self._claiming = threading.Lock()
        self._claimed: set[str] = set()

    @contextmanager
    def polling(self, queue: str) -> Generator[None]:
        """Counts a poll of a queue while it lasts. Raises ``ApiError`` if AWS would not accept another one."""
        with self._claiming:
            if self._max_pollers is not None and self._pollers[queue] >= self._max_pollers:
                text = f"{self._max_pollers} workers poll for {queue} already: on AWS that is the most"
                raise ApiError("ActivityWorkerLimitExceeded", text)
            self._pollers[queue] += 1
        try:
            yield
        finally:
            with self._claiming:
                self._pollers[queue] -= 1
                if not self._pollers[queue]:
                    del self._pollers[queue]

    def open_tasks(self, queue: str) -> Iterator[TaskContext]:
        """The tasks that wait in a queue and are not claimed by another poll, the oldest first."""
        self._host.check()
        storage = self._host.storage
        after: tuple[str, str] | None = None
        while rows := storage.scan(QueueContext, queue, after=after, limit=_PAGE):
            for row in rows:
                task = storage.get(TaskContext, row.task_id) if row.task_id not in self._claimed else None
                if task is not None:
                    yield task
            after = (queue, rows[-1].task_id)

    @contextmanager
    def claimed(self, task: TaskContext) -> Generator[bool]:
        """Claim a task while it is handed out; False if another poll has claimed it."""
        with self._claiming:
            is_ours = task.id not in self._claimed
            self._claimed.add(task.id)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._claimed.discard(task.id)

    def wait(self, queue: str, seconds: float) -> None:
        """Wait for a task in a queue, at most ``seconds``."""
        latch = Latch()
        answer = self._host.queues.add(queue, latch.deliver)
        try:
            if next(self.open_tasks(queue), None) is None:
                latch.wait(min(seconds, LOOK_SECONDS))
        except WaitTimeout:
            pass
        finally:
            self._host.queues.remove(queue, answer)
