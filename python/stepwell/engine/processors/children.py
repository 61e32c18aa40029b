"""Branches and iterations: started, completed."""

from __future__ import annotations

from stepwell.asl.errors import AslError
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import (
    CompleteBranchCommand,
    CompleteIterationCommand,
    ForkStateCommand,
    StartBranchCommand,
    StartIterationCommand,
)
from stepwell.engine.processors.state_types.by_type import MAP, PARALLEL
from stepwell.engine.processors.state_types.map import fails_state
from stepwell.engine.state.execution import Activity, Branch, Iteration, LiveExecution, is_map, is_parallel
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import CANCELED, FAILED, RUNNING

from .failures import Failure, fail, failure_of
from .follow_ups import Items, start_state

GONE = "it is not running"


def accept_fork(turn: Turn, command: ForkStateCommand) -> str | None:
    execution = turn.execution
    activity = execution.activities.get(command.activity_id) if execution is not None else None
    if execution is None or activity is None or activity.level.status != RUNNING or activity.children is not None:
        return GONE
    turn.hold(command.items)
    command.event = execution.context.last_event + 1
    command.previous = activity.level.previous_event
    return None


def forked(turn: Turn, command: ForkStateCommand, document: Document) -> Items:
    activity = _execution(turn).activities[command.activity_id]
    if activity.iteration_status is None:
        return []
    try:
        assert is_map(activity)
        return MAP.forked(turn, activity)
    except AslError as error:
        return fail(turn, activity, failure_of(activity, error))


def accept_start_branch(turn: Turn, command: StartBranchCommand) -> str | None:
    activity = _forked_activity(turn, command.branch_id)
    return GONE if activity is None or activity.branch_status is None else None


def branch_started(turn: Turn, command: StartBranchCommand, document: Document) -> Items:
    branch = _execution(turn).levels[command.branch_id]
    assert branch.parent is not None and is_parallel(branch.parent)
    return [start_state(branch, branch.parent.state.branches[command.index].start_at, document)]


def accept_start_iteration(turn: Turn, command: StartIterationCommand) -> str | None:
    activity = _forked_activity(turn, command.iteration_id)
    if activity is None or activity.iteration_status is None:
        return GONE
    if activity.iteration_status.next_index != command.index:
        return "it was started before"
    command.event = _execution(turn).context.last_event + 1
    return None


def iteration_started(turn: Turn, command: StartIterationCommand, document: Document) -> Items:
    iteration = _execution(turn).levels[command.iteration_id]
    activity = iteration.parent
    assert activity is not None and is_map(activity)
    follow = [start_state(iteration, activity.state.processor.start_at, document)]
    try:
        return follow + MAP.iteration_started(turn, activity)
    except AslError as error:
        return follow + fail(turn, activity, failure_of(activity, error))


def accept_complete(turn: Turn, command: CompleteBranchCommand | CompleteIterationCommand) -> str | None:
    execution = turn.execution
    is_branch = isinstance(command, CompleteBranchCommand)
    level = execution.levels.get(command.branch_id if is_branch else command.iteration_id) if execution else None
    if execution is None or level is None or level.status != RUNNING:
        return GONE
    if command.status == FAILED and _is_failing(level):
        return "its state is failing already"
    turn.level = level
    if command.cause is not None:
        turn.hold(command.cause)
    if not is_branch:
        command.event = execution.context.last_event + 1
        assert level.parent is not None
        # The event of an aborted iteration follows that of the failed one, as MapStateFailed does (ASL A11.55).
        aborted = command.status == CANCELED
        command.previous = level.parent.level.previous_event if aborted else level.previous_event
    return None


def completed(turn: Turn, command: CompleteBranchCommand | CompleteIterationCommand, document: Document) -> Items:
    if command.status == CANCELED:
        return []
    level = turn.level
    activity = level.parent
    assert activity is not None
    failure = Failure(command.error, command.cause) if command.status == FAILED else None
    try:
        if isinstance(level, Branch):
            assert is_parallel(activity)
            return PARALLEL.child_done(turn, activity, level, failure)
        assert is_map(activity)
        return MAP.child_done(turn, activity, level, failure)
    except AslError as error:
        return fail(turn, activity, failure_of(activity, error))


def _is_failing(level: Branch | Iteration) -> bool:
    """Whether another child has already failed its Parallel or Map state: the first failure cancels the others."""
    activity = level.parent
    assert activity is not None
    if activity.branch_status is not None:
        return any(child.status == FAILED for child in (activity.children or {}).values())
    status = activity.iteration_status
    assert is_map(activity) and status is not None
    return status.failed > 0 and fails_state(activity.state, status)


def _execution(turn: Turn) -> LiveExecution:
    assert turn.execution is not None
    return turn.execution


def _forked_activity(turn: Turn, child_id: str) -> Activity | None:
    """The running state that a new branch or iteration belongs to."""
    if turn.execution is None:
        return None
    activity = turn.execution.activities.get(child_id.rpartition("/")[0])
    if activity is None or activity.children is None or activity.level.status != RUNNING:
        return None
    return activity
