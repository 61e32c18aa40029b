"""A TestState request: checks and parses the parameters of AWS's API."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any, NoReturn, TypedDict, cast

from stepwell.asl import json
from stepwell.asl.definition import compile_machine, compile_state
from stepwell.asl.flow import JSONPATH
from stepwell.asl.states import MapState, ParallelState, State, TaskState
from stepwell.asl.validate import check_definition, check_state
from stepwell.asl.validate.json_text import syntax_error
from stepwell.errors import ApiError, InvalidDefinition, InvalidInput
from stepwell.test_state.shapes import MAX_TEXT, check_shapes

STATE_NAME = "StateName"
"""The name of a state that is given alone, in error texts and in the Context Object."""

_PARAMETERS = frozenset(
    {
        "definition",
        "roleArn",
        "input",
        "inspectionLevel",
        "revealSecrets",
        "variables",
        "stateName",
        "mock",
        "context",
        "stateConfiguration",
    }
)


class MockErrorOutput(TypedDict, total=False):
    error: str
    cause: str


class MockInput(TypedDict, total=False):
    result: str
    errorOutput: MockErrorOutput
    fieldValidationMode: str


class StateConfiguration(TypedDict, total=False):
    retrierRetryCount: int
    errorCausedByState: str
    mapIterationFailureCount: int
    mapItemReaderData: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request with parsed documents and a compiled state. ``context`` is None if none was given."""

    state: State
    input: Any
    variables: dict[str, Any]
    context: dict[str, Any] | None
    inspects: bool
    role_arn: str | None
    mock: MockInput | None
    configuration: StateConfiguration


def refuse(message: str, code: str = "ValidationException") -> NoReturn:
    """Raise the error that the API returns for a request that it refuses."""
    raise ApiError(code, message)


def read_request(given: dict[str, Any]) -> Request:
    """Parse the API's parameters. Raises ApiError."""
    unknown = given.keys() - _PARAMETERS
    if unknown:
        refuse(f"Unknown parameter in input: {', '.join(sorted(unknown))}")
    if "definition" not in given:
        refuse(
            "1 validation error detected: Value at 'definition' failed to satisfy constraint: Member must not be null"
        )
    check_shapes(given)
    for name in ("input", "variables", "context"):
        _check_length(given.get(name, ""), name)
    state = _read_state(given["definition"], given.get("stateName"))
    request = Request(
        state=state,
        input=_read_input(given.get("input", "{}")),
        variables=_read_object(given.get("variables", "{}"), "variables"),
        context=_read_object(given["context"], "context") if "context" in given else None,
        inspects=(given.get("inspectionLevel") or "INFO") != "INFO",
        role_arn=given.get("roleArn"),
        mock=given.get("mock"),
        configuration=given.get("stateConfiguration") or {},
    )
    _check_configuration(request)
    _check_mockable(request, reveals_secrets=bool(given.get("revealSecrets")))
    _check_context(request)
    return request


def _check_length(text: Any, name: str) -> None:
    if not isinstance(text, str):
        refuse(f"The parameter '{name}' is JSON, as text, a dict or a list, not {reprlib.repr(text)}")
    if len(text) > MAX_TEXT:
        refuse(
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_TEXT}"
        )


def _read_state(definition: Any, name: str | None) -> State:
    """The compiled state: given alone, or found by its name in a whole machine, at any level."""
    if not isinstance(definition, str):
        definition = json.dumps(definition).decode()
    try:
        if name is None:
            return compile_state(STATE_NAME, check_state(definition, STATE_NAME))
        checked = check_definition(definition)
    except InvalidDefinition as error:
        raise ApiError("InvalidDefinition", str(error)) from error
    state = compile_machine(checked, checked.get("QueryLanguage", JSONPATH), {}).by_name.get(name)
    return state if state is not None else refuse("State not found.")


def _read_input(text: str) -> Any:
    problem = syntax_error(text)
    if problem is not None:
        refuse(f"Invalid State Machine Execution Input: '{problem.message}'", "InvalidExecutionInput")
    return json.loads(text)


def _read_object(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except InvalidInput:
        value = None
    if not isinstance(value, dict):
        refuse(f"The parameter '{name}' must be a valid JSON object")
    return cast("dict[str, Any]", value)


def _check_configuration(request: Request) -> None:
    """stateConfiguration must fit the state, and needs a mock."""
    configuration, state = request.configuration, request.state
    for name in configuration:
        shown = name[:1].upper() + name[1:]
        if request.mock is None:
            refuse(f"TestState does not support {shown} when a mock is not specified.")
    if "mapIterationFailureCount" in configuration and not isinstance(state, MapState):
        refuse("MapIterationFailureCount is only supported for Map states.")
    if "mapItemReaderData" in configuration and not (isinstance(state, MapState) and state.reader):
        refuse("MapItemReaderData is only supported for Map states with an ItemReader.")
    if "errorCausedByState" in configuration:
        _check_cause(configuration["errorCausedByState"], state)


def _check_cause(name: str, state: State) -> None:
    """The state that a mocked error comes from must lie within the Map or Parallel state."""
    if isinstance(state, MapState):
        levels = [state.processor]
    elif isinstance(state, ParallelState):
        levels = list(state.branches)
    else:
        refuse("ErrorCausedByState is only supported for Map and Parallel states.")
    if not any(name in level.by_name for level in levels):
        refuse("State not found.")


def _check_mockable(request: Request, *, reveals_secrets: bool) -> None:
    state, mock = request.state, request.mock
    if mock is None:
        if isinstance(state, MapState | ParallelState):
            refuse(
                "TestState API does not support Map or Parallel states. "
                "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
                "InvalidDefinition",
            )
        if isinstance(state, TaskState):
            _check_callable(state, request.role_arn)
        return
    if not isinstance(state, TaskState | MapState | ParallelState):
        refuse(f"State type '{state.type}' is not supported when a mock is specified")
    if reveals_secrets:
        refuse("TestState does not support RevealSecrets when a mock is specified.")
    if ("result" in mock) == ("errorOutput" in mock):
        refuse("A test mock should have only one of the following fields: [result, errorOutput].")


def _check_callable(state: TaskState, role_arn: str | None) -> None:
    """Without a mock a Task is called; TestState cannot call a task that somebody else completes later."""
    if state.resource_kind == "activity" or state.pattern:
        what = "Activity tasks" if state.resource_kind == "activity" else f"the '.{state.pattern}' integration pattern"
        refuse(f"TestState does not support {what} when a mock is not specified.")
    if role_arn is None:
        refuse("RoleArn must be specified when testing a Task state")


def _check_context(request: Request) -> None:
    """A given Context Object needs a mock, and may have a task token only if the state would have one."""
    if request.context is None:
        return
    if request.mock is None:
        refuse("TestState does not support Context when a mock is not specified.")
    state = request.state
    if "Task" in request.context and not (isinstance(state, TaskState) and state.pattern):
        refuse(
            "Invalid Context object provided: Context object contains 'Task' when state is not a Task state with a "
            "'.sync' or '.waitForTaskToken' service integration pattern"
        )
