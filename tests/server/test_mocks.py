"""serve --mock-config: test cases of Step Functions Local's mock file, chosen by ARN#TestCase (ASL A16.82)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell import AsyncExecutor
from stepwell.step_functions.mocks import Mocks

from .support import Served, refusal, serving

pytestmark = pytest.mark.covers("A16.82")
ROLE = "arn:aws:iam::000000000000:role/any"
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mocks")
    (folder / "MockConfigFile.json").write_text(json.dumps(FILE))
    (folder / "work.py").write_text(HANDLERS)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    with serving(*options(folder)) as served:
        yield served


@pytest.fixture(scope="module")
def mocked(server: Served) -> Any:
    return server.client


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


def ended(sfn: Any, execution: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.02)
    return found


def run(sfn: Any, arn: str, input: str = "{}") -> dict[str, Any]:
    return ended(sfn, sfn.start_execution(stateMachineArn=arn, input=input)["executionArn"])


def output(found: dict[str, Any]) -> Any:
    assert found["status"] == "SUCCEEDED", found
    return json.loads(found["output"])


def types(sfn: Any, found: dict[str, Any]) -> list[str]:
    return [event["type"] for event in sfn.get_execution_history(executionArn=found["executionArn"])["events"]]


def test_the_cases_of_the_developer_guide(mocked: Any) -> None:
    arn = created(mocked, "LambdaSQSIntegration", INTEGRATION)
    found = run(mocked, f"{arn}#HappyPath")
    assert output(found) == {"MessageId": "3bcb6e8e"}
    assert (found["stateMachineArn"], ":execution:LambdaSQSIntegration:" in found["executionArn"]) == (arn, True)
    assert output(run(mocked, f"{arn}#HybridPath")) == {"real": True}
    found = run(mocked, f"{arn}#RetryPath")
    assert output(found) == {"MessageId": "3bcb6e8e"}
    assert types(mocked, found).count("TaskFailed") == 3


def test_a_throw_is_caught_by_its_name_and_cause(mocked: Any) -> None:
    states = one(Catch=[{"ErrorEquals": ["Card.Declined"], "Next": "C"}]) | {"C": {"Type": "Pass", "End": True}}
    assert output(run(mocked, created(mocked, "one", states) + "#Throws")) == {
        "Error": "Card.Declined",
        "Cause": "no money",
    }


@pytest.mark.parametrize("resource", [LAMBDA, INVOKE, SQS, CALLBACK, GLUE, ACTIVITY])
def test_whatever_a_task_would_wait_for_the_response_is_its_result(mocked: Any, resource: str) -> None:
    parameters: dict[str, Any] = {GLUE: {"JobName": "j"}, INVOKE: {"FunctionName": "Work"}, SQS: SEND, CALLBACK: ASK}
    parameters = {"Parameters": parameters[resource]} if resource in parameters else {}
    if resource == ACTIVITY:
        mocked.create_activity(name="review")
    found = run(mocked, created(mocked, "one", one(resource, **parameters)) + "#Returns")
    assert output(found) == {"mocked": True}
    assert ("TaskSubmitted" in types(mocked, found)) == (resource in (CALLBACK, GLUE))
    assert ("ActivityStarted" in types(mocked, found)) == (resource == ACTIVITY)


def test_workers_get_only_the_tasks_of_executions_without_a_test_case(mocked: Any) -> None:
    mocked.create_activity(name="review")
    arn = created(mocked, "one", one(ACTIVITY))
    mocked_ones = [mocked.start_execution(stateMachineArn=f"{arn}#Returns")["executionArn"] for _ in range(5)]
    real = mocked.start_execution(stateMachineArn=arn, input='"real"')["executionArn"]
    task = mocked.get_activity_task(activityArn=ACTIVITY)
    assert task["input"] == '"real"'
    mocked.send_task_success(taskToken=task["taskToken"], output="1")
    assert output(ended(mocked, real)) == 1
    assert [output(ended(mocked, each)) for each in mocked_ones] == [{"mocked": True}] * 5


def test_an_execution_without_a_test_case_is_not_mocked(mocked: Any) -> None:
    assert output(run(mocked, created(mocked, "one", one()))) == "real"


def test_iterations_use_one_count(mocked: Any) -> None:
    work = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": LAMBDA, "End": True}}}
    each = {"Type": "Map", "MaxConcurrency": 1, "Iterator": work, "End": True}
    arn = created(mocked, "each", {"M": each})
    assert output(run(mocked, f"{arn}#Counted", "[0, 0, 0, 0, 0]")) == [
        "zero",
        "one or two",
        "one or two",
        "more",
        "more",
    ]


def read() -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    work = {"Work": {"Type": "Task", "Resource": LAMBDA, "End": True}}
    processor = {"ProcessorConfig": config, "StartAt": "Work", "States": work}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    reader["ReaderConfig"] = {"InputType": "JSON"}
    return {"All": {"Type": "Map", "ItemProcessor": processor, "ItemReader": reader, "MaxConcurrency": 1, "End": True}}


def test_a_distributed_map_reads_mocked_items_and_its_children_are_mocked(mocked: Any) -> None:
    arn = created(mocked, "read", read())
    found = run(mocked, f"{arn}#Read")
    assert output(found) == ["zero", "one or two", "one or two"]
    [map_run] = mocked.list_map_runs(executionArn=found["executionArn"])["mapRuns"]
    children = mocked.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]
    assert [child["status"] for child in children] == ["SUCCEEDED"] * 3
    assert mocked.describe_map_run(mapRunArn=map_run["mapRunArn"])["executionCounts"]["succeeded"] == 3
    assert refusal(mocked.start_execution, stateMachineArn=f"{arn}#Object") == (
        "ValidationException",
        "MockedResponses.Once.0.Return: the ItemReader of state 'All' reads a list, not an object",
    )


def test_a_nested_execution_has_the_test_case_that_its_arn_names(mocked: Any) -> None:
    child = created(mocked, "one", one())
    start = f"arn:aws:states:::{START}"
    plain = created(mocked, "parent", one(start, Parameters={"StateMachineArn": child}))
    assert output(run(mocked, plain))["Output"] == "real"
    assert output(run(mocked, f"{plain}#Mocked")) == {"mocked": True}
    named = created(mocked, "parent", one(start, Parameters={"StateMachineArn": f"{child}#Returns"}))
    assert output(run(mocked, named))["Output"] == {"mocked": True}
    wrong = created(mocked, "parent", one(start, Parameters={"StateMachineArn": f"{child}#Nothing"}))
    found = run(mocked, wrong)
    assert found["error"] == "StepFunctions.ValidationException"
    assert "'one' has no case 'Nothing'" in found["cause"]


def test_a_version_or_an_alias_may_stand_before_the_test_case(mocked: Any) -> None:
    machine = created(mocked, "one", one())
    version = mocked.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = mocked.create_state_machine_alias(name="live", routingConfiguration=routing)["stateMachineAliasArn"]
    created(mocked, "one", one(SQS, Parameters=SEND))  # what the version does not do
    for arn in (version, alias):
        started = run(mocked, f"{arn}#Returns")
        assert (output(started), started["stateMachineVersionArn"]) == ({"mocked": True}, version)
        assert started.get("stateMachineAliasArn") == (alias if arn == alias else None)
        assert "LambdaFunctionScheduled" in types(mocked, started)
        [listed, *_] = mocked.list_executions(stateMachineArn=arn)["executions"]
        assert listed["executionArn"] == started["executionArn"]
    plain = run(mocked, f"{machine}#Returns")
    assert "stateMachineVersionArn" not in plain
    for status in ("SUCCEEDED", None):
        filters = {} if status is None else {"statusFilter": status}
        found = mocked.list_executions(stateMachineArn=machine, **filters)["executions"]
        assert [each["executionArn"] for each in found].count(plain["executionArn"]) == 1
    parent = one(f"arn:aws:states:::{START}", Parameters={"StateMachineArn": f"{alias}#Returns"})
    assert output(run(mocked, created(mocked, "parent", parent)))["Output"] == {"mocked": True}


def test_a_running_mocked_execution_is_listed_once(mocked: Any) -> None:
    states = {"W": {"Type": "Wait", "Seconds": 600, "Next": "S"}, **one()}
    arn = created(mocked, "slow", states)
    execution = mocked.start_execution(stateMachineArn=f"{arn}#Returns")["executionArn"]
    found = mocked.list_executions(stateMachineArn=arn)["executions"]
    assert [each["executionArn"] for each in found] == [execution]
    mocked.stop_execution(executionArn=execution)
    found = mocked.list_executions(stateMachineArn=arn)["executions"]
    assert [(each["executionArn"], each["status"]) for each in found] == [(execution, "ABORTED")]


def test_an_express_execution_is_mocked_too(mocked: Any) -> None:
    arn = created(mocked, "loop", one(), type="EXPRESS")
    assert mocked.start_sync_execution(stateMachineArn=f"{arn}#Twice")["output"] == '"zero"'


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("Nothing", "'one' has no case 'Nothing'; it has Returns, Throws, Wrong"),
        ("", "'one' has no case ''; it has Returns, Throws, Wrong"),
        ("Wrong", "StateMachines.one.TestCases.Wrong.Other: the definition has no state 'Other' that calls anything"),
    ],
)
def test_what_the_file_has_not_is_refused(mocked: Any, case: str, problem: str) -> None:
    arn = created(mocked, "one", one())
    assert refusal(mocked.start_execution, stateMachineArn=f"{arn}#{case}") == ("ValidationException", problem)


def test_a_machine_that_the_file_has_not_is_refused(mocked: Any, sfn: Any, name: str) -> None:
    arn = created(mocked, "unnamed", one())
    code, text = refusal(mocked.start_execution, stateMachineArn=f"{arn}#Case")
    assert (code, text.partition(":")[0]) == ("ValidationException", "the mock file has no state machine 'unnamed'")
    code, _ = refusal(mocked.start_execution, stateMachineArn=f"{arn}x#Case")
    assert code == "StateMachineDoesNotExist"
    code, text = refusal(sfn.start_execution, stateMachineArn=created(sfn, name, one()) + "#Case")
    assert (code, "--mock-config" in text) == ("ValidationException", True)


def test_responses_that_are_used_up_fail_the_execution_whatever_it_catches(mocked: Any) -> None:
    again = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 9, "BackoffRate": 1}]
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    states = one(Retry=again, Catch=caught) | {"C": {"Type": "Pass", "End": True}}
    found = run(mocked, created(mocked, "one", states) + "#Throws")
    problem = "MockedResponses.Thrown has no response for call 3 of state 'S' (one#Throws)"
    assert (found["error"], found["cause"]) == ("States.Runtime", problem)


def test_a_reload_takes_another_file_and_keeps_the_last_good_one(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(FILE))
    with serving("--mock-config", str(file)) as server:
        sfn, arn = server.client, created(server.client, "one", one())
        for value in ("first", "second"):
            file.write_text(json.dumps(FILE | {"MockedResponses": FILE["MockedResponses"] | answer(value)}))
            server.process.send_signal(signal.SIGHUP)
            until_output(sfn, f"{arn}#Returns", value)
        file.write_text("{")
        server.process.send_signal(signal.SIGHUP)
        assert output(run(sfn, f"{arn}#Returns")) == "second"


def answer(value: str) -> dict[str, Any]:
    return {"Once": {"0": {"Return": value}}}


def until_output(sfn: Any, arn: str, value: Any) -> None:
    end = time.monotonic() + 30
    while output(run(sfn, arn)) != value:
        assert time.monotonic() < end, "the file was not read again"


def waiting(sfn: Any, arn: str) -> str:
    """An execution that has made its first calls, and waits."""
    execution = sfn.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    end = time.monotonic() + 30
    while "WaitStateEntered" not in types(sfn, {"executionArn": execution}):
        assert time.monotonic() < end
        time.sleep(0.02)
    return execution


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


def test_the_count_goes_on_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(FILE))
    (tmp_path / "work.py").write_text(HANDLERS)
    with serving(*options(tmp_path)) as server:
        execution = waiting(server.client, created(server.client, "loop", LOOP) + "#Twice")
        server.process.kill()
    with serving(*options(tmp_path)) as server:
        assert output(ended(server.client, execution)) == "one or two"
        assert types(server.client, {"executionArn": execution}).count("TaskStateEntered") == 2


def test_a_task_that_the_engine_hands_out_while_it_opens_is_counted_too(tmp_path: Path) -> None:
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(FILE))
    (tmp_path / "work.py").write_text(HANDLERS)
    with serving(*options(tmp_path)) as server:
        arn = waiting(server.client, created(server.client, "loop", LOOP) + "#Twice")
        server.process.kill()

    async def go_on() -> int:
        executor, mocks = AsyncExecutor(tmp_path / "data"), Mocks(str(tmp_path / "MockConfigFile.json"))
        executor.use_mocks(mocks)
        async with executor:
            execution = await executor.get(arn)
            while [event["type"] for event in await execution.history()].count("TaskStateEntered") < 2:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)  # time for the answer that must not come yet
            mocks.attach(executor)
            await execution.wait(60)
            return [event["type"] for event in await execution.history()].count("TaskStateEntered")

    assert asyncio.run(go_on()) == 2  # a third call is made if the second one is answered as if it were the first


def spread() -> dict[str, Any]:
    """A Distributed Map, one child after the other: each calls Work, waits and calls it again."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    work = {"Type": "Task", "Resource": LAMBDA}
    child = {
        "First": {"Type": "Pass", "Next": "Work"},
        "Work": {**work, "ResultPath": "$.answer", "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 2, "End": True},
    }
    child["First"]["Parameters"] = {}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}
    mapping = {"Type": "Map", "MaxConcurrency": 1, "ItemReader": reader, "ResultWriter": writer, "End": True}
    return {"All": {**mapping, "ItemProcessor": {**config, "StartAt": "First", "States": child}}}


