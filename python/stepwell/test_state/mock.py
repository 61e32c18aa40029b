"""Mocked results: their shape for a Map or Parallel state, and the fields of the API that a Task would call."""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl import json
from stepwell.asl.states import MapState, ParallelState, State, TaskState
from stepwell.errors import InvalidInput
from stepwell.test_state.api_shapes import output_problem
from stepwell.test_state.request import MockInput, refuse


def mocked_result(mock: MockInput, state: State) -> Any:
    """The value of a mock's result. Raises ApiError if the state cannot have it."""
    try:
        result = json.loads(mock.get("result", ""))
    except InvalidInput:
        refuse("Mocked result must be valid JSON")
    if isinstance(state, MapState):
        _check_map_result(result, state)
    elif isinstance(state, ParallelState):
        _check_parallel_result(result, state)
    elif isinstance(state, TaskState):
        _check_task_result(result, state, mock.get("fieldValidationMode", "STRICT"))
    return result


def _check_map_result(result: Any, state: MapState) -> None:
    if state.writer is not None and state.writer.resource is not None:
        if not isinstance(result, dict):
            refuse("Mocked result must be a JSON object.")
    elif not isinstance(result, list):
        refuse("Mocked result must be an array.")


def _check_parallel_result(result: Any, state: ParallelState) -> None:
    if not isinstance(result, list):
        refuse("Mocked result must be an array.")
    if len(cast("list[Any]", result)) != len(state.branches):
        refuse("Mocked result must contain the same number of items as number of Parallel branches.")


def _check_task_result(result: Any, state: TaskState, mode: str) -> None:
    if mode == "NONE" or state.resource_kind != "integration" or state.pattern:
        return  # a callback or a finished job returns any value, not the API's answer
    problem = output_problem(state.service, state.action, result, requires_all=mode == "STRICT")
    if problem is not None:
        refuse(f"Mock result schema validation error: {problem}")
