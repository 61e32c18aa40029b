"""Checks the answers of a script or a mock: their shape, and what a Distributed Map state's own tasks accept."""

from __future__ import annotations

from typing import Any

from stepwell.asl.json import dumps, is_array, is_object
from stepwell.asl.resources import parse_resource
from stepwell.engine.state.map_run import READ_ITEMS, WRITE_RESULTS
from stepwell.errors import InvalidInput

_INVOKED = {
    *("StatusCode", "Payload", "ExecutedVersion", "FunctionError", "LogResult"),
    *("SdkHttpMetadata", "SdkResponseMetadata"),
}
_OUTCOMES = ("succeeded", "failed", "timedout")
_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}


def check_script(script: Any) -> None:
    """Refuse a script that is not a list of answers; the error names the place. Raises ``InvalidInput``."""
    if not is_array(script):
        raise InvalidInput(f"tasks is a list of answers, not {kind_of(script)}")
    for index, answer in enumerate(script):
        place = f"tasks[{index}]"
        if not is_object(answer):
            raise InvalidInput(f"{place} is an object with an outcome, not {kind_of(answer)}")
        if answer.get("outcome") not in _OUTCOMES:
            raise InvalidInput(f"{place}.outcome is one of {', '.join(_OUTCOMES)}, not {answer.get('outcome')!r}")
        for name in ("resourceType", "error"):
            if not isinstance(answer.get(name), str | None):
                raise InvalidInput(f"{place}.{name} is a text, not {kind_of(answer[name])}")
        if answer.get("resourceType") not in (None, "activity") and not isinstance(answer.get("resource"), str):
            raise InvalidInput(f"{place}.resource is a text: what of {answer['resourceType']} is called")
        for name in ("output", "submitted", "cause"):
            try:
                dumps(answer.get(name))
            except InvalidInput as error:
                raise InvalidInput(f"{place}.{name}: {error}") from error


def check_answer(place: str, state_name: str, resource: str, asked: Any, answer: Any) -> None:
    """Refuse a result that an ItemReader or a ResultWriter cannot return. Raises ``InvalidInput``."""
    if resource == READ_ITEMS and not is_array(answer):
        raise InvalidInput(f"{place}: the ItemReader of state {state_name!r} reads a list, not {kind_of(answer)}")
    if resource != WRITE_RESULTS:
        return
    wanted, fits = ("a list", is_array(answer)) if asked["resource"] is None else ("an object", is_object(answer))
    if not fits:
        raise InvalidInput(f"{place}: the ResultWriter of state {state_name!r} gives {wanted}, not {kind_of(answer)}")


def result_of(resource: str, response: Any) -> Any:
    """The result of a task by a mock's response.

    Where the Resource is a function's ARN, and the response an answer of Lambda's Invoke, it is the Payload: mock files
    have such answers for both of AWS's integrations of Lambda.
    """
    if not is_object(response) or not resource.startswith("arn:") or parse_resource(resource).kind != "lambda":
        return response
    is_answer = {"StatusCode", "Payload"} <= response.keys() <= _INVOKED
    return response["Payload"] if is_answer else response


def kind_of(value: object) -> str:
    """The type of a JSON value, as text."""
    return _KINDS.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")
