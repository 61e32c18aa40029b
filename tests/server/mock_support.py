"""What the tests of mock files share: a file, its machines, and requests about their executions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from .support import ROLE, ended

INVOKE = "arn:aws:states:::lambda:invoke"
SQS = "arn:aws:states:::sqs:sendMessage"
CALLBACK = f"{SQS}.waitForTaskToken"
GLUE = "arn:aws:states:::glue:startJobRun.sync"
START = "states:startExecution.sync:2"
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:Work"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:review"
SEND = {"QueueUrl": "https://sqs/q", "MessageBody": "m"}
ASK = {"QueueUrl": "https://sqs/q", "MessageBody": {"token.$": "$$.Task.Token"}}
LAMBDA_ANSWER = {"StatusCode": 200, "Payload": {"StatusCode": 200, "body": "Hello from Lambda!"}}
FILE: dict[str, Any] = {  # its first machine is that of AWS's developer guide
    "StateMachines": {
        "LambdaSQSIntegration": {
            "TestCases": {
                "HappyPath": {"LambdaState": "MockedLambdaSuccess", "SQSState": "MockedSQSSuccess"},
                "RetryPath": {"LambdaState": "MockedLambdaRetry", "SQSState": "MockedSQSSuccess"},
                "HybridPath": {"LambdaState": "MockedLambdaSuccess"},
            }
        },
        "one": {"TestCases": {"Returns": {"S": "Once"}, "Throws": {"S": "Thrown"}, "Wrong": {"Other": "Once"}}},
        "each": {"TestCases": {"Counted": {"Work": "Numbered"}}},
        "read": {"TestCases": {"Read": {"All": "Items", "Work": "Numbered"}, "Object": {"All": "Once"}}},
        "parent": {"TestCases": {"Mocked": {"S": "Once"}}},
        "slow": {"TestCases": {"Returns": {"S": "Once"}}},
        "loop": {"TestCases": {"Twice": {"S": "Numbered"}}},
        "spread": {"TestCases": {"Counted": {"All": "ItemsAndResults", "Work": "Numbered"}}},
    },
    "MockedResponses": {
        "MockedLambdaSuccess": {"0": {"Return": LAMBDA_ANSWER}},
        "MockedLambdaRetry": {
            "0": {"Throw": {"Error": "Lambda.ResourceNotReadyException", "Cause": "Lambda resource is not ready."}},
            "1-2": {"Throw": {"Error": "Lambda.TimeoutException", "Cause": "Lambda timed out."}},
            "3": {"Return": LAMBDA_ANSWER},
        },
        "MockedSQSSuccess": {"0": {"Return": {"MessageId": "3bcb6e8e"}}},
        "Once": {"0": {"Return": {"mocked": True}}},
        "Thrown": {"0-2": {"Throw": {"Error": "Card.Declined", "Cause": "no money"}}},
        "Numbered": {"0": {"Return": "zero"}, "1-2": {"Return": "one or two"}, "3-99": {"Return": "more"}},
        "ItemsAndResults": {"0": {"Return": [1, 2]}, "1": {"Return": {"written": True}}},
        "Items": {"0": {"Return": [{"n": 1}, {"n": 2}, {"n": 3}]}},
    },
}
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 1}]
INTEGRATION = {
    "LambdaState": {
        "Type": "Task",
        "Resource": INVOKE,
        "Parameters": {"Payload.$": "$", "FunctionName": "HelloWorldFunction"},
        "Retry": RETRY,
        "Next": "SQSState",
    },
    "SQSState": {
        "Type": "Task",
        "Resource": SQS,
        "Parameters": {"QueueUrl": "https://sqs/q", "MessageBody.$": "$"},
        "End": True,
    },
}
HANDLERS = 'handlers = {"arn:aws:states:::sqs:sendMessage": lambda asked: {"real": True}, "Work": lambda asked: "real"}'
LOOP = {  # calls S, waits, and calls it again
    "S": {"Type": "Task", "Resource": LAMBDA, "Next": "Again"},
    "Again": {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "StringEquals": "zero", "Next": "Wait"}],
        "Default": "End",
    },
    "Wait": {"Type": "Wait", "Seconds": 2, "Next": "S"},
    "End": {"Type": "Pass", "End": True},
}


def write_files(folder: Path) -> None:
    """Write the mock file and the handlers."""
    (folder / "MockConfigFile.json").write_text(json.dumps(FILE))
    (folder / "work.py").write_text(HANDLERS)


def options(folder: Path, *more: str) -> list[str]:
    file, handlers = folder / "MockConfigFile.json", folder / "work.py"
    return ["--data", str(folder / "data"), "--mock-config", str(file), "--handlers", str(handlers), *more]


def created(sfn: Any, name: str, states: dict[str, Any], **more: Any) -> str:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    try:
        return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]
    except sfn.exceptions.StateMachineAlreadyExists:
        arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"
        sfn.update_state_machine(stateMachineArn=arn, definition=definition)
        return arn


def one(resource: str = LAMBDA, **fields: Any) -> dict[str, Any]:
    return {"S": {"Type": "Task", "Resource": resource, "End": True, **fields}}


def run(sfn: Any, arn: str, input: str = "{}") -> dict[str, Any]:
    return ended(sfn, sfn.start_execution(stateMachineArn=arn, input=input)["executionArn"])


def output(found: dict[str, Any]) -> Any:
    assert found["status"] == "SUCCEEDED", found
    return json.loads(found["output"])


def types(sfn: Any, found: dict[str, Any]) -> list[str]:
    return [event["type"] for event in sfn.get_execution_history(executionArn=found["executionArn"])["events"]]


def waiting(sfn: Any, arn: str) -> str:
    """An execution that has made its first calls, and waits."""
    execution = sfn.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    end = time.monotonic() + 30
    while "WaitStateEntered" not in types(sfn, {"executionArn": execution}):
        assert time.monotonic() < end
        time.sleep(0.02)
    return execution
