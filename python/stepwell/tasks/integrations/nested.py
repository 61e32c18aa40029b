"""Executions that Task states start: their parameters, answers and errors in AWS's shapes (ASL A15).

``states:startExecution`` is the optimised integration; its answers have times in milliseconds.
``aws-sdk:sfn:startExecution`` is the API call itself; its answers have times as text.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stepwell.asl.json import dumps, is_object, loads
from stepwell.asl.resources import Resource
from stepwell.asl.timestamps import format_timestamp
from stepwell.errors import InvalidInput, TaskError
from stepwell.tasks.billing import BILLED_MEMORY_MB, billed_milliseconds
from stepwell.tasks.redrive_status import redrive_details

from .sfn import PARTITIONS, task_uuid, wrong_parameters

SUCCEEDED = "SUCCEEDED"
_PARAMETERS = ("StateMachineArn", "Name", "Input", "TraceHeader")
RESOURCES = (
    "states:startExecution",
    "states:startExecution.sync",
    "states:startExecution.sync:2",
    "states:startExecution.waitForTaskToken",
    "aws-sdk:sfn:startExecution",
    "aws-sdk:sfn:startExecution.waitForTaskToken",
    "aws-sdk:sfn:startSyncExecution",
)
JOBS = tuple(
    f"arn:{each}:states:::states:startExecution.sync{version}" for each in PARTITIONS for version in ("", ":2")
)
"""The resources whose tasks wait for the execution that they started, and stop it when they are abandoned."""


class Target(Struct, frozen=True):
    """The execution to start, without the version or alias that may be asked for; ``name`` is the execution's."""

    workflow: str
    name: str
    is_named: bool
    input: bytes


class Child(Struct, frozen=True):
    """The current state of a started execution. Times are in microseconds, ``status`` is AWS's."""

    arn: str
    state_machine_arn: str
    name: str
    status: str
    input: bytes
    output: bytes
    error: str | None
    cause: str | None
    started_at: int
    stopped_at: int
    redrive_count: int = 0


def check_parameters(arguments: Any, resource: Resource) -> None:
    """Raise ``TaskError`` for parameters that the call has not, or without those that it needs."""
    known = _PARAMETERS if resource.action != "startSyncExecution" else (*_PARAMETERS, "IncludedData")
    given = arguments if is_object(arguments) else {}
    problems = [f"The field '{name}' is not supported by Step Functions" for name in given if name not in known]
    if given.get("StateMachineArn") is None:
        problems.append("The field 'StateMachineArn' is required but was missing")
    problems += [
        f"The value of the field '{name}' has an invalid format"
        for name in known
        if name != "Input" and not isinstance(given.get(name), str | None)
    ]
    if problems:
        raise wrong_parameters(arguments, problems)


def target_of(arguments: Any, execution_id: str, task_id: str) -> Target:
    """The execution that a task asks for. Without a Name its name comes from the task's id, so that it starts once."""
    if not is_object(arguments) or not isinstance(arguments.get("StateMachineArn"), str):
        raise InvalidInput("StateMachineArn is missing")
    workflow = workflow_of(arguments["StateMachineArn"])
    given = arguments.get("Name")
    name = given if isinstance(given, str) else task_uuid(f"{execution_id} {task_id}")
    return Target(workflow, name, isinstance(given, str), _input_of(arguments.get("Input")))


def workflow_of(arn: str) -> str:
    """The name of a workflow, by its ARN, with or without a version, an alias and a test case, or by the plain name."""
    _, marker, rest = arn.partition(":stateMachine:")
    return (rest if marker else arn).partition(":")[0].partition("#")[0]


def _input_of(given: Any) -> bytes:
    """Input is a value, or text that holds one; without it, an empty object."""
    if given is None:
        return b"{}"
    if not isinstance(given, str):
        return dumps(given)
    loads(given)
    return given.encode()


def started(child: Child, resource: Resource, task_id: str) -> dict[str, Any]:
    """The first answer, after the start."""
    if resource.service != "states":
        return {"ExecutionArn": child.arn, "StartDate": format_timestamp(child.started_at)}
    request = task_uuid(task_id)
    headers = {
        "x-amzn-RequestId": request,
        "connection": "keep-alive",
        "Content-Type": "application/x-amz-json-1.0",
    }
    return {
        "ExecutionArn": child.arn,
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request},
        "StartDate": child.started_at // 1000,
    }


def ended(child: Child, resource: Resource) -> dict[str, Any]:
    """The answer of a task that waits for the end. Raises ``TaskError`` for a child that did not succeed."""
    if resource.service != "states":
        return _ended_sync(child)
    answer = _described(child, child.started_at // 1000, child.stopped_at // 1000)
    answer = dict(sorted((answer | redrive_details(child.status, child.redrive_count)).items()))
    if child.status != SUCCEEDED:
        raise TaskError("States.TaskFailed", dumps(answer).decode())
    if resource.pattern == "sync:2":
        answer |= {"Input": loads(child.input), "Output": loads(child.output)}
    return answer


def _ended_sync(child: Child) -> dict[str, Any]:
    """StartSyncExecution returns a failure as an answer, too."""
    billed = billed_milliseconds(child.stopped_at - child.started_at)
    times = format_timestamp(child.started_at), format_timestamp(child.stopped_at)
    billing = {"BilledDurationInMilliseconds": billed, "BilledMemoryUsedInMB": BILLED_MEMORY_MB}
    return {"BillingDetails": billing, **_described(child, *times)}


def _described(child: Child, start: Any, stop: Any) -> dict[str, Any]:
    """The answer of DescribeExecution, its keys in order."""
    described: dict[str, Any] = {
        "ExecutionArn": child.arn,
        "Input": child.input.decode(),
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": start,
        "StateMachineArn": child.state_machine_arn,
        "Status": child.status,
        "StopDate": stop,
    }
    if child.status == SUCCEEDED:
        described |= {"Output": child.output.decode(), "OutputDetails": {"Included": True}}
    described |= {key: value for key, value in (("Error", child.error), ("Cause", child.cause)) if value is not None}
    return dict(sorted(described.items()))
