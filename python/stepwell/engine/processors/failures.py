"""Handles a state that failed: a retrier retries it, a catcher catches the error, or its level fails (ASL A6, A7)."""

from __future__ import annotations

from msgspec import Struct

from stepwell.asl.errors import AslError
from stepwell.asl.json import dumps
from stepwell.asl.retry import match_catcher, match_retrier
from stepwell.engine.log.document import of_value
from stepwell.engine.log.records import (
    CompleteStateCommand,
    CreateTimerCommand,
    FailEvaluationCommand,
    RetryStateCommand,
)
from stepwell.engine.state.execution import Activity, Branch, Iteration, LiveExecution
from stepwell.engine.state.timers import RETRY
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import FAILED, SUCCEEDED

from .cancellations import cancel_map_runs
from .context_object import expression_scope
from .follow_ups import Items, end_level, item, leave_state

MAX_CAUSE_CHARACTERS = 1 << 20
"""Causes are cut to this length. What is cut is mostly the input that they quote."""


class Failure(Struct, frozen=True):
    """Why a state failed. With a ``location`` the history has an EvaluationFailed event too."""

    error: str | None
    cause: str | None
    catchable: bool = True
    location: str | None = None
    heartbeat: bool = False


def shortened(text: str | None) -> str | None:
    """A cause, or an error's name, cut to the length that is recorded."""
    if text is None or len(text) <= MAX_CAUSE_CHARACTERS:
        return text
    return text[: MAX_CAUSE_CHARACTERS - 1] + "…"


def failure_of(activity: Activity, error: AslError) -> Failure:
    """An expression's error, in the form of the history (ASL A6.34)."""
    cause = error.cause
    if error.interpreter:
        cause = (
            f"An error occurred while executing the state '{activity.state.name}' "
            f"(entered at the event id #{activity.entered_event}). {cause}"
        )
    return Failure(shortened(error.error) or "", shortened(cause), error.catchable, error.location)


def fail(turn: Turn, activity: Activity, failure: Failure) -> Items:
    """Retry the state, catch the error, or fail the level (ASL A6, A7)."""
    if failure.catchable:
        second_chance = _retry(turn, activity, failure)
        if second_chance is None:
            second_chance = _catch(turn, activity, failure)
        if second_chance is not None:
            return _failed_evaluation(activity, failure) + second_chance
    return fail_uncaught(activity, failure)


def _failed_evaluation(activity: Activity, failure: Failure) -> Items:
    """The command for an expression that failed; empty if none did."""
    if failure.location is None:
        return []
    name, error = activity.state.name, failure.error or ""
    return [
        item(
            FailEvaluationCommand(
                activity.id,
                state_name=name,
                error=error,
                cause=failure.cause,
                location=failure.location,
                event=0,
                previous=0,
            )
        )
    ]


def _retry(turn: Turn, activity: Activity, failure: Failure) -> Items | None:
    state = activity.state
    if not state.retriers:
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
        item(RetryStateCommand(activity.id, retrier=index, due=due, error=failure.error, cause=failure.cause)),
        item(CreateTimerCommand(activity.id, RETRY, due)),
    ]


def _catch(turn: Turn, activity: Activity, failure: Failure) -> Items | None:
    state = activity.state
    if not state.catchers:
        return None
    index = match_catcher(state, failure.error, heartbeat=failure.heartbeat)
    if index is None:
        return None
    catcher = state.catchers[index]
    try:
        outcome = catcher.run(expression_scope(turn, activity), failure.error, failure.cause)
    except AslError as error:
        return fail_uncaught(activity, failure_of(activity, error))
    assigned = dumps(outcome.assigned) if outcome.assigned else None
    command = CompleteStateCommand(
        activity.id,
        state_name=state.name,
        status=SUCCEEDED,
        output=None,
        next=catcher.next,
        assigned=assigned,
        error=None,
        cause=None,
        event=0,
        previous=0,
        caught=True,
    )
    return [item(command, of_value(outcome.output))]


def fail_uncaught(activity: Activity, failure: Failure) -> Items:
    """Fail a state without retry and catch, and its level."""
    end = fail_level(activity, failure) if failure.catchable else _fail_execution(activity.execution, failure)
    return _failed_evaluation(activity, failure) + end


def fail_level(activity: Activity, failure: Failure) -> Items:
    """Leave a failed state, and fail its branch, iteration or execution."""
    level = activity.level
    leave = leave_state(activity, FAILED, failure.error, failure.cause)
    end = item(end_level(level, FAILED, failure.error, failure.cause))
    if isinstance(level, (Branch, Iteration)) and activity.state.type not in ("Parallel", "Map"):
        return [end]
    return [leave, end]


def _fail_execution(execution: LiveExecution, failure: Failure) -> Items:
    """States.Runtime fails the whole execution, wherever it occurs; it cannot be caught (ASL A6.32b)."""
    end = end_level(execution, FAILED, failure.error, failure.cause)
    return [*cancel_map_runs(execution), item(end)]
