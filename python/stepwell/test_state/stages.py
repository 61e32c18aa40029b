"""Runs one state stage by stage: its input, the mock or the call instead of its work, its output."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from stepwell.asl import jsonpath_flow
from stepwell.asl.errors import AslError
from stepwell.asl.flow import JSONATA, JSONPATH
from stepwell.asl.outcome import Outcome
from stepwell.asl.scope import Scope
from stepwell.asl.states import (
    ChoiceState,
    FailState,
    MapState,
    ParallelState,
    PassState,
    State,
    SucceedState,
    TaskState,
    WaitState,
)
from stepwell.asl.timestamps import MICROS_PER_SECOND
from stepwell.test_state.inspection import Inspection
from stepwell.test_state.map_stages import run_map

Work = Callable[[Any], Any]
"""arguments → result, or AslError: the mock, or a handler."""


class Ended(NamedTuple):
    """How a state succeeded: the next state, and the output."""

    next: str | None
    outcome: Outcome


def run_state(
    state: State, scope: Scope, work: Work, failures: int, reader_data: str | None, seen: Inspection
) -> Ended:
    """Run ``state``. Raises AslError if it fails, also for a Fail state.

    ``failures`` and ``reader_data`` are for Map states: how many iterations fail, and what the ItemReader read.
    """
    match state:
        case PassState():
            return Ended(state.next, _run_pass(state, scope, seen))
        case SucceedState():
            _show_input(state, scope, seen)
            return Ended(None, state.run(scope))
        case FailState():
            _show_input(state, scope, seen)
            raise AslError(*_named(state.failure(scope)))
        case ChoiceState():
            _show_input(state, scope, seen)
            return Ended(*state.choose(scope))
        case WaitState():
            _show_input(state, scope, seen)
            state.due(scope, int(time.time() * MICROS_PER_SECOND))
            return Ended(state.next, state.run(scope))
        case TaskState():
            return Ended(state.next, _run_task(state, scope, work, seen))
        case ParallelState():
            result = work(state.arguments(scope))
            return Ended(state.next, finish(state, scope, result, seen))
        case MapState():
            result = run_map(state, scope, work, failures, reader_data, seen)
            return Ended(state.next, finish(state, scope, result, seen))
        case _:
            raise TypeError(f"unknown state type {state.type}")


def _named(failure: tuple[str | None, str | None]) -> tuple[str, str | None]:
    error, cause = failure
    return error or "", cause


def _show_input(state: State, scope: Scope, seen: Inspection) -> Any:
    if state.query_language == JSONATA:
        return scope.input
    effective = jsonpath_flow.compile_input_path(state.definition)
    return seen.show("afterInputPath", scope.input if effective is None else effective(scope))


def _run_pass(state: PassState, scope: Scope, seen: Inspection) -> Outcome:
    if state.query_language == JSONATA:
        return state.run(scope)
    if "Result" in state.definition:
        result = seen.show("result", state.definition["Result"])
    else:
        _show_input(state, scope, seen)
        result = seen.show("afterParameters", state.arguments(scope))
    return finish(state, scope, result, seen)


def _run_task(state: TaskState, scope: Scope, work: Work, seen: Inspection) -> Outcome:
    if state.query_language == JSONPATH:
        _show_input(state, scope, seen)
        arguments = seen.show("afterParameters", state.arguments(scope))
    else:
        arguments = state.arguments(scope)
        if "Arguments" in state.definition:
            seen.show("afterArguments", arguments)
    state.timeout_seconds(scope)
    state.heartbeat_seconds(scope)
    return finish(state, scope, seen.show("result", work(arguments)), seen)


def finish(
    state: PassState | TaskState | ParallelState | MapState, scope: Scope, result: Any, seen: Inspection
) -> Outcome:
    """Apply ResultSelector, ResultPath and OutputPath, or Output, to a result."""
    if state.query_language == JSONPATH:
        definition = state.definition
        selected = result
        if "ResultSelector" in definition:
            selected = jsonpath_flow.compile_payload(definition["ResultSelector"])(scope.with_input(result))
        seen.show("afterResultSelector", selected)
        place = jsonpath_flow.compile_result_path(definition.get("ResultPath", "$"))
        seen.show("afterResultPath", selected if place is None else place(scope.input, selected))
    return state.finish(scope, result)
