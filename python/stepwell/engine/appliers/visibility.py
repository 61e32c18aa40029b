"""The lists of executions: the row of an execution changes with its status."""

from __future__ import annotations

from stepwell.engine.ids import child_list, run_of
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import transition
from stepwell.engine.storage.contexts import REMOVE_VISIBILITY, VisibilityContext


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
    )


def change_status(turn: Turn, execution: LiveExecution, *path: str) -> None:
    """Change the status along ``path``, and the row in the list with it."""
    old = visibility(execution)
    for following in path:
        execution.status = transition(execution.status, following)
    turn.drop(
        f"visibility {old.status}", (REMOVE_VISIBILITY, old.workflow, old.status, old.started_at, old.execution_id)
    )
    turn.create(f"visibility {execution.status}", visibility(execution))
    turn.put(execution.id, execution)
