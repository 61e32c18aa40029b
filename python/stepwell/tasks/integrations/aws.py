"""AWS's services through boto3: ``aws-sdk:*``, and the optimised integrations that are a single API call (ASL A15)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, Protocol, cast

import boto3  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

from stepwell.asl.json import dumps, is_array, is_object
from stepwell.asl.resources import Resource, parse_resource
from stepwell.errors import TaskError
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.handlers import Handler

from .aws_services import CLIENTS, ERROR_PREFIXES
from .java_names import exception_name, pascal

SDK = "aws-sdk:*"
OPTIMISED = ("dynamodb:*", "events:putEvents*", "sns:publish*", "sqs:sendMessage*")
"""The optimised integrations whose answer is that of the API."""
ClientFactory = Callable[[str], Any]
"""Makes the boto3 client of a service, by boto3's name of it."""

_OPTIMISED_ERROR_NAMES = {"dynamodb": "DynamoDB", "sqs": "SQS", "sns": "SNS", "events": "EventBridge"}
_OPTIMISED_SERVICES = {"dynamodb": "AmazonDynamoDBv2"}


class Registry(Protocol):
    """An executor, as far as this module needs it."""

    def register(self, resource: str, function: Handler) -> None:
        """Register ``function`` for ``resource``."""
        ...


def forward(
    executor: Registry, client_factory: ClientFactory | None = None, services: Iterable[str] = (SDK, *OPTIMISED)
) -> None:
    """Forward Task states to AWS, or to the service behind the clients of ``client_factory``.

    ``services`` are patterns of what follows ``arn:aws:states:::``. Without a factory, boto3's configuration
    determines account and region; the credentials are the process's own.
    """
    task = AwsTask(client_factory or cast("Any", boto3).client)
    for service in services:
        executor.register(f"arn:aws:states:::{service}", task)


class AwsTask:
    """The handler: one API call a task."""

    def __init__(self, client_factory: ClientFactory) -> None:
        self._client_factory = client_factory
        self._clients: dict[str, Any] = {}
        self._making = Lock()

    def __call__(self, arguments: Any, context: HandlerContext) -> Any:
        """The API's answer, with the names of AWS's SDKs."""
        resource = parse_resource(context.resource)
        service = resource.service.removeprefix("aws-sdk:").lower()
        client = self._client(CLIENTS.get(service, service))
        operation = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", resource.action).lower()
        methods = {name.replace("_", ""): name for name in client.meta.method_to_api_mapping}
        method = methods.get(operation.replace("_", ""))
        if method is None:
            raise TaskError("States.Runtime", f"{service} has no operation {resource.action!r}")
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
        puts_events = resource.service == "events" and resource.action == "putEvents"
        asked: Any = _with_arns(arguments, context) if puts_events else arguments or {}
        parameters = _parameters(asked, model.input_shape)
        try:
            answer = getattr(client, method)(**parameters)
        except ClientError as error:
            raise _client_error(resource, service, client.meta.service_model, cast("Any", error.response)) from error
        except BotoCoreError as error:
            raise TaskError(f"{_error_prefix(resource, service)}.SdkClientException", str(error)) from error
        result = _answer(answer, with_metadata=not resource.service.startswith("aws-sdk:"))
        if puts_events and result.get("FailedEntryCount"):
            failed = {name: result[name] for name in ("FailedEntryCount", "Entries") if name in result}
            raise TaskError("EventBridge.FailedEntry", dumps(failed).decode())
        return result

    def _client(self, service: str) -> Any:
        with self._making:  # boto3 may make clients in one thread at a time; every thread may use them
            if service not in self._clients:
                self._clients[service] = self._client_factory(service)
            return self._clients[service]


def _with_arns(arguments: Any, context: HandlerContext) -> Any:
    """PutEvents' entries, with the execution and its state machine in their Resources (AWS's guide, EventBridge)."""
    entries = arguments.get("Entries") if is_object(arguments) else None
    if not is_array(entries):
        return arguments or {}
    arns = [context.execution_arn, context.state_machine_arn]
    extended = [
        {**entry, "Resources": [*_listed(entry.get("Resources")), *arns]} if is_object(entry) else entry
        for entry in entries
    ]
    return {**arguments, "Entries": extended}


