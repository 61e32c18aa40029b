"""The services of a partition that processors use, and appliers never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stepwell.asl.resources import Resource
from stepwell.engine.limits import Limits
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import Command, RedriveExecutionCommand
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.tasks.limits import Limit

from .execution import LiveExecution

Effect = tuple[Any, ...]
"""``(function, argument, …)``: called once the turn is durable."""


class AskingTurn(Protocol):
    """The part of a turn that services need."""

    execution_id: str
    execution: LiveExecution | None
    now: int
    effects: list[Effect]

    def send(self, execution_id: str, command: Command, document: Document = NONE) -> None:
        """Send a command to another execution."""
        ...


class Services(Protocol):
    """The part of a partition that its processors see."""

    limits: Limits
    random: Callable[[], float]
    """A number from 0 to 1, for the jitter of retries."""
    task_id: Callable[[str, str], str]
    """The next id of a task, by its execution and its resource."""
    admits: Callable[[int], bool]
    """Whether a new task with an input of so many bytes may be handed out at once; else it is to be held back."""
    handler_limits: dict[str, Limit[Any]]
    """The limits that handlers have or had."""

    def queue_of(self, execution_id: str, resource: Resource, document: Document) -> str:
        """The queue of a new task whose handler may have a limit; empty if it may be handed out at once."""
        ...

    is_alone: bool
    """Whether it is the only partition: of several, another one may need what this one needs no more."""

    def reserve_ids(self, turn: AskingTurn, count: int) -> int:
        """The first of ``count`` timestamps that only a map run uses: the ids of its child executions.

        All are later than the timestamp in the id of the turn's execution, so that no child gets its parent's id.
        """
        ...

    def task_token(self, task_id: str) -> str:
        """A token for a task."""
        ...

    def activated(self, turn: AskingTurn, task: TaskContext) -> None:
        """A task was activated: a handler of this process is called, unless a worker polled for it."""
        ...

    def queued(self, queue: str) -> None:
        """A task waits for a worker, or for capacity."""
        ...

    def abandon(self, turn: AskingTurn, task: TaskContext) -> None:
        """A task was abandoned: its handler is canceled, and the execution that it waits for in the same batch."""
        ...

    def longest_seconds(self, type: str, given: int | None) -> int | None:
        """For how long an execution may run; None: without limit."""
        ...

    def ended(self, turn: AskingTurn, execution: LiveExecution) -> None:
        """An execution has ended."""
        ...

    def deleted(self, turn: AskingTurn, execution_id: str) -> None:
        """An execution was deleted."""
        ...

    def retention_of(self, execution: LiveExecution) -> int | None:
        """For how many microseconds an execution is kept after its end; None: until it is deleted."""
        ...

    def named(self, key: str) -> str | None:
        """The execution that has a name, by the name's key."""
        ...

    def statuses_of(self, workflow: str) -> set[str]:
        """The statuses of the executions of a workflow that storage has and that were not deleted."""
        ...

    def had_map_runs(self, execution: LiveExecution) -> bool:
        """Whether an ended execution started a map run, as far as storage knows."""
        ...

    def children_of(self, execution: LiveExecution, limit: int) -> list[str]:
        """Some of the child executions of an ended execution that still exist."""
        ...

    def ended_child(self, execution_id: str) -> ExecutionContext | None:
        """The row of a child execution that ended before its map run was redriven; None if it was deleted."""
        ...

    def redrive_of(self, execution_id: str, child_id: str) -> RedriveExecutionCommand:
        """The command that continues a child execution of a map run."""
        ...