def test_the_count_goes_on_in_the_children_of_a_map_run_and_at_its_writer(tmp_path: Path) -> None:
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(FILE))
    (tmp_path / "work.py").write_text(HANDLERS)
    with serving(*options(tmp_path)) as server:
        sfn = server.client
        arn = created(sfn, "spread", spread())
        execution = sfn.start_execution(stateMachineArn=f"{arn}#Counted")["executionArn"]
        first = child_that_waits(sfn, execution)
        server.process.kill()
    with serving(*options(tmp_path)) as server:
        sfn = server.client
        assert output(ended(sfn, execution)) == {"written": True}
        (run_of,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
        children = sfn.list_executions(mapRunArn=run_of["mapRunArn"])["executions"]
        outputs = {each["executionArn"]: output(ended(sfn, each["executionArn"])) for each in children}
        assert outputs.pop(first) == {"answer": "zero"}
        assert list(outputs.values()) == [{"answer": "one or two"}]


def child_that_waits(sfn: Any, execution: str) -> str:
    """The first child of the map run of an execution, once it waits."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for run_of in sfn.list_map_runs(executionArn=execution)["mapRuns"]:
            for child in sfn.list_executions(mapRunArn=run_of["mapRunArn"])["executions"]:
                if "WaitStateEntered" in types(sfn, child):
                    return str(child["executionArn"])
        time.sleep(0.02)
    raise AssertionError("no child waits")


def test_a_mocked_execution_meets_no_real_handler_in_a_server_without_the_file(tmp_path: Path) -> None:
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(FILE))
    (tmp_path / "work.py").write_text(HANDLERS)
    with serving(*options(tmp_path)) as server:
        execution = waiting(server.client, created(server.client, "loop", LOOP) + "#Twice")
        assert server.stop() == 0
    with serving("--data", str(tmp_path / "data"), "--handlers", str(tmp_path / "work.py")) as server:
        found = ended(server.client, execution)
        assert (found["error"], "without a mock file" in found["cause"]) == ("States.Runtime", True)


def test_workers_elsewhere_do_only_what_is_not_mocked(tmp_path: Path) -> None:
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(FILE))
    (tmp_path / "work.py").write_text(HANDLERS)
    with serving("--mock-config", str(tmp_path / "MockConfigFile.json"), "--wait-for-workers") as server:
        command = [sys.executable, "-m", "stepwell", "worker", "--server", server.url]
        with subprocess.Popen([*command, "--handlers", str(tmp_path / "work.py")]) as worker:
            arn = created(server.client, "one", one())
            assert output(run(server.client, arn)) == "real"
            assert output(run(server.client, f"{arn}#Returns")) == {"mocked": True}
            worker.terminate()
            assert worker.wait(60) == 0


def test_it_works_over_partitions(tmp_path: Path) -> None:
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(FILE))
    (tmp_path / "work.py").write_text(HANDLERS)
    with serving(*options(tmp_path, "--partitions", "2")) as server:
        sfn = server.client
        assert output(run(sfn, created(sfn, "read", read()) + "#Read")) == ["zero", "one or two", "one or two"]
        sfn.create_activity(name="review")
        arn = created(sfn, "one", one(ACTIVITY))
        started = [sfn.start_execution(stateMachineArn=f"{arn}#Returns")["executionArn"] for _ in range(4)]
        assert [output(ended(sfn, each)) for each in started] == [{"mocked": True}] * 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"StateMachines": {', "is not valid JSON at line 1, column 20"),
        ('{"StateMachines": {}}', "has no object MockedResponses"),
        (
            '{"StateMachines": {"m": {"TestCases": {"c": {"S": "r"}}}}, "MockedResponses": {}}',
            "StateMachines.m.TestCases.c.S names 'r'",
        ),
        (
            '{"StateMachines": {}, "MockedResponses": {"r": {"0-2": {"Return": 1}, "2": {"Return": 1}}}}',
            "MockedResponses.r has more than one response for call 2",
        ),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_file_ends_the_command_with_its_place(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "mocks.json"
    if text is not None:
        file.write_text(text)
    command = [sys.executable, "-m", "stepwell", "serve", "--port", "0"]
    environment = {**os.environ, "SFN_MOCK_CONFIG": str(file)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert ended.returncode == 2
    assert problem in ended.stderr
    assert str(file) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_many_executions_at_once_count_for_themselves(mocked: Any) -> None:
    work = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": LAMBDA, "End": True}}}
    arn = created(mocked, "each", {"M": {"Type": "Map", "MaxConcurrency": 1, "Iterator": work, "End": True}})
    started = [
        mocked.start_execution(stateMachineArn=f"{arn}#Counted", input="[0, 0]")["executionArn"] for _ in range(20)
    ]
    assert [output(ended(mocked, each)) for each in started] == [["zero", "one or two"]] * 20