def _listed(value: Any) -> list[Any]:
    return value if is_array(value) else []


def _parameters(value: Any, shape: Any) -> Any:
    """Parameters with boto3's names, whose first letter differs from that of AWS's SDKs."""
    if shape is None:
        return value
    if shape.type_name == "structure" and is_object(value):
        names = {name.lower(): name for name in shape.members}
        pairs = ((names.get(key.lower(), key), each) for key, each in value.items())
        return {name: _parameters(each, shape.members.get(name)) for name, each in pairs}
    if shape.type_name == "list" and isinstance(value, list):
        return [_parameters(each, shape.member) for each in cast("list[Any]", value)]
    if shape.type_name == "map" and is_object(value):
        return {key: _parameters(each, shape.value) for key, each in value.items()}
    if shape.type_name == "string" and not isinstance(value, str) and value is not None:
        return dumps(value).decode()  # a document where the API takes text: AWS serialises it
    if shape.type_name == "blob" and not isinstance(value, bytes):
        return value.encode() if isinstance(value, str) else dumps(value)
    return value


def _answer(answer: Mapping[str, Any], *, with_metadata: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        _pascal(name): _json(value) for name, value in answer.items() if name != "ResponseMetadata"
    }
    if with_metadata:
        metadata = answer.get("ResponseMetadata", {})
        headers = metadata.get("HTTPHeaders", {})
        result["SdkHttpMetadata"] = {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(headers),
            "HttpStatusCode": metadata.get("HTTPStatusCode", 200),
        }
        result["SdkResponseMetadata"] = {"RequestId": metadata.get("RequestId", "")}
    return result


def _json(value: Any) -> Any:
    """A value of boto3 as JSON."""
    if isinstance(value, Mapping):
        return {_pascal(str(key)): _json(each) for key, each in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple | set):
        return [_json(each) for each in cast("list[Any]", value)]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if hasattr(value, "read"):  # a stream
        value = value.read()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _error_prefix(resource: Resource, service: str) -> str:
    if not resource.service.startswith("aws-sdk:"):
        return _OPTIMISED_ERROR_NAMES.get(service, _pascal(service))
    client = CLIENTS.get(service, service)
    return ERROR_PREFIXES.get(client) or pascal(client)


def _client_error(resource: Resource, service: str, model: Any, response: Mapping[str, Any]) -> TaskError:
    """The API's error, under the name that retriers and catchers see: ``DynamoDb.ResourceNotFoundException``."""
    code = str(response.get("Error", {}).get("Code", "Unknown")).rpartition(".")[2]
    message = response.get("Error", {}).get("Message", "")
    metadata = response.get("ResponseMetadata", {})
    status, request = metadata.get("HTTPStatusCode", 400), metadata.get("RequestId", "")
    prefix = _error_prefix(resource, service)
    is_sdk = resource.service.startswith("aws-sdk:")
    known = next((shape.name for shape in model.error_shapes if code in (shape.name, shape.error_code)), None)
    if known is None:  # the API's model does not have this error: use the service's name
        name = f"{prefix}.{prefix}Exception" if is_sdk else f"{prefix}.Amazon{prefix}Exception"
    elif is_sdk:
        name = f"{prefix}.{exception_name(known)}"
    else:
        name = f"{prefix}.{known}" if known.endswith("Exception") else f"{prefix}.{known}Exception"
    if is_sdk:
        return TaskError(name, f"{message} (Service: {prefix}, Status Code: {status}, Request ID: {request})")
    asked = f"Service: {_OPTIMISED_SERVICES.get(service, f'Amazon{prefix}')}; Status Code: {status}; Error Code: {code}"
    return TaskError(name, f"{message} ({asked}; Request ID: {request}; Proxy: null)")
