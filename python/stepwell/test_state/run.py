"""Runs one state, from the request to the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl import json
from stepwell.asl.errors import AslError
from stepwell.asl.retry import match_catcher, match_retrier
from stepwell.asl.scope import Scope
from stepwell.asl.states import State, TaskState
from stepwell.asl.states.base import WorkState
from stepwell.errors import TaskError
from stepwell.test_state.context import context_object
from stepwell.test_state.inspection import Inspection
from stepwell.test_state.mock import mocked_result
from stepwell.test_state.request import Request, read_request, refuse
from stepwell.test_state.stages import Work, run_state

Call = Callable[[str, Any], Any]
"""(Resource, arguments) → result, or TaskError."""


def run(given: dict[str, Any], call: Call | None) -> dict[str, Any]:
    """TestState's answer to a request."""
    request = read_request(given)
    work = _work(request, call)
    seen = Inspection()
    seen.show("input", request.input)
    context = context_object(request)
    scope = Scope(request.input, request.variables, lambda: context)
    answer = _run(request, scope, work, seen)
    if request.inspects:
        answer["inspectionData"] = seen.data()
    return answer


def _work(request: Request, call: Call | None) -> Work:
    """The replacement for the state's work."""
    mock, state = request.mock, request.state
    if mock is None:
        return _called(state, call)
    if "errorOutput" in mock:
        error = mock["errorOutput"]
        failure = AslError(error.get("error", ""), error.get("cause"))

        def fail(arguments: Any) -> Any:
            raise failure

        return fail
    result = mocked_result(mock, state)
    return lambda arguments: result


def _called(state: State, call: Call | None) -> Work:
    def work(arguments: Any) -> Any:
        assert isinstance(state, TaskState)
        if call is None:
            refuse(f"No mock is specified, and nothing is there to call '{state.resource}': give a mock.")
        try:
            return call(state.resource, arguments)
        except TaskError as error:
            raise AslError(error.error, error.cause) from error

    return work


def _run(request: Request, scope: Scope, work: Work, seen: Inspection) -> dict[str, Any]:
    state, configuration = request.state, request.configuration
    failures = configuration.get("mapIterationFailureCount", 0)
    try:
        ended = run_state(state, scope, work, failures, configuration.get("mapItemReaderData"), seen)
    except AslError as error:
        return _failed(request, scope, error, seen)
    _show_variables(scope, ended.outcome.assigned, seen)
    return {"output": _text(ended.outcome.output), "status": "SUCCEEDED", **_next(ended.next)}


def _failed(request: Request, scope: Scope, error: AslError, seen: Inspection) -> dict[str, Any]:
    """The handling of an error: another attempt, a catcher, or the end (ASL A7)."""
    state, details = request.state, dict[str, Any]()
    answer: dict[str, Any] = {"error": error.error} if error.error else {}
    if error.cause is not None:
        answer["cause"] = error.cause
    if isinstance(state, WorkState):
        answer.update(_handled(state, request, scope, error, details, seen))
    if details:
        seen.note("errorDetails", details)
    return {"status": "FAILED", **answer}


def _handled(
    state: WorkState, request: Request, scope: Scope, error: AslError, details: dict[str, Any], seen: Inspection
) -> dict[str, Any]:
    attempts = request.configuration.get("retrierRetryCount", 0)
    index = match_retrier(state, error.error)
    if index is not None:
        details["retryIndex"] = index
        retrier = state.retriers[index]
        if attempts < retrier.max_attempts:
            # The longest delay that jitter may give.
            details["retryBackoffIntervalSeconds"] = int(retrier.delay(attempts, lambda: 1.0))
            return {"status": "RETRIABLE"}
    index = match_catcher(state, error.error)
    if index is None:
        return {}
    details["catchIndex"] = index
    catcher = state.catchers[index]
    try:
        outcome = catcher.run(scope, error.error, error.cause)
    except AslError as failure:
        return {"error": failure.error, "cause": failure.cause or ""}
    _show_variables(scope, outcome.assigned, seen)
    return {"status": "CAUGHT_ERROR", "output": _text(outcome.output), **_next(catcher.next)}


def _show_variables(scope: Scope, assigned: dict[str, Any] | None, seen: Inspection) -> None:
    variables = {**scope.variables, **(assigned or {})}
    if variables:
        seen.show("variables", variables)


def _next(name: str | None) -> dict[str, str]:
    return {} if name is None else {"nextState": name}


def _text(value: Any) -> str:
    return json.dumps(value).decode()
