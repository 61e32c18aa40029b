"""Live executions: the rows of storage as a tree that processors read and appliers change.

An execution has one running state at a time. A Parallel or Map state has branches or iterations, and each of these
has one running state at a time. Whatever has a running state is a ``Level``. At the end of a turn rows are made from
the tree; when an execution is loaded, the tree is made from rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeGuard

from msgspec import Struct

from stepwell.asl.json import dumps, loads
from stepwell.engine.arns import arn_of
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.storage.contexts import (
    ActivityBranchStatus,
    ActivityContext,
    ActivityIterationStatus,
    BranchContext,
    Context,
    ExecutionContext,
    IterationContext,
    TaskContext,
)

from .map_run import MapRun
from .workflows import Workflow

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine
    from stepwell.asl.states import MapState, ParallelState, State, TaskState, WaitState

_NO_VARIABLES: dict[str, Any] = {}


class Level:
    """Where states run one after the other: an execution, a branch or an iteration.

    Its next history event follows ``previous_event`` (ASL A11.55).
    """

    __slots__ = ("current", "id", "input", "merged", "output", "parent", "previous_event", "status", "variables")

    id: str
    status: str

    def __init__(self, id: str, parent: Activity | None, input: Document, status: str) -> None:
        self.id, self.parent, self.input, self.status = id, parent, input, status
        self.current: Activity | None = None
        self.output = NONE
        self.previous_event = 0
        self.variables: dict[str, Any] = _NO_VARIABLES
        self.merged: dict[str, Any] | None = None

    def row(self) -> Context:
        """The row of storage that holds it."""
        raise NotImplementedError

    def assign(self, variables: dict[str, Any]) -> None:
        """Set variables of this level (ASL A5.29)."""
        self.variables = {**self.variables, **variables}
        self.merged = None

    def forget(self) -> None:
        """It has ended: drop its input and variables."""
        self.input = NONE
        self.variables, self.merged = _NO_VARIABLES, None

    def visible_variables(self) -> dict[str, Any]:
        """The variables that an expression here may read: this level's and those of the levels around it."""
        if self.parent is None:
            return self.variables
        if self.merged is None:
            outer = self.parent.level.visible_variables() if self.parent.shares_variables else _NO_VARIABLES
            self.merged = {**outer, **self.variables} if outer else self.variables
        return self.merged


class LiveExecution(Level):
    """A live execution: the root of the tree, and an index of its parts."""

    __slots__ = (
        "activities",
        "arn",
        "context",
        "grown",
        "iteration_bytes",
        "levels",
        "position",
        "tasks",
        "weight",
        "workflow",
    )

    def __init__(self, context: ExecutionContext, workflow: Workflow, input: Document) -> None:
        super().__init__(context.id, None, input, context.status)
        self.context = context
        self.workflow = workflow
        self.arn = ""
        """Its ARN, once it was made."""
        self.activities: dict[str, Activity] = {}
        self.levels: dict[str, Branch | Iteration] = {}
        self.tasks: dict[str, TaskContext] = {}
        self.position = 0
        self.weight = self.grown = 0
        """About the size of its documents when they were measured last, and what its turns have added since."""
        self.iteration_bytes = 0
        """The size of the inputs of its running iterations."""
        self.previous_event = context.previous_event
        if context.variables:
            self.variables = loads(context.variables)

    def make_arn(self) -> str:
        """Its ARN, also kept in ``arn``. It is made only when a state needs it, because few do."""
        context = self.context
        self.arn = arn_of(self.workflow.name, context.type, context.name, context.id)
        return self.arn

    @property
    def machine(self) -> StateMachine:
        """The compiled definition that it began with."""
        return self.workflow.machine

    def row(self) -> ExecutionContext:
        context = self.context
        context.status = self.status
        context.previous_event = self.previous_event
        output = self.output
        context.output = output.text if output is not NONE else b""
        if self.variables is not _NO_VARIABLES:
            context.variables = dumps(self.variables)
        return context

    def level(self, id: str) -> Level | None:
        """The execution itself, a branch or an iteration by its id."""
        return self if id == self.id else self.levels.get(id)


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S = TypeVar("S", bound=State, default=State, covariant=True)
else:
    from typing import TypeVar

    S = TypeVar("S")


class Activity(Struct, Generic[S], eq=False):
    """A running state, of type ``S``. The events of its first branches or iterations follow ``forked_event``."""

    id: str
    execution: LiveExecution
    level: Level
    state: S
    input: Document
    entered_at: int
    entered_event: int
    entered_previous: int
    attempt: int = 0
    retries: tuple[int, ...] = ()
    task_id: str | None = None
    timer_kind: int = 0
    timer_due: int = 0
    forked_event: int = 0
    branch_status: ActivityBranchStatus | None = None
    iteration_status: ActivityIterationStatus | None = None
    items: Document | None = None
    children: dict[int, Branch | Iteration] | None = None
    output_bytes: int = 0
    """The size of the outputs of its branches or iterations."""
    map_run: MapRun | None = None

    @property
    def shares_variables(self) -> bool:
        """Whether its children see the variables around it: not in a Distributed Map (ASL A5.29)."""
        return not self.state.distributed

    def row(self) -> ActivityContext:
        level = self.level
        return ActivityContext(
            self.id,
            self.state.name,
            self.input.text,
            level.id if isinstance(level, Branch) else None,
            level.id if isinstance(level, Iteration) else None,
            self.entered_at,
            self.entered_event,
            self.forked_event,
            self.attempt,
            self.retries,
            self.task_id,
            self.timer_kind,
            self.timer_due,
            self.branch_status,
            self.iteration_status,
            self.entered_previous,
        )


class Branch(Level):
    """A branch of a running Parallel state."""

    __slots__ = ("index",)

    def __init__(self, id: str, index: int, parent: Activity, input: Document, status: str) -> None:
        super().__init__(id, parent, input, status)
        self.index = index

    def row(self) -> BranchContext:
        return BranchContext(
            self.id, self.index, self.input.text, self.status, self.previous_event, self.output.text, _packed(self)
        )


class Iteration(Level):
    """An iteration of a running Map state."""

    __slots__ = ("index",)

    def __init__(self, id: str, index: int, parent: Activity, input: Document, status: str) -> None:
        super().__init__(id, parent, input, status)
        self.index = index

    def row(self) -> IterationContext:
        return IterationContext(
            self.id, self.index, self.input.text, self.status, self.previous_event, self.output.text, _packed(self)
        )


def is_task(activity: Activity) -> TypeGuard[Activity[TaskState]]:
    """Whether it is a running Task state."""
    return activity.state.type == "Task"


def is_wait(activity: Activity) -> TypeGuard[Activity[WaitState]]:
    """Whether it is a running Wait state."""
    return activity.state.type == "Wait"


def is_parallel(activity: Activity) -> TypeGuard[Activity[ParallelState]]:
    """Whether it is a running Parallel state."""
    return activity.state.type == "Parallel"


def is_map(activity: Activity) -> TypeGuard[Activity[MapState]]:
    """Whether it is a running Map state, distributed or not."""
    return activity.state.type == "Map"


def _packed(level: Level) -> bytes:
    return dumps(level.variables) if level.variables is not _NO_VARIABLES else b""


def running_children(activity: Activity) -> Iterator[Branch | Iteration]:
    """The branches or iterations of a state that are still running, in order."""
    for child in (activity.children or {}).values():
        if child.status == "Running":
            yield child
