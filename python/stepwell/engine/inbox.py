"""What comes into a partition and what goes out of it: requests, replies, tasks, time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from stepwell.errors import Busy, StepwellError
from stepwell.tasks.dispatch import Call

from .documents import Document
from .records import (
    CancelExecutionCommand,
    Command,
    FailTaskCommand,
    PutWorkflowCommand,
    RedriveExecutionCommand,
)

Reply = Callable[[Any, BaseException | None], None]
"""Takes what a command came to: a result, or why it was refused."""


class Clock(Protocol):
    """Physical time, in microseconds since the Unix epoch."""

    def now(self) -> int:
        """The time."""
        ...


class Dispatcher(Protocol):
    """Where tasks for handlers of this process go, once they are durable."""

    def dispatch(self, tasks: list[Call]) -> None:
        """Begin the work; the results come back through the inbox."""
        ...

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls ``queue``."""
        ...


class Request(NamedTuple):
    """A command at the inbox."""

    command: Command
    document: Document
    reply: Reply | None


class Limits(NamedTuple):
    """What bounds a partition's memory and the length of its turns; ``timers`` is how many are read ahead.

    ``inbox`` is how many commands may wait, ``inbox_bytes`` how much their documents may have together. Of live
    executions ``live_executions`` stay in memory while they rest, and large ones only while their documents have
    no more than ``live_bytes`` together.
    A turn goes on in the next batch once it has ``turn_records`` or ``turn_bytes``; a batch takes no more turns once it
    has ``batch_records`` or ``batch_bytes``. The iterations of inline Maps run at a time only as far as their inputs
    have ``fan_out_bytes`` together, in one execution, and one of each Map at least. An execution whose documents have
    more than ``execution_bytes`` together fails.
    ``tasks`` is how many of them handlers of this process have at a time, and ``task_bytes`` what their inputs may have
    together; further ones are held back on the log.
    ``map_result_bytes`` is how large the result of a distributed Map state without a ResultWriter may be (0: any size).
    ``retention`` is for how many seconds an execution is kept once it has ended (None: until it is deleted), unless
    its workflow was deployed with another one. After ``log_bytes`` of log storage is flushed, and the log cut.
    No document has more than ``document_bytes`` or is nested more than ``document_depth`` deep (None: as deep as
    Python's own limit has it, some 900); an execution that makes one fails.
    ``profile`` is whose quotas hold: "default" or "aws".
    """

    inbox: int = 100_000
    inbox_bytes: int = 256 << 20
    batch_requests: int = 1024
    turn_records: int = 4096
    turn_messages: int = 512
    turn_bytes: int = 16 << 20
    batch_records: int = 8192
    batch_bytes: int = 32 << 20
    fan_out_bytes: int = 32 << 20
    execution_bytes: int = 512 << 20
    restless_records: int = 10_000_000
    live_executions: int = 20_000
    live_bytes: int = 256 << 20
    tasks: int = 50_000
    task_bytes: int = 256 << 20
    timers: int = 10_000
    map_result_bytes: int = 0
    retention: float | None = None
    profile: str = "default"
    log_bytes: int = 32 << 20
    document_bytes: int = 64 << 20
    document_depth: int | None = None


class Rejected(StepwellError):
    """A command that came too late, or for something that is not there."""


class NameTaken(StepwellError):
    """The name belongs to another execution."""

    def __init__(self, execution_id: str, status: str) -> None:
        super().__init__(f"the name belongs to execution {execution_id} ({status})")
        self.execution_id, self.status = execution_id, status


_LARGE = 4096
"""Documents of so many bytes are counted; smaller ones are bounded by the number of commands."""


class Inbox:
    """Requests that wait for the partition. Any thread puts them in; the partition's takes them out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._counting = threading.Lock()

    def __len__(self) -> int:
        return len(self._requests)

    def submit(self, request: Request) -> None:
        """Put in what somebody asks for. Raises ``Busy`` where there is no room; one request always has room."""
        if len(self._requests) >= self._limits.inbox:
            raise Busy(f"the inbox holds {self._limits.inbox} commands; try again later")
        size = _size(request)
        if size:
            with self._counting:
                if self._bytes and self._bytes + size > self._limits.inbox_bytes:
                    raise Busy(f"the inbox holds documents of {self._bytes} bytes; try again later")
                self._bytes += size
        self._requests.append(request)

    def answer(self, requests: list[Request]) -> None:
        """Put in what handlers made of tasks: there is always room, for their work is done."""
        size = sum([_size(each) for each in requests if not 0 < len(each.document.text) < _LARGE])
        if size:
            with self._counting:
                self._bytes += size
        self._requests.extend(requests)

    def take(self, limit: int, most_bytes: int) -> list[Request]:
        """Take out the next requests: no more than ``limit``, nor than have so many bytes; one at least."""
        queue = self._requests
        if not self._bytes:
            return [queue.popleft() for _ in range(min(limit, len(queue)))]
        taken: list[Request] = []
        size = 0
        while queue and len(taken) < limit and size < most_bytes:
            taken.append(queue.popleft())
            size += _size(taken[-1])
        with self._counting:
            self._bytes -= size
        return taken


def _size(request: Request) -> int:
    """What counts of a request: its document, or what else it holds that may be large."""
    size = len(request.document.text)
    if size:
        return size if size >= _LARGE else 0
    command = request.command
    if isinstance(command, FailTaskCommand | CancelExecutionCommand):
        size = len(command.error or "") + len(command.cause or "")
    elif isinstance(command, PutWorkflowCommand):
        size = len(command.definition)
    elif isinstance(command, RedriveExecutionCommand):
        size = len(command.tree) + len(command.left)
    return size if size >= _LARGE else 0
