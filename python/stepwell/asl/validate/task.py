"""Task states: the Resource, what an EXPRESS state machine cannot call, timeouts, credentials (ASL A8, A15.68)."""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl.resources import PATTERNS, Resource, parse_resource
from stepwell.asl.validate import values
from stepwell.asl.validate.fields import JSONPATH
from stepwell.asl.validate.paths import check_reference_path
from stepwell.asl.validate.scope import Place
from stepwell.asl.validate.templates import check_expressions, check_template

LOCAL_RESOURCE = "LOCAL_RESOURCE"

# Services whose optimized integration does not have this pattern; for others it depends on the API.
_NEVER_SYNC = frozenset({"lambda", "sns", "sqs", "dynamodb", "events", "apigateway", "http"})
_NEVER_TOKEN = frozenset(
    {"athena", "batch", "codebuild", "elasticmapreduce", "emr-containers", "glue", "databrew", "sagemaker", "dynamodb"}
)

_REQUIRED_ARGUMENTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "invoke"): ("FunctionName",),
    ("sqs", "sendMessage"): ("MessageBody", "QueueUrl"),
    ("sns", "publish"): ("Message",),
    ("states", "startExecution"): ("StateMachineArn",),
    ("events", "putEvents"): ("Entries",),
    ("dynamodb", "getItem"): ("Key", "TableName"),
    ("dynamodb", "putItem"): ("Item", "TableName"),
    ("dynamodb", "updateItem"): ("Key", "TableName"),
    ("dynamodb", "deleteItem"): ("Key", "TableName"),
}


def check_task(state: dict[str, Any], at: Place) -> None:
    """The fields that only a Task state has."""
    if values.require(state, ("Resource",), at.path, at.report) and values.is_text(
        state["Resource"], f"{at.path}/Resource", at.report
    ):
        _check_resource(state, at)
    for name in ("TimeoutSeconds", "HeartbeatSeconds"):
        check_count(state, name, at, minimum=1, maximum=values.MAX_SECONDS)
    _check_heartbeat(state, at)
    if "Credentials" in state:
        _check_credentials(state["Credentials"], at.inside("Credentials"))


def check_count(state: dict[str, Any], name: str, at: Place, *, minimum: int, maximum: int | None = None) -> None:
    """An integer field that may come from a path (``…Path``) or, in JSONata, from an expression."""
    values.at_most_one(state, (name, f"{name}Path"), at.path, at.report)
    if name in state:
        place = f"{at.path}/{name}"
        if at.is_jsonata and isinstance(state[name], str):
            check_number_expression(state[name], place, at)
        else:
            values.is_integer(state[name], place, at.report, minimum=minimum, maximum=maximum)
    if f"{name}Path" in state and not at.is_jsonata:
        check_reference_path(state[f"{name}Path"], f"{at.path}/{name}Path", at.report)


def check_number_expression(value: str, place: str, at: Place) -> None:
    """A string in place of a number: only valid in JSONata."""
    if values.is_expression(value):
        check_expressions(value, place, at.report)
    else:
        at.report.error("JSONata string must start with {% and end with %}", place)


def _check_resource(state: dict[str, Any], at: Place) -> None:
    text: str = state["Resource"]
    place = f"{at.path}/Resource"
    if not text.startswith("arn:"):
        _check_local_resource(text, place, at)
        return
    resource = parse_resource(text)
    if resource.kind == "lambda" and not resource.text.partition(":lambda:")[1]:
        at.report.error(
            f"The resource provided {text} is not recognized. The value is not a valid resource ARN, "
            "or the resource is not available in this region.",
            place,
        )
    elif resource.kind == "activity":
        if at.express:
            at.report.error("Express state machine does not support Activity ARN", place)
        if "Credentials" in state:
            at.report.error("The field 'Credentials' is not supported for activities", f"{at.path}/Credentials")
    elif resource.kind == "integration":
        _check_integration(resource, place, at)
        _check_arguments(state, resource, at)


def _check_local_resource(text: str, place: str, at: Place) -> None:
    """A handler of this process by its plain name: accepted here, refused by AWS."""
    allowed = at.machine.local_resources
    name, _, pattern = text.rpartition(".")
    if not text.strip() or not (allowed if isinstance(allowed, bool) else allowed(text)):
        at.report.error("Value is not a valid resource ARN", place)
    elif name and pattern in PATTERNS:  # it would be called, and its result taken at once
        message = (
            f"the name of a local handler cannot end with .{pattern}: "
            f"arn:aws:states:::lambda:invoke.waitForTaskToken with the FunctionName '{name}' calls it, and waits"
        )
        at.report.error(message, place)
    else:
        message = f"'{text}' is the name of a local handler: AWS accepts only ARNs as a Resource"
        at.report.warning(message, place, LOCAL_RESOURCE)


def _check_integration(resource: Resource, place: str, at: Place) -> None:
    pattern = resource.pattern
    if pattern and at.express:
        name = ".sync" if pattern.startswith("sync") else f".{pattern}"
        at.report.error(f"Express state machine does not support '{name}' service integration", place)
        return
    is_sync, is_sdk = pattern.startswith("sync"), resource.service.startswith("aws-sdk")
    if (is_sync and (resource.service in _NEVER_SYNC or is_sdk)) or (
        pattern == "waitForTaskToken" and resource.service in _NEVER_TOKEN
    ):
        at.report.error(
            f"The resource provided {resource.text} is not recognized. The value is not a valid resource ARN, "
            "or the resource is not available in this region.",
            place,
        )


def _check_arguments(state: dict[str, Any], resource: Resource, at: Place) -> None:
    """Fields that the service's API requires."""
    name = "Arguments" if at.is_jsonata else "Parameters"
    arguments: Any = state.get(name)
    if not isinstance(arguments, dict):
        return
    given = cast("dict[str, Any]", arguments)
    for field in _REQUIRED_ARGUMENTS.get((resource.service, resource.action), ()):
        if field not in given and (at.is_jsonata or f"{field}.$" not in given):
            at.report.error(f"The field '{field}' is required but was missing", f"{at.path}/{name}")


def _check_heartbeat(state: dict[str, Any], at: Place) -> None:
    heartbeat, timeout = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if type(heartbeat) is int and type(timeout) is int and heartbeat >= timeout:
        place = f"{at.path}/HeartbeatSeconds"
        at.report.error("The field 'HeartbeatSeconds' must be smaller than 'TimeoutSeconds'", place)


def _check_credentials(value: Any, at: Place) -> None:
    if not values.is_object(value, at.path, at.report):
        return
    names = ("RoleArn", "RoleArn.$") if at.query_language == JSONPATH else ("RoleArn",)
    if not any(name in value for name in names):
        at.report.error("The field 'RoleArn' is required but was missing", at.path)
    elif not at.is_jsonata:
        check_template(value, at.path, at.report)
