"""The memory of a partition: live executions, timers, definitions, sequences.

Appliers change it, processors read it. It can be discarded at any time, because storage and log can restore it.
"""

from __future__ import annotations

from stepwell.engine.storage.contexts import TimerContext
from stepwell.engine.storage.storage import Storage

from .execution import LiveExecution
from .timers import TimerQueue
from .weights import weight_of
from .workflows import Workflows

LARGE = 16 << 10
"""Executions whose turns added so many bytes are measured. For smaller ones only their number is limited."""


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
        """Deleted executions that storage may still have."""
        self.names: dict[str, str] = {}
        """Idempotency key → execution, of executions that storage may not have yet."""
        self.task_owners: dict[str, str] = {}
        """Task → execution, of live executions."""
        self.last_task = 0
        self.weights: dict[str, int] = {}
        """The size of the documents of each large live execution."""
        self.weight = 0

    @classmethod
    def over(cls, storage: Storage, timers: int) -> PartitionState:
        """The memory for a storage, with ``timers`` of its timers read ahead."""
        return cls(Workflows.over(storage), TimerQueue(lambda limit: storage.scan(TimerContext, limit=limit), timers))

    def grow(self, execution: LiveExecution) -> None:
        """Measure an execution if its turns added much; a large one less often."""
        if execution.grown * 2 >= execution.weight:
            self.weigh(execution)

    def weigh(self, execution: LiveExecution) -> None:
        """Measure a live execution."""
        execution.weight, execution.grown = weight_of(execution), 0
        if execution.weight >= LARGE or execution.id in self.weights:
            self.weight += execution.weight - self.weights.get(execution.id, 0)
            self.weights[execution.id] = execution.weight

    def reweigh(self) -> list[str]:
        """Drop the sizes of executions that are not live. Returns the ids of the others, the oldest sizes first."""
        self.weights = {id: weight for id, weight in self.weights.items() if id in self.executions}
        self.weight = sum(self.weights.values())
        return list(self.weights)

    def unload(self, execution_id: str) -> None:
        """Drop a live execution. It is loaded from storage when it is needed again."""
        execution = self.executions.pop(execution_id)
        self.weight -= self.weights.pop(execution_id, 0)
        for task_id in execution.tasks:
            self.task_owners.pop(task_id, None)

    def forget(self) -> None:
        """Drop all live executions; storage has them."""
        self.executions.clear()
        self.deleted.clear()
        self.names.clear()
        self.task_owners.clear()
        self.weights.clear()
        self.weight = 0
