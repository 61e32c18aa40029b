"""What the processors of all states share: scopes, completion, failure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stepwell.asl.errors import AslError
from stepwell.asl.json import dumps
from stepwell.asl.retry import match_catcher, match_retrier
from stepwell.asl.scope import Scope
from stepwell.tasks.integrations.nested import JOBS

from ..contexts import TaskContext
from ..documents import NONE, Document, of_value
from ..live import Activity, Branch, Execution, Iteration, Level, descendants
from ..records import (
    Command,
    CompleteBranchCommand,
    CompleteExecutionCommand,
    CompleteIterationCommand,
    CompleteMapRunCommand,
    CompleteStateCommand,
    CreateTimerCommand,
    FailEvaluationCommand,
    RetryStateCommand,
    StartStateCommand,
)
from ..status import CANCELED, FAILED, SUCCEEDED
from ..timers import RETRY
from ..turn import Item, Turn
from .context_object import context_object

Items = list[Item]
"""Follow-up commands."""

CAUSE_CHARACTERS = 1 << 20
"""A cause is for people: what is beyond so many characters, the input that it quotes mostly, is left out."""


class Failure(Struct, frozen=True):
    """Why a state failed. ``location`` asks for an EvaluationFailed event."""

    error: str | None
    cause: str | None
    catchable: bool = True
    location: str | None = None
    heartbeat: bool = False


def item(command: Command, document: Document = NONE) -> Item:
    """A follow-up command with its document."""
    return (command, document, 0)


def scope_of(turn: Turn, activity: Activity, token: str | None = None) -> Scope:
    """What the state's expressions may read."""
    return Scope(
        activity.input.value,
        activity.level.visible_variables(),
        lambda: context_object(activity, token),
    )


def start_state(level: Level, state_name: str, document: Document) -> Item:
    """Enter a state of ``level``."""
    return (
        StartStateCommand(
            "",
            state_name,
            None,
            level.id if isinstance(level, Branch) else None,
            level.id if isinstance(level, Iteration) else None,
            0,
            0,
        ),
        document,
        0,
    )


def complete(activity: Activity, document: Document, assigned: dict[str, Any] | None = None) -> Items:
    """Leave a state for the next one."""
    state = activity.state
    return [
        (
            CompleteStateCommand(
                activity.id,
                state.name,
                SUCCEEDED,
                None,
                state.next,
                dumps(assigned) if assigned else None,
                None,
                None,
                0,
                0,
            ),
            document,
            0,
        )
    ]


def complete_with(activity: Activity, outcome: Any) -> Items:
    """Leave a state with what its paths or expressions made."""
    return complete(activity, of_value(outcome.output), outcome.assigned)


def complete_level(level: Level, document: Document) -> Items:
    """The last state of a level is done: so is the level."""
    if isinstance(level, Branch):
        return [item(CompleteBranchCommand(level.id, SUCCEEDED, None, None, None), document)]
    if isinstance(level, Iteration):
        assert level.parent is not None
        return [
            item(
                CompleteIterationCommand(
                    level.id, level.parent.state.name, level.index, SUCCEEDED, None, None, None, 0, 0
                ),
                document,
            )
        ]
    return [item(CompleteExecutionCommand(level.id, SUCCEEDED, None, None, None, 0, 0), document)]


def shortened(text: str | None) -> str | None:
    """A cause, or an error's name, as it is recorded."""
    if text is None or len(text) <= CAUSE_CHARACTERS:
        return text
    return text[: CAUSE_CHARACTERS - 1] + "…"


def failure_of(activity: Activity, error: AslError) -> Failure:
    """An expression's error as the history tells it (ASL A6.34)."""
    cause = error.cause
    if error.interpreter:
        cause = (
            f"An error occurred while executing the state '{activity.state.name}' "
            f"(entered at the event id #{activity.entered_event}). {cause}"
        )
    return Failure(shortened(error.error) or "", shortened(cause), error.catchable, error.location)


def abandon(turn: Turn, task: TaskContext) -> None:
    """A task ends without an answer: so does the execution that it was to wait for (ASL A15)."""
    if task.resource in JOBS:
        turn.services.abandon(turn, task)


def fail(turn: Turn, activity: Activity, failure: Failure) -> Items:
    """Retry, catch, or fail what the state runs in (ASL A6, A7)."""
    if failure.catchable:
        second_chance = _retry(turn, activity, failure)
        if second_chance is None:
            second_chance = _catch(turn, activity, failure)
        if second_chance is not None:
            return _failed_evaluation(activity, failure) + second_chance
    return fail_uncaught(activity, failure)


