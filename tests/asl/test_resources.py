"""The Resource of a Task state."""

import pytest

from stepwell.asl.resources import function_name, parse_resource


@pytest.mark.covers("A15.68")
@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("arn:aws:lambda:us-east-1:111111111111:function:pay", "lambda", "pay"),
        ("arn:aws:lambda:us-east-1:111111111111:function:pay:$LATEST", "lambda", "pay"),
        ("arn:aws-cn:lambda:cn-north-1:111111111111:function:pay", "lambda", "pay"),
        ("arn:aws:states:us-east-1:111111111111:activity:approve", "activity", "approve"),
        ("charge-card", "lambda", "charge-card"),
    ],
)
def test_functions_activities_and_local_names(text, kind, name):
    resource = parse_resource(text)
    assert (resource.kind, resource.name, resource.text) == (kind, name, text)


@pytest.mark.covers("A15.68", "A15.70")
@pytest.mark.parametrize(
    ("text", "service", "action", "pattern", "history"),
    [
        ("arn:aws:states:::lambda:invoke", "lambda", "invoke", "", ("lambda", "invoke")),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "sqs",
            "sendMessage",
            "waitForTaskToken",
            ("sqs", "sendMessage.waitForTaskToken"),
        ),
        ("arn:aws:states:::states:startExecution.sync:2", "states", "startExecution", "sync:2", None),
        ("arn:aws:states:::states:startExecution.sync", "states", "startExecution", "sync", None),
        (
            "arn:aws:states:::aws-sdk:dynamodb:putItem",
            "aws-sdk:dynamodb",
            "putItem",
            "",
            ("aws-sdk:dynamodb", "putItem"),
        ),
        (
            "arn:aws:states:::aws-sdk:sfn:startExecution.waitForTaskToken",
            "aws-sdk:sfn",
            "startExecution",
            "waitForTaskToken",
            None,
        ),
        ("arn:aws:states:::http:invoke", "http", "invoke", "", ("http", "invoke")),
        ("arn:aws:states:::s3:getObject", "s3", "getObject", "", None),
    ],
)
def test_integrations(text, service, action, pattern, history):
    resource = parse_resource(text)
    assert (resource.kind, resource.service, resource.action, resource.pattern) == (
        "integration",
        service,
        action,
        pattern,
    )
    if history:
        assert (resource.history_type, resource.history_resource) == history


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("pay", "pay"),
        ("pay:live", "pay"),
        ("arn:aws:lambda:us-east-1:111111111111:function:pay", "pay"),
        ("arn:aws:lambda:us-east-1:111111111111:function:pay:7", "pay"),
        ("111111111111:function:pay", "pay"),
    ],
)
def test_the_function_of_lambda_invoke(given, name):
    assert function_name({"FunctionName": given, "Payload": {}}) == name


@pytest.mark.parametrize("arguments", [None, [], {}, {"FunctionName": ""}, {"FunctionName": 3}])
def test_lambda_invoke_without_a_function(arguments):
    assert function_name(arguments) is None
