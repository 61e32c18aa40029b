"""TestState's request as Python has it: names with underscores, and documents as dicts and lists beside JSON text."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from stepwell.asl import json
from stepwell.errors import ApiError, InvalidInput
from stepwell.test_state.request import MockErrorOutput

Json = dict[str, Any] | list[Any] | str
"""A document: JSON text, or an object or array."""


class Mock(TypedDict, total=False):
    result: Json
    errorOutput: MockErrorOutput
    error_output: MockErrorOutput
    fieldValidationMode: str
    field_validation_mode: str


class Configuration(TypedDict, total=False):
    retrierRetryCount: int
    retrier_retry_count: int
    errorCausedByState: str
    error_caused_by_state: str
    mapIterationFailureCount: int
    map_iteration_failure_count: int
    mapItemReaderData: Json
    map_item_reader_data: Json


class TestStateRequest(TypedDict, total=False):
    """The members of the request, all but ``definition`` optional, in the API's spelling and in Python's."""

    definition: dict[str, Any] | str
    roleArn: str
    role_arn: str
    input: Json
    inspectionLevel: str
    inspection_level: str
    revealSecrets: bool
    reveal_secrets: bool
    variables: dict[str, Any] | str
    stateName: str
    state_name: str
    mock: Mock
    context: dict[str, Any] | str
    stateConfiguration: Configuration
    state_configuration: Configuration


_MOCK = {"error_output": "errorOutput", "field_validation_mode": "fieldValidationMode"}
_CONFIGURATION = {
    "retrier_retry_count": "retrierRetryCount",
    "error_caused_by_state": "errorCausedByState",
    "map_iteration_failure_count": "mapIterationFailureCount",
    "map_item_reader_data": "mapItemReaderData",
}
_REQUEST = {
    "role_arn": "roleArn",
    "inspection_level": "inspectionLevel",
    "reveal_secrets": "revealSecrets",
    "state_name": "stateName",
    "state_configuration": "stateConfiguration",
}


def as_api(given: dict[str, Any]) -> dict[str, Any]:
    """The request as the API has it. Raises ApiError where a member is given in both spellings, or is no JSON."""
    request = _named(given, _REQUEST)
    for name in ("definition", "input", "variables", "context"):
        _write(request, name)
    for name, names, document in (
        ("mock", _MOCK, "result"),
        ("stateConfiguration", _CONFIGURATION, "mapItemReaderData"),
    ):
        if json.is_object(request.get(name)):
            request[name] = inner = _named(cast("dict[str, Any]", request[name]), names)
            _write(inner, document)
    return request


def _named(given: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    twice = next((name for name in given if names.get(name) in given), None)
    if twice is not None:
        raise ApiError("ValidationException", f"{names[twice]} is given twice: as {twice}, too")
    return {names.get(name, name): value for name, value in given.items()}


def _write(members: dict[str, Any], name: str) -> None:
    """An object or array becomes text; a text is JSON text already, and what is neither is refused as on AWS."""
    if not isinstance(members.get(name), dict | list):
        return
    try:
        members[name] = json.dumps(members[name]).decode()
    except InvalidInput as error:
        raise ApiError("ValidationException", f"The parameter '{name}' is not JSON: {error}") from error
