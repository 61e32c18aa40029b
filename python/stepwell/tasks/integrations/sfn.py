"""Step Functions' own API as Task states call it: its operations, and its errors (ASL A15)."""

from __future__ import annotations

from typing import Any

from stepwell.asl.errors import RUNTIME
from stepwell.asl.json import dumps
from stepwell.asl.resources import Resource
from stepwell.errors import TaskError

from .java_names import exception_name

ACTIONS = (
    *("createActivity", "createStateMachine", "createStateMachineAlias", "deleteActivity", "deleteStateMachine"),
    *("deleteStateMachineAlias", "deleteStateMachineVersion", "describeActivity", "describeExecution"),
    *("describeMapRun", "describeStateMachine", "describeStateMachineAlias", "describeStateMachineForExecution"),
    *("getActivityTask", "getExecutionHistory", "listActivities", "listExecutions", "listMapRuns"),
    *("listStateMachineAliases", "listStateMachineVersions", "listStateMachines", "listTagsForResource"),
    *("publishStateMachineVersion", "redriveExecution", "sendTaskFailure", "sendTaskHeartbeat", "sendTaskSuccess"),
    *("stopExecution", "tagResource", "testState", "untagResource", "updateMapRun", "updateStateMachine"),
    *("updateStateMachineAlias", "validateStateMachineDefinition"),
)
"""The operations beside the two that start executions. AWS's guide excludes none of this service."""
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_NAMES = "6f1a1d4e-6b0d-4e0c-9f6f-6c2b0b5d7a10"


def wrong_parameters(arguments: Any, problems: list[str]) -> TaskError:
    """Parameters that the operation does not have: nothing is called, and nothing catches it."""
    shown = dumps(arguments).decode()
    cause = f"The Parameters '{shown}' could not be used to start the Task: [{', '.join(problems)}]"
    return TaskError(RUNTIME, cause)


def service_error(resource: Resource, code: str, message: str, task_id: str, status: int = 400) -> TaskError:
    """A refusal of the service, under the name that retriers and catchers see."""
    request, name = task_uuid(task_id), exception_name(code)
    if resource.service == "states":
        cause = (
            f"{message} (Service: AWSStepFunctions; Status Code: {status}; Error Code: {code}; "
            f"Request ID: {request}; Proxy: null)"
        )
        return TaskError(f"StepFunctions.{name}", cause)
    return TaskError(f"Sfn.{name}", f"{message} (Service: Sfn, Status Code: {status}, Request ID: {request})")


def task_uuid(text: str) -> str:
    """A UUID that depends on the text alone."""
    import uuid

    return str(uuid.uuid5(uuid.UUID(_NAMES), text))
