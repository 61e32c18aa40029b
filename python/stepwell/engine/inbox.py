"""What comes into a partition and what goes out of it: requests, replies, tasks, time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from stepwell.errors import StepwellError
from stepwell.tasks.dispatch import Call

from .documents import Document
from .records import Command

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

    ``tasks`` is how many of them handlers of this process have at a time; further ones are held back on the log.
    ``map_result_bytes`` is how large the result of a distributed Map state without a ResultWriter may be (0: any size).
    ``retention`` is for how many seconds an execution is kept once it has ended (None: until it is deleted), unless
    its workflow was deployed with another one. After ``log_bytes`` of log storage is flushed, and the log cut.
    No document has more than ``document_bytes`` or is nested more than ``document_depth`` deep (None: as deep as
    Python's own limit has it, some 900); an execution that makes one fails.
    ``profile`` is whose quotas hold: "default" or "aws".
    """

    inbox: int = 100_000
    batch_requests: int = 1024
    turn_records: int = 4096
    turn_messages: int = 512
    batch_records: int = 8192
    restless_records: int = 10_000_000
    live_executions: int = 20_000
    tasks: int = 50_000
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