def _failed_evaluation(activity: Activity, failure: Failure) -> Items:
    """What tells of an expression that failed; nothing, where no expression did."""
    if failure.location is None:
        return []
    name, error = activity.state.name, failure.error or ""
    return [item(FailEvaluationCommand(activity.id, name, error, failure.cause, failure.location, 0, 0))]


def _retry(turn: Turn, activity: Activity, failure: Failure) -> Items | None:
    state = activity.state
    if not getattr(state, "retriers", ()):
        return None
    index = match_retrier(state, failure.error, heartbeat=failure.heartbeat)
    if index is None:
        return None
    retrier = state.retriers[index]
    done = activity.retries[index] if activity.retries else 0
    if done >= retrier.max_attempts:
        return None
    due = turn.now + round(retrier.delay(done, turn.services.random) * 1_000_000)
    return [
        item(RetryStateCommand(activity.id, index, due, failure.error, failure.cause)),
        item(CreateTimerCommand(activity.id, RETRY, due)),
    ]


def _catch(turn: Turn, activity: Activity, failure: Failure) -> Items | None:
    state = activity.state
    if not getattr(state, "catchers", ()):
        return None
    index = match_catcher(state, failure.error, heartbeat=failure.heartbeat)
    if index is None:
        return None
    catcher = state.catchers[index]
    try:
        outcome = catcher.run(scope_of(turn, activity), failure.error, failure.cause)
    except AslError as error:
        return fail_uncaught(activity, failure_of(activity, error))
    assigned = dumps(outcome.assigned) if outcome.assigned else None
    command = CompleteStateCommand(
        activity.id, state.name, SUCCEEDED, None, catcher.next, assigned, None, None, 0, 0, True
    )
    return [item(command, of_value(outcome.output))]


def fail_uncaught(activity: Activity, failure: Failure) -> Items:
    """Fail a state that gets no second chance, and what it runs in."""
    end = fail_level(activity, failure) if failure.catchable else _fail_execution(activity.execution, failure)
    return _failed_evaluation(activity, failure) + end


def fail_level(activity: Activity, failure: Failure) -> Items:
    """A state failed for good: so does the branch, the iteration or the execution that it runs in."""
    level = activity.level
    error, cause = failure.error, failure.cause
    state_type = activity.state.type
    leave = item(CompleteStateCommand(activity.id, activity.state.name, FAILED, None, None, None, error, cause, 0, 0))
    if isinstance(level, Iteration):
        assert level.parent is not None
        end = item(
            CompleteIterationCommand(level.id, level.parent.state.name, level.index, FAILED, None, error, cause, 0, 0)
        )
        return [leave, end] if state_type in ("Parallel", "Map") else [end]
    if isinstance(level, Branch):
        end = item(CompleteBranchCommand(level.id, FAILED, None, error, cause))
        return [leave, end] if state_type in ("Parallel", "Map") else [end]
    return [leave, item(CompleteExecutionCommand(level.id, FAILED, None, error, cause, 0, 0))]


def _fail_execution(execution: Execution, failure: Failure) -> Items:
    """States.Runtime ends the execution wherever it comes up; nobody may catch it (ASL A6.32b)."""
    end = CompleteExecutionCommand(execution.id, FAILED, None, failure.error, failure.cause, 0, 0)
    return [*cancel_map_runs(execution), item(end)]


def abort(level: Level, status: str = CANCELED) -> Items:
    """Leave whatever still runs in a level, from the outside in."""
    activity = level.current
    if activity is None:
        return []
    follow = [item(CompleteStateCommand(activity.id, activity.state.name, status, None, None, None, None, None, 0, 0))]
    inner: Items = cancel_map_run(activity)
    for child in descendants(activity):
        inner += cancel_child(child)
    return inner + follow


def cancel_child(child: Branch | Iteration) -> Items:
    """Cancel a branch or iteration and what runs in it."""
    if isinstance(child, Branch):
        return [item(CompleteBranchCommand(child.id, CANCELED, None, None, None)), *abort(child)]
    assert child.parent is not None
    command = CompleteIterationCommand(child.id, child.parent.state.name, child.index, CANCELED, None, None, None, 0, 0)
    return [item(command), *abort(child)]


def cancel_map_runs(execution: Execution) -> Items:
    """Cancel what map runs an execution has."""
    follow: Items = []
    for activity in execution.activities.values():
        if activity.map_run is not None:
            follow += cancel_map_run(activity)
    return follow


def cancel_map_run(activity: Activity) -> Items:
    """Cancel the map run of a state, if it has one, and its child executions."""
    run = activity.map_run
    return [] if run is None else [item(CompleteMapRunCommand(run.id, CANCELED, None, None, False, 0, 0))]
