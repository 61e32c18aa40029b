"""Live executions: the contexts of storage as a tree that processors read and appliers change.

An execution has one running state at a time; a Parallel or Map state has branches or iterations,
each of which has one running state at a time. What has a running state is a ``Level``.
Rows are made of it at the end of a turn, and it is made of rows when an execution wakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from stepwell.asl.json import dumps, loads

from .contexts import (
    ActivityBranchStatus,
    ActivityContext,
    ActivityIterationStatus,
    BranchContext,
    Context,
    ExecutionContext,
    ItemsContext,
    IterationContext,
    MapChildContext,
    MapRunContext,
    TaskContext,
)
from .documents import NONE, Document
from .map_run import PENDING_REDRIVE, MapChild, MapItems, MapRun, activity_of, run_of
from .workflows import Workflow

if TYPE_CHECKING:
    from stepwell.asl.definition import StateMachine

_NO_VARIABLES: dict[str, Any] = {}


class Level:
    """Where states run one after the other: an execution, a branch or an iteration.

    ``previous_event`` is the history event that its next one follows (ASL A11.55).
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

    def assign(self, variables: dict[str, Any]) -> None:
        """Set variables of this level (ASL A5.29)."""
        self.variables = {**self.variables, **variables}
        self.merged = None

    def forget(self) -> None:
        """It has ended: what it began with is of no use any more."""
        self.input = NONE
        self.variables, self.merged = _NO_VARIABLES, None

    def visible_variables(self) -> dict[str, Any]:
        """What an expression here may read: this level's variables and those around it."""
        if self.parent is None:
            return self.variables
        if self.merged is None:
            outer = self.parent.level.visible_variables() if self.parent.shares_variables else _NO_VARIABLES
            self.merged = {**outer, **self.variables} if outer else self.variables
        return self.merged


class Execution(Level):
    """A live execution: the root of the tree, and the index of what is in it."""

    __slots__ = (
        "activities",
        "arn",
        "context",
        "documents",
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
        """Its ARN, once a handler was told it."""
        self.activities: dict[str, Activity] = {}
        self.levels: dict[str, Branch | Iteration] = {}
        self.tasks: dict[str, TaskContext] = {}
        self.position = 0
        self.weight = self.grown = 0
        """About what its documents take, as it was weighed last, and what its turns brought since."""
        self.iteration_bytes = 0
        """What the inputs of its running iterations take."""
        self.previous_event = context.previous_event
        if context.variables:
            self.variables = loads(context.variables)

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


class Activity(Struct, eq=False):
    """A running state. ``forked_event`` is the event that its first branches or iterations follow."""

    id: str
    execution: Execution
    level: Level
    state: Any
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
    """What the outputs of its branches or iterations take."""
    map_run: MapRun | None = None

    @property
    def shares_variables(self) -> bool:
        """Whether its children see the variables around it: those of a Distributed Map do not (ASL A5.29)."""
        return not getattr(self.state, "distributed", False)

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


def _packed(level: Level) -> bytes:
    return dumps(level.variables) if level.variables is not _NO_VARIABLES else b""


def descendants(activity: Activity) -> Iterator[Branch | Iteration]:
    """The branches or iterations of a state that still run, in order."""
    for child in (activity.children or {}).values():
        if child.status == "Running":
            yield child


def wake(rows: Iterable[Context], workflow: Workflow, tasks: Iterable[TaskContext]) -> Execution:
    """The live execution that ``rows`` describe."""
    contexts = list(rows)
    root = next(row for row in contexts if isinstance(row, ExecutionContext))
    execution = Execution(root, workflow, Document(root.input))
    execution.output = Document(root.output) if root.output else NONE
    restore(execution, contexts)
    execution.tasks = {task.id: task for task in tasks}
    return execution


def restore(execution: Execution, rows: Iterable[Context]) -> None:
    """Put the running states that ``rows`` describe, with their branches and iterations, into an execution."""
    contexts = list(rows)
    activities = {row.id: row for row in contexts if isinstance(row, ActivityContext)}
    children: dict[str, list[BranchContext | IterationContext]] = {}
    for row in contexts:
        if isinstance(row, BranchContext):
            children.setdefault(activity_of(row.branch_id), []).append(row)
        elif isinstance(row, IterationContext):
            children.setdefault(activity_of(row.iteration_id), []).append(row)
    items = {row.activity_id: row for row in contexts if isinstance(row, ItemsContext)}
    for id in sorted(activities):  # a parent is older than what runs in it
        _wake_activity(execution, activities[id], children.get(id, []), items.get(id))
    _restore_map_runs(execution, contexts, items)


def _restore_map_runs(execution: Execution, rows: list[Context], items: dict[str, ItemsContext]) -> None:
    runs: dict[str, MapRun] = {}
    for row in rows:
        if isinstance(row, MapRunContext) and row.status == "Running":
            activity = execution.activities[activity_of(row.id)]
            activity.map_run = runs[row.id] = MapRun(row)
            activity.items = None
            found = items.get(activity.id)
            activity.map_run.items = MapItems(Document(found.items), found.parts) if found is not None else None
    for row in rows:
        if isinstance(row, MapChildContext) and (run := runs.get(run_of(row.id))) is not None:
            output = Document(row.output) if row.output else NONE
            run.output_bytes += len(row.output)
            run.children[row.first] = MapChild(row.id, row.first, row.items, row.status, output, row.number)
    for run in runs.values():
        run.waiting.extend(sorted(first for first, child in run.children.items() if child.status == PENDING_REDRIVE))


def _wake_activity(
    execution: Execution,
    row: ActivityContext,
    children: list[BranchContext | IterationContext],
    items: ItemsContext | None,
) -> None:
    level = execution.level(row.parent_branch_id or row.parent_iteration_id or execution.id)
    assert level is not None, f"{row.id} runs in a level that is not there"
    state = execution.machine.by_name[row.state_name]
    activity = Activity(
        row.id,
        execution,
        level,
        state,
        Document(row.input),
        row.entered_at,
        row.entered_event,
        row.entered_previous,
    )
    activity.attempt, activity.retries, activity.task_id = row.attempt, row.retries, row.task_id
    activity.timer_kind, activity.timer_due, activity.forked_event = row.timer_kind, row.timer_due, row.last_event
    activity.branch_status, activity.iteration_status = row.branch_status, row.iteration_status
    activity.items = Document(items.items) if items else None
    execution.activities[row.id] = level_activity = activity
    level.current = level_activity
    if row.branch_status is None and row.iteration_status is None:
        return
    activity.children = {}
    for child in children:
        id, kind = (child.branch_id, Branch) if isinstance(child, BranchContext) else (child.iteration_id, Iteration)
        live = kind(id, child.index, activity, Document(child.input), child.status)
        live.previous_event = child.last_event
        live.output = Document(child.output) if child.output else NONE
        activity.output_bytes += len(child.output)
        if isinstance(live, Iteration):
            execution.iteration_bytes += len(child.input)
        if child.variables:
            live.variables = loads(child.variables)
        activity.children[child.index] = execution.levels[id] = live
