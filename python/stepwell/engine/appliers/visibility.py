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
    turn.create(f"visibility {execution.status}", _visibility(execution, list_of(execution)))
    if published_part(execution.context.qualifier):
        enlist(turn, execution)


def change_status(turn: Turn, execution: LiveExecution, *path: str) -> None:
    """Change the status along ``path``, and the rows in the lists with it."""
    context, before, name = execution.context, execution.status, list_of(execution)
    ends, is_listed = path[-1] in OVER, is_listed_while_running(execution)
    if ends and (is_listed or before in OVER):
        unlist(turn, execution)
    for following in path:
        execution.status = transition(execution.status, following)
    turn.drop(f"visibility {before}", (REMOVE_VISIBILITY, name, before, context.started_at, context.id))
    turn.create(f"visibility {execution.status}", _visibility(execution, name))
    if ends and not is_listed and execution.status != DELETING:  # most executions are in one list
        status = aws_status(execution.status, timed_out=context.timed_out)
        turn.create(_key(name, status, context.stopped_at), _listing(execution, name, status, context.stopped_at))
    elif ends:
        enlist(turn, execution)
    turn.put(execution.id, execution)


def drop_visibility(turn: Turn, execution: LiveExecution) -> None:
    """Remove an execution from all lists."""
    unlist(turn, execution)
    context, status = execution.context, execution.status
    turn.drop(
        f"visibility {status}",
        (REMOVE_VISIBILITY, list_of(execution), status, context.started_at, context.id),
    )


def list_of(execution: LiveExecution) -> str:
    """The list of an execution: its workflow's; of a child, its map run's."""
    child_id = execution.context.parent_iteration_id
    return execution.workflow.name if child_id is None else child_list(run_of(child_id))


def _visibility(execution: LiveExecution, name: str) -> VisibilityContext:
    context = execution.context
    return VisibilityContext(
        name,
        execution.status,
        context.started_at,
        context.id,
        context.name,
        context.stopped_at,
        execution.workflow.context.version,
        context.timed_out,
        context.qualifier,
        context.redrive_count,
    )


def is_listed_while_running(execution: LiveExecution) -> bool:
    """Whether an execution is in lists in AWS's order while it runs, or in several of them."""
    context = execution.context
    return bool(context.redrive_count or (context.qualifier and published_part(context.qualifier)))


def enlist(turn: Turn, execution: LiveExecution) -> None:
    """Put an execution into the lists in AWS's order that it belongs to."""
    for row in _listings(execution):
        turn.create(_key(row.list, row.status, row.sorted_at), row)


def unlist(turn: Turn, execution: LiveExecution) -> None:
    """Remove an execution from them, before anything is changed that says where it is."""
    for row in _listings(execution):
        turn.drop(
            _key(row.list, row.status, row.sorted_at),
            (REMOVE_LISTING, row.list, row.status, row.sorted_at, row.execution_id),
        )


def _key(name: str, status: str, sorted_at: int) -> str:
    return f"listing {name} {status} {sorted_at}"


def _listings(execution: LiveExecution) -> list[ListingContext]:
    """The rows of an execution in the lists in AWS's order; none while it is being deleted."""
    context, status = execution.context, execution.status
    is_over = status in OVER
    if status == DELETING or not (is_over or is_listed_while_running(execution)):
        return []
    aws = aws_status(status, timed_out=context.timed_out) if is_over else "RUNNING"
    sorted_at = context.stopped_at if is_over else context.redriven_at or context.started_at
    return [_listing(execution, name, aws, sorted_at) for name in _lists(execution, is_over=is_over)]


def _listing(execution: LiveExecution, name: str, status: str, sorted_at: int) -> ListingContext:
    context = execution.context
    return ListingContext(
        name,
        status,
        sorted_at,
        context.id,
        context.name,
        context.started_at,
        context.stopped_at if status != "RUNNING" else 0,
        execution.workflow.context.version,
        context.qualifier,
        context.redrive_count,
        context.redriven_at,
    )


def _lists(execution: LiveExecution, *, is_over: bool) -> list[str]:
    context, child_id = execution.context, execution.context.parent_iteration_id
    if child_id is not None:
        name = child_list(run_of(child_id))
        return [name + REDRIVEN if context.redrive_count else name]
    workflow = execution.workflow.name
    names = [workflow] if is_over or context.redrive_count else []
    return [*names, *qualified_lists(workflow, context.qualifier)]
