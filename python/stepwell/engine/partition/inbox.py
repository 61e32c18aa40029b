"""The inbox of a partition, and the interfaces around it: requests, replies, tasks, time."""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol, TypeAlias

from stepwell.engine.limits import Limits
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CancelExecutionCommand,
    Command,
    FailTaskCommand,
    PutWorkflowCommand,
    RedriveExecutionCommand,
)
from stepwell.engine.state.turn import Reply
from stepwell.errors import Busy, StepwellError
from stepwell.tasks.dispatch import Call


class Clock(Protocol):
    """Physical time, in microseconds since the Unix epoch."""

    def now(self) -> int:
        """The current time."""
        ...


class Dispatcher(Protocol):
    """Takes tasks for handlers of this process, once they are durable."""

    def dispatch(self, tasks: list[Call]) -> None:
        """Dispatch tasks. Their results come back through the inbox."""
        ...

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls ``queue``."""
        ...


Request: TypeAlias = tuple[Command, Document, Reply | None]
"""A command in the inbox, its document, and who gets its result. There is one for each step: so it is no class."""


class Rejected(StepwellError):
    """A command that came too late, or for something that does not exist."""


class NameTaken(StepwellError):
    """The name belongs to another execution."""

    def __init__(self, execution_id: str, status: str) -> None:
        super().__init__(f"the name belongs to execution {execution_id} ({status})")
        self.execution_id, self.status = execution_id, status


_LARGE = 4096
"""Documents of at least this size are counted; smaller ones are limited by the number of commands."""
_WITH_TEXTS = frozenset({FailTaskCommand, CancelExecutionCommand, PutWorkflowCommand, RedriveExecutionCommand})
"""Commands that may be large without a document."""


class Inbox:
    """Requests that wait for the partition. Any thread adds them; the partition's thread takes them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._counting = threading.Lock()

    def __len__(self) -> int:
        return len(self._requests)

    def submit(self, request: Request) -> None:
        """Add a request. Raises ``Busy`` if the limits are reached; one request is always accepted."""
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
        """Add results of handlers. They are always accepted, because the work is done."""
        size = sum([_size(each) for each in requests if not 0 < len(each[1].text) < _LARGE])
        if size:
            with self._counting:
                self._bytes += size
        self._requests.extend(requests)

    def take(self, limit: int, max_bytes: int) -> list[Request]:
        """Take the next requests: at most ``limit``, and at most so many bytes, but at least one."""
        queue = self._requests
        if not self._bytes:
            return [queue.popleft() for _ in range(min(limit, len(queue)))]
        taken: list[Request] = []
        size = 0
        while queue and len(taken) < limit and size < max_bytes:
            taken.append(queue.popleft())
            size += _size(taken[-1])
        with self._counting:
            self._bytes -= size
        return taken


def _size(request: Request) -> int:
    """The size of a request that counts: its document, or other fields that may be large."""
    command, document, _ = request
    size = len(document.text)
    if size:
        return size if size >= _LARGE else 0
    if type(command) not in _WITH_TEXTS:
        return 0
    if isinstance(command, FailTaskCommand | CancelExecutionCommand):
        size = len(command.error or "") + len(command.cause or "")
    elif isinstance(command, PutWorkflowCommand):
        size = len(command.definition)
    elif isinstance(command, RedriveExecutionCommand):
        size = len(command.tree) + len(command.left)
    return size if size >= _LARGE else 0
