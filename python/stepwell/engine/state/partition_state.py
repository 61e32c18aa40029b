"""What a partition knows beside its storage: live executions, timers, definitions, sequences.

Appliers change it; processors read it. It can be lost at any time: storage and log give it back.
"""

from __future__ import annotations

from stepwell.engine.storage.contexts import TimerContext
from stepwell.engine.storage.storage import Storage

from .execution import LiveExecution
from .timers import TimerQueue
from .weights import weight_of
from .workflows import Workflows

LARGE = 16 << 10
"""Executions whose turns brought so many bytes are weighed; smaller ones are bounded by their number."""


class PartitionState:
    """The memory of a partition."""

    __slots__ = (
        "deleted",
        "executions",
        "last_task",
        "names",
        "task_owners",
        "timers",
        "weight",
        "weights",
        "workflows",
    )

    def __init__(self, workflows: Workflows, timers: TimerQueue) -> None:
        self.workflows = workflows
        self.timers = timers
        self.executions: dict[str, LiveExecution] = {}
        self.deleted: set[str] = set()
        """Executions that storage may still have."""
        self.names: dict[str, str] = {}
        """Idempotency key → execution, of executions that storage may not have yet."""
        self.task_owners: dict[str, str] = {}
        """Task → execution, of live executions."""
        self.last_task = 0
        self.weights: dict[str, int] = {}
        """What the documents of large live executions take."""
        self.weight = 0

    @classmethod
    def over(cls, storage: Storage, timers: int) -> PartitionState:
        """The memory over a storage, with ``timers`` of its timers read ahead."""
        return cls(Workflows.over(storage), TimerQueue(lambda limit: storage.scan(TimerContext, limit=limit), timers))

    def grow(self, execution: LiveExecution) -> None:
        """An execution's turns brought so much that it may hold more: it is weighed, a large one less often."""
        if execution.grown * 2 >= execution.weight:
            self.weigh(execution)

    def weigh(self, execution: LiveExecution) -> None:
        """Weigh a live execution."""
        execution.weight, execution.grown = weight_of(execution), 0
        if execution.weight >= LARGE or execution.id in self.weights:
            self.weight += execution.weight - self.weights.get(execution.id, 0)
            self.weights[execution.id] = execution.weight

    def reweigh(self) -> list[str]:
        """Weigh only executions that are live still; which these are, those that were weighed first before others."""
        self.weights = {id: weight for id, weight in self.weights.items() if id in self.executions}
        self.weight = sum(self.weights.values())
        return list(self.weights)

    def unload(self, execution_id: str) -> None:
        """A live execution is to be loaded from storage when something happens to it."""
        execution = self.executions.pop(execution_id)
        self.weight -= self.weights.pop(execution_id, 0)
        for task_id in execution.tasks:
            self.task_owners.pop(task_id, None)

    def forget(self) -> None:
        """Lose the live executions; storage has them."""
        self.executions.clear()
        self.deleted.clear()
        self.names.clear()
        self.task_owners.clear()
        self.weights.clear()
        self.weight = 0
