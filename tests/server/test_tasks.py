"""Tokens and activities (API semantics, chapter 8)."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .support import SECONDS, Served, ended, machine, refusal, serving

INVALID = ("InvalidToken", "Invalid Token: 'Invalid token'")
CLOSED = ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def waiting_for(activity: str, **more: Any) -> dict[str, Any]:
    return {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": activity, "End": True, **more}}}


@pytest.fixture
def activity(sfn: Any, name: str) -> str:
    return str(sfn.create_activity(name=name)["activityArn"])


@pytest.fixture
def token(sfn: Any, name: str, activity: str) -> tuple[str, str]:
    """The token of an open task, and its execution."""
    arn = machine(sfn, name, waiting_for(activity))
    execution = sfn.start_execution(stateMachineArn=arn, input='{"a":1}')["executionArn"]
    return sfn.get_activity_task(activityArn=activity, workerName="me")["taskToken"], execution


def test_a_worker_gets_the_input_and_its_output_ends_the_task(sfn: Any, name: str, activity: str) -> None:
    started = sfn.start_execution(stateMachineArn=machine(sfn, name, waiting_for(activity)), input='{"a":1}')
    task = sfn.get_activity_task(activityArn=activity, workerName="me")
    assert task["input"] == '{"a":1}'
    sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{ "b": 2 }')
    assert ended(sfn, started["executionArn"])["output"] == '{"b":2}'
    events = sfn.get_execution_history(executionArn=started["executionArn"])["events"]
    begun = next(event for event in events if event["type"] == "ActivityStarted")
    assert begun["activityStartedEventDetails"] == {"workerName": "me"}


def test_a_failure_may_lack_error_and_cause(sfn: Any, token: tuple[str, str]) -> None:
    sfn.send_task_failure(taskToken=token[0])
    found = ended(sfn, token[1])
    assert (found["status"], "error" in found, "cause" in found) == ("FAILED", False, False)


def test_a_failure_has_its_error_and_cause(sfn: Any, token: tuple[str, str]) -> None:
    sfn.send_task_failure(taskToken=token[0], error="Bad", cause="because")
    found = ended(sfn, token[1])
    assert (found["error"], found["cause"]) == ("Bad", "because")


@pytest.mark.parametrize("text", ["x", "AAAA", "é", "/default/default/e0000000/0000000000000000/00000000", "=" * 2048])
def test_a_token_that_was_never_made_is_invalid(sfn: Any, text: str) -> None:
    assert refusal(sfn.send_task_success, taskToken=text, output="{}") == INVALID
    assert refusal(sfn.send_task_failure, taskToken=text) == INVALID
    assert refusal(sfn.send_task_heartbeat, taskToken=text) == INVALID


@pytest.mark.parametrize("how", ["done", "failed", "stopped"])
def test_a_token_works_once(sfn: Any, token: tuple[str, str], how: str) -> None:
    text, execution = token
    match how:
        case "done":
            sfn.send_task_success(taskToken=text, output="1")
        case "failed":
            sfn.send_task_failure(taskToken=text)
        case _:
            sfn.stop_execution(executionArn=execution)
    assert refusal(sfn.send_task_success, taskToken=text, output="{}") == CLOSED
    assert refusal(sfn.send_task_failure, taskToken=text) == CLOSED
    assert refusal(sfn.send_task_heartbeat, taskToken=text) == CLOSED


def test_a_task_that_timed_out_is_closed(sfn: Any, name: str, activity: str) -> None:
    arn = machine(sfn, name, waiting_for(activity, TimeoutSeconds=1))
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    text = sfn.get_activity_task(activityArn=activity)["taskToken"]
    assert ended(sfn, execution)["status"] == "FAILED"
    assert refusal(sfn.send_task_heartbeat, taskToken=text) == CLOSED


def test_what_is_wrong_is_told_in_order_constraints_token_output_state(sfn: Any, token: tuple[str, str]) -> None:
    broken = "1 validation error detected: Value at 'output' failed to satisfy constraint: Member must "
    size = "have size less than or equal to 262144 bytes in UTF-8 encoding"
    assert refusal(sfn.send_task_success, taskToken="x", output='"' + "x" * 262_144) == (
        "ValidationException",
        broken + size,
    )
    assert refusal(sfn.send_task_success, taskToken="x") == ("ValidationException", broken + "not be null")
    assert refusal(sfn.send_task_success, taskToken="x", output="{") == INVALID
    sfn.send_task_success(taskToken=token[0], output="1")
    code, text = refusal(sfn.send_task_success, taskToken=token[0], output="nonsense")
    assert (code, text[:49]) == ("InvalidOutput", "Invalid Output: 'Unrecognized token 'nonsense': w")


def test_the_output_of_an_open_task_must_be_json(sfn: Any, token: tuple[str, str]) -> None:
    assert refusal(sfn.send_task_success, taskToken=token[0], output="{'a': 1}")[0] == "InvalidOutput"
    sfn.send_task_success(taskToken=token[0], output="null")
    assert ended(sfn, token[1])["output"] == "null"


# polls


def test_a_poll_waits_for_a_task(sfn: Any, name: str, activity: str) -> None:
    arn = machine(sfn, name, waiting_for(activity))
    with ThreadPoolExecutor() as pool:
        polls = [pool.submit(sfn.get_activity_task, activityArn=activity) for _ in range(5)]
        time.sleep(0.2)
        executions = [sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(5)]
        tokens = {poll.result(SECONDS)["taskToken"] for poll in polls}
    assert len(tokens) == len(executions) == 5


def test_a_thousand_polls_take_no_threads_and_each_task_goes_to_one(
    served: Served, sfn: Any, name: str, activity: str
) -> None:
    arn = machine(sfn, name, waiting_for(activity))
    before = threads_of(served)
    connections = [poll(served, activity) for _ in range(1000)]
    try:
        executions = {
            sfn.start_execution(stateMachineArn=arn, name=f"{name}-{number}")["executionArn"] for number in range(20)
        }
        assert threads_of(served) - before < 20
        for _ in executions:
            answered = select.poll()
            for each in connections:
                answered.register(each, select.POLLIN)
            number = answered.poll(SECONDS * 1000)[0][0]
            connection = next(each for each in connections if each.fileno() == number)
            token = json.loads(connection.recv(65_536).partition(b"\r\n\r\n")[2])["taskToken"]
            connections.remove(connection)
            connection.close()
            sfn.send_task_success(taskToken=token, output="1")
        assert {ended(sfn, execution)["status"] for execution in executions} == {"SUCCEEDED"}
    finally:
        for each in connections:
            each.close()


def test_a_client_that_has_gone_does_not_take_a_task(served: Served, sfn: Any, name: str, activity: str) -> None:
    arn = machine(sfn, name, waiting_for(activity))
    executions = [sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(5)]
    for _ in range(20):
        poll(served, activity).close()
    for _ in executions:
        sfn.send_task_success(taskToken=sfn.get_activity_task(activityArn=activity)["taskToken"], output="1")
    assert {ended(sfn, execution)["status"] for execution in executions} == {"SUCCEEDED"}


def test_a_client_that_goes_while_it_waits_does_not_take_a_task(
    served: Served, sfn: Any, name: str, activity: str
) -> None:
    arn = machine(sfn, name, waiting_for(activity))
    connections = [poll(served, activity) for _ in range(20)]
    time.sleep(0.2)
    for connection in connections:
        connection.close()
    executions = [sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(5)]
    for _ in executions:
        sfn.send_task_success(taskToken=sfn.get_activity_task(activityArn=activity)["taskToken"], output="1")
    assert {ended(sfn, execution)["status"] for execution in executions} == {"SUCCEEDED"}


def test_a_task_whose_answer_was_not_read_goes_to_the_next_worker(sfn: Any, served: Served, activity: str) -> None:
    sfn.start_execution(stateMachineArn=machine(sfn, activity.rpartition(":")[2], waiting_for(activity)))
    connection = poll(served, activity)
    assert select.select([connection], [], [], SECONDS)[0]
    connection.close()
    assert sfn.get_activity_task(activityArn=activity)["taskToken"]


def test_a_task_whose_answer_was_read_is_not_given_out_again(sfn: Any, served: Served, activity: str) -> None:
    arn = machine(sfn, activity.rpartition(":")[2], waiting_for(activity))
    sfn.start_execution(stateMachineArn=arn, input="1")
    with poll(served, activity) as connection:
        assert b'"input":"1"' in connection.recv(65_536)
    sfn.start_execution(stateMachineArn=arn, input="2")
    assert sfn.get_activity_task(activityArn=activity)["input"] == "2"


def test_waiting_polls_end_when_the_server_stops() -> None:
    with serving() as server:
        activity = server.client.create_activity(name="idle")["activityArn"]
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(server.client.get_activity_task, activityArn=activity)
            time.sleep(0.5)
            assert server.stop() == 0
            answer = waiting.result(SECONDS)
        assert "taskToken" not in answer
        assert "input" not in answer


def poll(served: Served, activity: str) -> socket.socket:
    """A connection on which GetActivityTask was asked for."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    body = json.dumps({"activityArn": activity})
    head = f"POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: AWSStepFunctions.GetActivityTask\r\nContent-Length: "
    connection = socket.create_connection((host, int(port)), SECONDS)
    connection.sendall(f"{head}{len(body)}\r\n\r\n{body}".encode())
    return connection


def threads_of(served: Served) -> int:
    return len(os.listdir(f"/proc/{served.process.pid}/task"))
