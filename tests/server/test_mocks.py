"""serve --mock-config: test cases of Step Functions Local's mock file, chosen by ARN#TestCase (ASL A16.82)."""

from __future__ import annotations

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

from .mock_support import (
    ACTIVITY,
    ASK,
    CALLBACK,
    FILE,
    GLUE,
    INTEGRATION,
    INVOKE,
    LAMBDA,
    LOOP,
    SEND,
    SQS,
    START,
    created,
    one,
    options,
    output,
    run,
    types,
    waiting,
    write_files,
)
from .support import Served, ended, refusal, serving

pytestmark = pytest.mark.covers("A16.82")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mocks")
    write_files(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    with serving(*options(folder)) as served:
        yield served


@pytest.fixture(scope="module")
def mocked(server: Served) -> Any:
    return server.client


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


def test_a_mocked_execution_meets_no_real_handler_in_a_server_without_the_file(tmp_path: Path) -> None:
    write_files(tmp_path)
    with serving(*options(tmp_path)) as server:
        execution = waiting(server.client, created(server.client, "loop", LOOP) + "#Twice")
        assert server.stop() == 0
    with serving("--data", str(tmp_path / "data"), "--handlers", str(tmp_path / "work.py")) as server:
        found = ended(server.client, execution)
        assert (found["error"], "without a mock file" in found["cause"]) == ("States.Runtime", True)


def test_workers_elsewhere_do_only_what_is_not_mocked(tmp_path: Path) -> None:
    write_files(tmp_path)
    with serving("--mock-config", str(tmp_path / "MockConfigFile.json"), "--wait-for-workers") as server:
        command = [sys.executable, "-m", "stepwell", "worker", "--server", server.url]
        with subprocess.Popen([*command, "--handlers", str(tmp_path / "work.py")]) as worker:
            arn = created(server.client, "one", one())
            assert output(run(server.client, arn)) == "real"
            assert output(run(server.client, f"{arn}#Returns")) == {"mocked": True}
            worker.terminate()
            assert worker.wait(60) == 0


def test_it_works_over_partitions(tmp_path: Path) -> None:
    write_files(tmp_path)
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
