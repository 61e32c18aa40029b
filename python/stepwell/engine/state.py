"""What a partition knows beside its storage: live executions, timers, definitions, sequences.

Appliers change it; processors read it. It can be lost at any time: storage and log give it back.
"""

from __future__ import annotations

from .live import Execution
from .timers import TimerQueue
from .workflows import Workflows


class PartitionState:
    """The memory of a partition."""

    __slots__ = ("deleted", "executions", "last_task", "names", "task_owners", "timers", "workflows")

    def __init__(self, workflows: Workflows, timers: TimerQueue) -> None:
        self.workflows = workflows
        self.timers = timers
        self.executions: dict[str, Execution] = {}
        self.deleted: set[str] = set()
        """Executions that storage may still have."""
        self.names: dict[str, str] = {}
        """Idempotency key → execution, of executions that storage may not have yet."""
        self.task_owners: dict[str, str] = {}
        """Task → execution, of live executions."""
        self.last_task = 0

    def forget(self) -> None:
        """Lose the live executions; they wake from storage."""
        self.executions.clear()
        self.deleted.clear()
        self.names.clear()
        self.task_owners.clear()
