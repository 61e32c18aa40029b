"""The lists of executions: the rows of an execution change with its status.

There are two kinds of rows. Each execution has one in the list of its workflow, or map run, in the order of starts.
Lists in AWS's order have a row of it once it has ended, was redriven, or if a published version or an alias started it.
"""

from __future__ import annotations

from stepwell.engine.ids import REDRIVEN, child_list, published_part, qualified_lists, run_of
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import DELETING, OVER, aws_status, transition
from stepwell.engine.storage.contexts import REMOVE_LISTING, REMOVE_VISIBILITY, ListingContext, VisibilityContext


def create_visibility(turn: Turn, execution: LiveExecution) -> None:
    """Put a new execution into its lists."""
    turn.create(f"visibility {execution.status}", visibility(execution))
    if published_part(execution.context.qualifier):
        enlist(turn, execution)


def change_status(turn: Turn, execution: LiveExecution, *path: str) -> None:
    """Change the status along ``path``, and the rows in the lists with it."""
    old = visibility(execution)
    ends = path[-1] in OVER
    if ends:
        unlist(turn, execution)
    for following in path:
        execution.status = transition(execution.status, following)
    turn.drop(
        f"visibility {old.status}", (REMOVE_VISIBILITY, old.workflow, old.status, old.started_at, old.execution_id)
    )
    turn.create(f"visibility {execution.status}", visibility(execution))
    if ends:
        enlist(turn, execution)
    turn.put(execution.id, execution)


def visibility(execution: LiveExecution) -> VisibilityContext:
    """The row of an execution in the list of its workflow; of a child, in the list of its map run."""
    context = execution.context
    child_id = context.parent_iteration_id
    return VisibilityContext(
        execution.workflow.name if child_id is None else child_list(run_of(child_id)),
        status=execution.status,
        started_at=context.started_at,
        execution_id=context.id,
        name=context.name,
        stopped_at=context.stopped_at,
        version=execution.workflow.context.version,
        timed_out=context.timed_out,
        qualifier=context.qualifier,
        redrive_count=context.redrive_count,
    )


def enlist(turn: Turn, execution: LiveExecution) -> None:
    """Put an execution into the lists in AWS's order that it belongs to."""
    for row in _listings(execution):
        turn.create(f"listing {row.list} {row.status} {row.sorted_at}", row)


def unlist(turn: Turn, execution: LiveExecution) -> None:
    """Remove an execution from them, before anything is changed that says where it is."""
    for row in _listings(execution):
        turn.drop(
            f"listing {row.list} {row.status} {row.sorted_at}",
            (REMOVE_LISTING, row.list, row.status, row.sorted_at, row.execution_id),
        )


def _listings(execution: LiveExecution) -> list[ListingContext]:
    """The rows of an execution in the lists in AWS's order; none while it is being deleted."""
    context, status = execution.context, execution.status
    is_over = status in OVER
    if status == DELETING or not (is_over or published_part(context.qualifier) or context.redrive_count):
        return []
    aws = aws_status(status, timed_out=context.timed_out) if is_over else "RUNNING"
    sorted_at = context.stopped_at if is_over else context.redriven_at or context.started_at
    return [
        ListingContext(
            name,
            status=aws,
            sorted_at=sorted_at,
            execution_id=context.id,
            name=context.name,
            started_at=context.started_at,
            stopped_at=context.stopped_at if is_over else 0,
            version=execution.workflow.context.version,
            qualifier=context.qualifier,
            redrive_count=context.redrive_count,
            redriven_at=context.redriven_at,
        )
        for name in _lists(execution, is_over=is_over)
    ]


def _lists(execution: LiveExecution, *, is_over: bool) -> list[str]:
    context, child_id = execution.context, execution.context.parent_iteration_id
    if child_id is not None:
        name = child_list(run_of(child_id))
        return [name + REDRIVEN if context.redrive_count else name]
    workflow = execution.workflow.name
    names = [workflow] if is_over or context.redrive_count else []
    return [*names, *qualified_lists(workflow, context.qualifier)]
