"""Makes live executions from rows: a whole one that is loaded, or the running states that a redrive restores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stepwell.asl.json import loads
from stepwell.engine.ids import activity_of, run_of
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.storage.contexts import (
    ActivityContext,
    BranchContext,
    Context,
    ExecutionContext,
    ItemsContext,
    IterationContext,
    MapChildContext,
    MapRunContext,
    TaskContext,
)

from .execution import Activity, Branch, Iteration, LiveExecution
from .map_run import PENDING_REDRIVE, MapChild, MapItems, MapRun
from .workflows import Workflow


def load(rows: Sequence[Context], workflow: Workflow, tasks: Iterable[TaskContext]) -> LiveExecution:
    """The live execution that ``rows`` describe."""
    root = rows[0]
    assert isinstance(root, ExecutionContext)
    execution = LiveExecution(root, workflow, Document(root.input))
    execution.output = Document(root.output) if root.output else NONE
    restore(execution, rows)
    execution.tasks = {task.id: task for task in tasks}
    return execution


def restore(execution: LiveExecution, rows: Sequence[Context]) -> None:
    """Put the running states that ``rows`` describe, with their branches and iterations, into an execution."""
    if len(rows) == 2 and isinstance(alone := rows[1], ActivityContext):  # most executions are in one state
        _restore_activity(execution, alone, [], None)
        return
    activities = {row.id: row for row in rows if isinstance(row, ActivityContext)}
    children: dict[str, list[BranchContext | IterationContext]] = {}
    for row in rows:
        if isinstance(row, BranchContext):
            children.setdefault(activity_of(row.branch_id), []).append(row)
        elif isinstance(row, IterationContext):
            children.setdefault(activity_of(row.iteration_id), []).append(row)
    items = {row.activity_id: row for row in rows if isinstance(row, ItemsContext)}
    for id in sorted(activities):  # a parent is older than its children
        _restore_activity(execution, activities[id], children.get(id, []), items.get(id))
    _restore_map_runs(execution, rows, items)


def _restore_map_runs(execution: LiveExecution, rows: Sequence[Context], items: dict[str, ItemsContext]) -> None:
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


def _restore_activity(
    execution: LiveExecution,
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
    execution.activities[row.id] = level.current = activity
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
