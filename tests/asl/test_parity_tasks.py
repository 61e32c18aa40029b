"""Tasks as AWS runs them, from outside: tokens in the Context Object, errors that have no cause."""

import pytest

from stepwell.testing import scripted_run

SYNC = "arn:aws:states:::states:startExecution.sync:2"
SUBMITTED = {"ExecutionArn": "arn:x"}


def run(states, tasks, **machine):
    return scripted_run({"StartAt": next(iter(states)), "States": states, **machine}, {}, tasks)


def scheduled(ended):
    (event,) = [event for event in ended["events"] if event["type"] == "TaskScheduled"]
    return event["taskScheduledEventDetails"]["parameters"]


@pytest.mark.covers("A14")
@pytest.mark.parametrize(
    ("resource", "service", "action"),
    [
        (SYNC, "states", "startExecution.sync:2"),
        ("arn:aws:states:::batch:submitJob.sync", "batch", "submitJob.sync"),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "sqs", "sendMessage.waitForTaskToken"),
    ],
)
@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_every_integration_that_waits_has_a_token_in_its_context(resource, service, action, language):
    # R: a definition of AWS's samples hands the token of a .sync task on.
    asked = {"StateMachineArn": "arn:m", "QueueUrl": "q"}
    if language == "JSONPath":
        fields = {"Parameters": {**asked, "MessageBody.$": "$$.Task.Token"}}
    else:
        fields = {"Arguments": {**asked, "MessageBody": "{% $states.context.Task.Token %}"}}
    answer = {"resourceType": service, "resource": action, "submitted": SUBMITTED, "outcome": "succeeded", "output": 1}
    ended = run({"T": {"Type": "Task", "Resource": resource, "End": True, **fields}}, [answer], QueryLanguage=language)
    assert ended["status"] == "SUCCEEDED", ended
    assert '"MessageBody":"' in scheduled(ended)


def test_an_integration_that_does_not_wait_has_none():
    resource = "arn:aws:states:::sqs:sendMessage"
    state = {"Type": "Task", "Resource": resource, "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}}
    ended = run({"T": {**state, "End": True}}, [])
    assert ended["error"] == "States.Runtime"
    assert "The JSONPath '$$.Task.Token' specified for the field 'MessageBody.$'" in ended["cause"]


@pytest.mark.covers("A7.41")
def test_a_time_that_ran_out_has_an_empty_cause_for_its_catcher():
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "TimeoutSeconds": 1}
    handled = {"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"}
    caught = {**task, "Next": "F", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "F"}]}
    ended = run({"T": caught, "F": handled}, [{"resource": "f", "outcome": "timedout"}])
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "States.Timeout", "")
    exited = [event for event in ended["events"] if event["type"] == "TaskStateExited"]
    assert exited[0]["stateExitedEventDetails"]["output"] == '{"Error":"States.Timeout","Cause":""}'


@pytest.mark.covers("A7.41")
def test_a_time_that_ran_out_within_a_branch_has_an_empty_cause_as_well():
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "TimeoutSeconds": 1}
    branch = {"StartAt": "T", "States": {"T": {**task, "End": True}}}
    parallel = {
        "Type": "Parallel",
        "Branches": [branch],
        "Next": "Done",
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Done"}],
    }
    ended = run({"P": parallel, "Done": {"Type": "Succeed"}}, [{"resource": "f", "outcome": "timedout"}])
    assert ended["output"] == {"Error": "States.Timeout", "Cause": ""}
    timed_out = [event for event in ended["events"] if event["type"] == "LambdaFunctionTimedOut"]
    assert timed_out[0]["lambdaFunctionTimedOutEventDetails"] == {"error": "States.Timeout"}  # R: no cause here
