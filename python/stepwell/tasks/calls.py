"""Calls of handlers: a task as the partition hands it out, and its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct


class Call(Struct, frozen=True, array_like=True):
    """A task for a handler. ``deadline`` is its timeout, in microseconds since the epoch (0: none).

    ``limit`` is the name of the limit that the partition counts it for (empty: none), until its call begins or it ends.
    ``test_case`` is that of a mock file, by which its execution was started (empty: by none). ``started_at`` is when
    that was, and ``trace_header`` what it was started with.
    """

    id: str
    execution_id: str
    state_name: str
    resource: str
    input: bytes
    attempt: int
    token: str | None
    deadline: int
    execution_arn: str = ""
    state_machine_arn: str = ""
    limit: str = ""
    test_case: str = ""
    started_at: int = 0
    trace_header: str | None = None


class Result(NamedTuple):
    """The result of a task: an output as JSON text, or an error. ``submitted``: its token completes it later."""

    id: str
    resource: str
    output: bytes | None
    error: str | None
    cause: str | None
    submitted: bool
    follow: Callable[[], None] | None = None

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to record yet."""
        return self.output is None and self.follow is not None


class CallHandler(ABC):
    """A handler that gets the call itself, and what says whether its task has ended: it hands the call on."""

    @abstractmethod
    async def __call__(self, call: Call, is_over: Callable[[], bool]) -> Any:
        """Do the call. It is canceled when its task ends."""


class Deferred(Struct, frozen=True):
    """Returned by a handler of the engine's own for a task that it completes later, without a token.

    ``submitted`` is the first answer of the call (None: nothing); ``follow`` is called once that is in the inbox.
    """

    submitted: Any
    follow: Callable[[], None]


class Answered(Struct, frozen=True):
    """Returned by a handler that replaces a service: the whole result of the task.

    A task that would wait for a token or a job is submitted with it, and completed at once.
    """

    output: Any
