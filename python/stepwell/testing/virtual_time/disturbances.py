"""What may go wrong between two steps of the engine, as ``explore`` lets it happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stepwell.errors import Closed
from stepwell.tasks.calls import Call

from .pool import Job


class Crashed(Closed):
    """The process has died, as far as the engine can tell. Whoever drives it opens it again."""


class Disturbance(Protocol):
    """Decides what goes wrong. Each decision is taken once, in the order in which things happen."""

    def pick(self, jobs: Sequence[Job]) -> int:
        """Which of the calls that wait is the next."""
        ...

    def crashes_after_batch(self) -> bool:
        """Whether the process dies now: a batch is durable, and nobody has heard of it."""
        ...

    def crashes_before_result(self, call: Call) -> bool:
        """Whether the process dies now: a handler has returned, and its result is not recorded."""
        ...

    def lateness(self, call: Call, deadline: int, now: int) -> int:
        """How late a result arrives, in microseconds (0: at once). The task times out at ``deadline`` (0: never)."""
        ...

    def repeats(self, call: Call) -> bool:
        """Whether a result arrives twice."""
        ...
