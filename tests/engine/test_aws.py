"""aws-sdk:* and optimised integrations, forwarded to boto3: names, documents, answers and errors as AWS has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from engine.support import machine, task
from stepwell import Executor
from stepwell.integrations import forward_to_aws

pytestmark = pytest.mark.covers("A15.68", "A15.69", "A6")


ASKED: dict[str, Any] = {
    "dynamodb": {"TableName": "t", "Item": {"id": {"S": "1"}}},
    "sns": {"TopicArn": "t", "Message": "m"},
    "sqs": {"QueueUrl": "q", "MessageBody": ""},
}


class Services:
    """Stubbed clients; ``expect`` says what the next call gets."""

    def __init__(self) -> None:
        self._stubs: dict[str, Stubber] = {}

    def client(self, service: str) -> Any:
        client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self._stubs[service] = Stubber(client)
        self._stubs[service].activate()
        return client

    def stub(self, service: str) -> Stubber:
        if service not in self._stubs:
            self.made = self.client(service)
        return self._stubs[service]


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def executor(services: Services) -> Iterator[Executor]:
    made: dict[str, Any] = {}

    def factory(service: str) -> Any:
        services.stub(service)
        return made.setdefault(service, services._stubs[service].client)

    with Executor() as ex:
        forward_to_aws(ex, factory)
        yield ex


def run(ex: Executor, resource: str, **parameters: Any) -> Any:
    return ex.run(machine({"A": task(None, f"arn:aws:states:::{resource}", Parameters=parameters)}))


def test_an_sdk_call_has_no_metadata_and_times_as_text(executor: Executor, services: Services) -> None:
    services.stub("secretsmanager").add_response(
        "describe_secret",
        {"Name": "n", "CreatedDate": datetime(2026, 1, 2, tzinfo=UTC), "ResponseMetadata": {"RequestId": "r"}},
        {"SecretId": "s"},
    )
    context = run(executor, "aws-sdk:secretsmanager:describeSecret", SecretId="s")
    assert json.loads(context.output) == {"Name": "n", "CreatedDate": "2026-01-02T00:00:00Z"}


def test_parameters_get_the_names_of_the_api(executor: Executor, services: Services) -> None:
    services.stub("ecs").add_response("list_tasks", {"taskArns": ["t"]}, {"cluster": "c", "maxResults": 3})
    context = run(executor, "aws-sdk:ecs:listTasks", Cluster="c", MaxResults=3)
    assert json.loads(context.output) == {"TaskArns": ["t"]}


def test_a_document_is_serialised_where_the_api_takes_text(executor: Executor, services: Services) -> None:
    services.stub("sqs").add_response(
        "send_message",
        {"MessageId": "m", "ResponseMetadata": {"HTTPHeaders": {"date": "d"}, "HTTPStatusCode": 200, "RequestId": "r"}},
        {"QueueUrl": "q", "MessageBody": '{"a":1}'},
    )
    output = json.loads(run(executor, "sqs:sendMessage", QueueUrl="q", MessageBody={"a": 1}).output)
    assert output["MessageId"] == "m"
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["SdkResponseMetadata"] == {"RequestId": "r"}


@pytest.mark.parametrize(
    ("resource", "service", "method", "code", "error", "cause"),
    [
        (
            "aws-sdk:dynamodb:putItem",
            "dynamodb",
            "put_item",
            "ResourceNotFoundException",
            "DynamoDb.ResourceNotFoundException",
            "no (Service: DynamoDb, Status Code: 400, Request ID: )",
        ),
        (
            "aws-sdk:dynamodb:putItem",
            "dynamodb",
            "put_item",
            "ValidationException",
            "DynamoDb.DynamoDbException",
            "no (Service: DynamoDb, Status Code: 400, Request ID: )",
        ),
        (
            "dynamodb:putItem",
            "dynamodb",
            "put_item",
            "ValidationException",
            "DynamoDB.AmazonDynamoDBException",
            "no (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; "
            "Request ID: ; Proxy: null)",
        ),
        (
            "sns:publish",
            "sns",
            "publish",
            "NotFound",
            "SNS.NotFoundException",
            "no (Service: AmazonSNS; Status Code: 400; Error Code: NotFound; Request ID: ; Proxy: null)",
        ),
        (
            "sqs:sendMessage",
            "sqs",
            "send_message",
            "MissingParameter",
            "SQS.AmazonSQSException",
            "no (Service: AmazonSQS; Status Code: 400; Error Code: MissingParameter; Request ID: ; Proxy: null)",
        ),
    ],
)
def test_errors_have_the_names_that_aws_recorded(
    executor: Executor, services: Services, resource: str, service: str, method: str, code: str, error: str, cause: str
) -> None:
    services.stub(service).add_client_error(method, code, "no", 400, expected_params=None)
    context = run(executor, resource, **ASKED[service])
    assert (context.error, context.cause) == (error, cause)


def test_an_operation_that_is_not_there(executor: Executor) -> None:
    assert run(executor, "aws-sdk:sqs:fly").error == "States.Runtime"


def test_a_token_goes_out_with_the_call_and_ends_the_task(executor: Executor, services: Services) -> None:
    stub = services.stub("sqs")
    stub.add_response("send_message", {"MessageId": "m"}, {"QueueUrl": "q", "MessageBody": ANY})
    sent: list[str] = []
    stub.client.meta.events.register(
        "before-parameter-build.sqs.SendMessage", lambda params, **_: sent.append(params["MessageBody"])
    )
    parameters = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
    executor.deploy(
        "w", machine({"A": task(None, "arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters=parameters)})
    )
    execution = executor.start("w")
    while not any(event["type"] == "TaskSubmitted" for event in execution.history()):
        pass
    executor.send_task_success(json.loads(sent[0])["token"], "done")
    assert execution.wait(10).output == "done"
