"""Tasks that wait for a worker to poll them: those of AWS's activities (ASL A8)."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

from msgspec import structs

from stepwell.engine.host.host import MOCKED, Host
from stepwell.engine.host.promises import Latch
from stepwell.engine.limits import AWS, Limits
from stepwell.engine.status import ACTIVE, CREATED
from stepwell.engine.storage.contexts import QueueContext, TaskContext, place_of
from stepwell.engine.storage.task_tokens import TaskOfToken
from stepwell.errors import ApiError, WaitTimeout

LOOK_SECONDS = 1.0
"""How often a waiting poll reads the queue again: another poll may have been notified and have given up."""
POLLERS = 1000
"""How many workers may poll for one activity on AWS (ASL A15.72)."""
_PAGE = 256
_QUEUES = 64
"""How many queues are read ahead while nobody polls them."""
_TOKENS = 10_000
"""How many tasks are known by their tokens."""


class ActivityPolls:
    """The queues of a host. All polls share it, so that two polls do not take the same task.

    Tasks are read ahead, a page at a time: each poll that read the queue itself would read past the tasks that other
    polls are about to take.
    """

    def __init__(self, host: Host, limits: Limits) -> None:
        self._host = host
        self._max_pollers = POLLERS if limits.profile == AWS else None
        self._pollers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._ahead: dict[str, deque[str]] = {}
        """Tasks that were in the queue when it was read, by its name: first in, first out."""
        self._read_to: dict[str, tuple[str, int, str]] = {}
        """The last task that was read of a queue."""
        self._claimed: set[str] = set()
        """Tasks that a poll is handing out."""
        self._returned: dict[str, deque[TaskContext]] = {}
        """Tasks that were handed out to a worker that had gone."""
        self._of_token: OrderedDict[str, TaskOfToken] = OrderedDict()  # a dict looks long for its first key
        """The tasks that were handed out last: their results need not read them again."""
        self.is_mocked: Callable[[TaskContext], bool] | None = None
        """Whether a mock file answers a task."""

    @contextmanager
    def polling(self, queue: str) -> Generator[None]:
        """Counts a poll of a queue while it lasts. Raises ``ApiError`` if AWS would not accept another one."""
        self.begin(queue)
        try:
            yield
        finally:
            self.end(queue)

    def begin(self, queue: str) -> None:
        """A poll begins. Raises ``ApiError`` if AWS would not accept another one."""
        with self._lock:
            if self._max_pollers is not None and self._pollers[queue] >= self._max_pollers:
                text = f"{self._max_pollers} workers poll for {queue} already: on AWS that is the most"
                raise ApiError("ActivityWorkerLimitExceeded", text)
            self._pollers[queue] += 1

    def end(self, queue: str) -> None:
        """A poll ends."""
        with self._lock:
            self._pollers[queue] -= 1
            if not self._pollers[queue]:
                del self._pollers[queue]
                if len(self._ahead) > _QUEUES:
                    self._ahead.pop(queue, None)
                    self._read_to.pop(queue, None)

    def pollers(self, queue: str) -> int:
        """How many polls of a queue wait."""
        return self._pollers[queue]

    # tasks

    def claim(self, queue: str) -> TaskContext | None:
        """A task of a queue, which no other poll gets until it is released; None: there is none.

        It is to be handed out, unless it is ``Active``: then it was, to a worker that had gone.
        """
        self._host.check()
        with self._lock:
            task = self._next_returned(queue) or self._next(queue)
            if task is not None:
                self._claimed.add(task.id)
                self._keep_token(task)
            return task

    def _keep_token(self, task: TaskContext) -> None:
        if task.token is not None:
            self._of_token[task.token] = TaskOfToken(task.id, task.resource)
            if len(self._of_token) > _TOKENS:
                self._of_token.popitem(last=False)

    def task_of_token(self, token: str) -> TaskOfToken | None:
        """The task of a token, if it was handed out a short time ago. It may be closed since."""
        return self._of_token.get(token)

    def release(self, task: TaskContext) -> None:
        """A claimed task was handed out, or need not be."""
        self._claimed.discard(task.id)

    def give_back(self, queue: str, task: TaskContext) -> None:
        """A task was handed out, and its worker has gone before it heard of it: the next poll gets it.

        Only memory knows: if the process ends, the task is like one whose worker has died.
        """
        returned = structs.replace(task, status=ACTIVE)
        with self._lock:
            self._returned.setdefault(queue, deque()).append(returned)
        self._host.queued(queue)

    def _next_returned(self, queue: str) -> TaskContext | None:
        returned = self._returned.get(queue)
        while returned:
            task = returned.popleft()
            if not returned:
                del self._returned[queue]
            if self._host.storage.get(TaskContext, task.id) is not None:  # else it was closed meanwhile
                return task
        return None

    def _next(self, queue: str) -> TaskContext | None:
        while self._fill(queue):
            id = self._ahead[queue].popleft()
            task = self._host.storage.get(TaskContext, id) if id not in self._claimed else None
            if task is not None and task.status == CREATED:
                return task
        return None

    def _fill(self, queue: str) -> bool:
        """Read the queue, if nothing is read ahead; whether it has tasks.

        New tasks are behind those that were read. But a batch may be applied after another one that began later, so
        the queue is read from its beginning if there is nothing behind them.
        """
        ahead = self._ahead.get(queue)
        if ahead is None:
            ahead = self._ahead[queue] = deque()
        if ahead:
            return True
        last = self._read_to.get(queue)
        if last is not None:
            self._read(queue, ahead, last)
        if not ahead:
            self._read(queue, ahead, None)
        return bool(ahead)

    def _read(self, queue: str, ahead: deque[str], after: tuple[str, int, str] | None) -> None:
        """Read a page of tasks that nobody has claimed, from behind ``after``."""
        while not ahead:
            rows = self._host.storage.scan(QueueContext, queue.removeprefix(MOCKED), after=after, limit=_PAGE)
            ahead.extend(row.task_id for row in rows if row.task_id not in self._claimed and self._fits(row, queue))
            if rows:
                self._read_to[queue] = after = place_of(rows[-1])
            if len(rows) < _PAGE:
                return

    def _fits(self, row: QueueContext, queue: str) -> bool:
        """Whether the polls of a queue get a task, or its mocks do."""
        if self.is_mocked is None:
            return True
        task = self._host.storage.get(TaskContext, row.task_id)
        return task is not None and self.is_mocked(task) == queue.startswith(MOCKED)

    # waiting

    def has_tasks(self, queue: str) -> bool:
        """Whether a poll would find a task, as far as is known without reading it."""
        with self._lock:
            return bool(self._returned.get(queue)) or self._fill(queue)

    def wait(self, queue: str, seconds: float) -> None:
        """Wait for a task in a queue, at most ``seconds``."""
        latch = Latch()
        answer = self._host.queues.add(queue, latch.deliver)
        try:
            if not self.has_tasks(queue):
                latch.wait(min(seconds, LOOK_SECONDS))
        except WaitTimeout:
            pass
        finally:
            self._host.queues.remove(queue, answer)
