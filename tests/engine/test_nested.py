"""Nested executions: states:startExecution in its forms, and aws-sdk:sfn (ASL A15.68-70)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.support import catch, machine, parallel, passing, task
from stepwell import Executor
from stepwell.asl.json import loads
from stepwell.engine.client import queries

pytestmark = pytest.mark.covers("A15.68", "A15.69", "A15.70")

START = "arn:aws:states:::states:startExecution"
SDK = "arn:aws:states:::aws-sdk:sfn:startExecution"
SDK_SYNC = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"
CHILD_ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:child"
CHILD = machine({"C": task(None, "work")})
FAILING = machine({"C": {"Type": "Fail", "Error": "SomeFailure", "Cause": "as asked"}})


def start(resource: str, next: str | None = None, **parameters: Any) -> dict[str, Any]:
    fields = {key: parameters.pop(key) for key in ("Catch", "Retry", "TimeoutSeconds") if key in parameters}
    return task(next, resource, Parameters={"StateMachineArn": CHILD_ARN, **parameters}, **fields)


@pytest.fixture
def executor() -> Iterator[Executor]:
    with Executor(handlers={"work": lambda value: {"did": value}}) as ex:
        ex.deploy("child", CHILD, publish=True)
        yield ex


def run(ex: Executor, definition: dict[str, Any], input: Any = None) -> Any:
    ex.deploy("parent", definition)
    return ex.start("parent", input).wait(60)


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 10
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)
    return found


def types(execution: Any) -> list[str]:
    return [event["type"] for event in execution.history()]


def test_request_response_answers_at_once(executor: Executor) -> None:
    output = run(executor, machine({"S": start(START, Input={"x": 1}, Name="n1")})).output
    assert output["ExecutionArn"] == "arn:aws:states:us-east-1:000000000000:execution:child:n1"
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert sorted(output) == ["ExecutionArn", "SdkHttpMetadata", "SdkResponseMetadata", "StartDate"]
    [child] = executor.list("child")
    assert child.wait(60).output == {"did": {"x": 1}}


def test_sync_answers_the_childs_description_with_text(executor: Executor) -> None:
    execution = run(executor, machine({"S": start(f"{START}.sync", Input=None, Name="n1")}))
    output = execution.output
    assert list(output) == [
        "ExecutionArn",
        "Input",
        "InputDetails",
        "Name",
        "Output",
        "OutputDetails",
        "RedriveCount",
        "RedriveStatus",
        "RedriveStatusReason",
        "StartDate",
        "StateMachineArn",
        "Status",
        "StopDate",
    ]
    assert (output["RedriveCount"], output["RedriveStatus"]) == (0, "NOT_REDRIVABLE")
    assert output["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert (output["Input"], output["Output"], output["Status"]) == ("{}", '{"did":{}}', "SUCCEEDED")
    assert (output["Name"], output["StateMachineArn"]) == ("n1", CHILD_ARN)
    assert types(execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_sync_2_answers_values(executor: Executor) -> None:
    output = run(executor, machine({"S": start(f"{START}.sync:2", Input={"x": 1})})).output
    assert (output["Input"], output["Output"]) == ({"x": 1}, {"did": {"x": 1}})


@pytest.mark.parametrize("form", [".sync", ".sync:2"])
def test_a_childs_failure_is_a_failed_task_with_the_description_as_its_cause(executor: Executor, form: str) -> None:
    executor.deploy("child", FAILING)
    execution = run(executor, machine({"S": start(f"{START}{form}", Name="n1")}))
    assert execution.error == "States.TaskFailed"
    cause = json.loads(execution.cause)
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("SomeFailure", "as asked", "FAILED")
    assert "Output" not in cause
    assert (cause["RedriveCount"], cause["RedriveStatus"]) == (0, "REDRIVABLE")
    assert "RedriveStatusReason" not in cause
    assert types(execution)[-3:] == ["TaskSubmitted", "TaskFailed", "ExecutionFailed"]


def test_a_timed_out_child_says_so(executor: Executor) -> None:
    executor.deploy("child", machine({"W": {"Type": "Wait", "Seconds": 60, "End": True}}, TimeoutSeconds=1))
    execution = run(
        executor, machine({"S": start(f"{START}.sync", Catch=[catch("States.ALL", next="C")]), "C": passing()})
    )
    cause = json.loads(execution.output["Cause"])
    assert cause["Status"] == "TIMED_OUT"
    assert "Error" not in cause


def test_the_api_call_answers_text_for_times(executor: Executor) -> None:
    output = run(executor, machine({"S": start(SDK, Input={"x": 1})})).output
    assert sorted(output) == ["ExecutionArn", "StartDate"]
    assert output["StartDate"].endswith("Z")


@pytest.mark.parametrize("definition", [machine({"P": passing(Result=7)}), FAILING], ids=["succeeds", "fails"])
def test_start_sync_execution_waits_and_answers_failures_too(executor: Executor, definition: Any) -> None:
    executor.deploy("child", definition, type="EXPRESS")
    output = run(executor, machine({"S": start(SDK_SYNC, Input='{"a": 1}')})).output
    failed = definition is FAILING
    assert output["Status"] == ("FAILED" if failed else "SUCCEEDED")
    assert output.get("Output") == (None if failed else "7")
    assert loads(output["Input"].encode()) == {"a": 1}
    assert output["BillingDetails"]["BilledMemoryUsedInMB"] == 64


def test_wait_for_task_token_gives_the_child_the_token(executor: Executor) -> None:
    tokens: list[str] = []
    executor.register("work", lambda input: tokens.append(input["token"]))
    definition = machine({"S": start(f"{START}.waitForTaskToken", Input={"token.$": "$$.Task.Token"})})
    executor.deploy("parent", definition)
    execution = executor.start("parent")
    token = until(lambda: tokens)[0]
    until(lambda: "TaskSubmitted" in types(execution))  # the child may be at work before its start is reported
    executor.send_task_success(token, {"approved": True})
    assert execution.wait(60).output == {"approved": True}


@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        (START, {"StateMachineArn": CHILD_ARN[:-5] + "nobody"}, "StepFunctions.StateMachineDoesNotExistException"),
        (SDK, {"StateMachineArn": "nobody"}, "Sfn.StateMachineDoesNotExistException"),
        (START, {"Name": "a/b"}, "StepFunctions.InvalidNameException"),
        (START, {"Input": "{"}, "StepFunctions.InvalidExecutionInputException"),
        (SDK, {"StateMachineArn": f"{CHILD_ARN}:7"}, "Sfn.StateMachineDoesNotExistException"),
    ],
)
def test_refusals_have_the_services_names(executor: Executor, resource: str, parameters: Any, error: str) -> None:
    execution = run(executor, machine({"S": start(resource, **parameters)}))
    assert execution.error == error


def test_a_name_that_is_taken_is_refused(executor: Executor) -> None:
    executor.start("child", {"other": 1}, "taken").wait(60)
    execution = run(executor, machine({"S": start(f"{START}.sync", Name="taken")}))
    assert execution.error == "StepFunctions.ExecutionAlreadyExistsException"
    arn = "arn:aws:states:us-east-1:000000000000:execution:child:taken"
    assert execution.cause.startswith(f"Execution Already Exists: '{arn}' (Service: AWSStepFunctions; ")


@pytest.mark.parametrize("given", [CHILD_ARN, "child", f"{CHILD_ARN}:1"])
def test_start_sync_execution_of_a_standard_workflow_is_refused(executor: Executor, given: str) -> None:
    execution = run(executor, machine({"S": start(SDK_SYNC, StateMachineArn=given)}))
    assert execution.error == "Sfn.StateMachineTypeNotSupportedException"
    assert execution.cause.startswith("This operation is not supported by this type of state machine (Service: Sfn, ")
    assert executor.list("child") == []


@pytest.mark.parametrize("resource", [START, f"{START}.sync", f"{START}.sync:2", SDK, SDK_SYNC])
def test_an_express_child_has_an_express_arn(executor: Executor, resource: str) -> None:
    executor.deploy("child", machine({"P": passing(Parameters={"id.$": "$$.Execution.Id"})}), type="EXPRESS")
    output = run(executor, machine({"S": start(resource, Name="n1")})).output
    assert output["ExecutionArn"].startswith("arn:aws:states:us-east-1:000000000000:express:child:n1:")
    if "Output" in output:
        described = output["Output"] if isinstance(output["Output"], dict) else json.loads(output["Output"])
        assert described["id"] == output["ExecutionArn"]


def test_a_version_may_be_named(executor: Executor) -> None:
    executor.deploy("child", FAILING)
    execution = run(executor, machine({"S": start(f"{START}.sync", StateMachineArn=f"{CHILD_ARN}:1")}))
    assert execution.status == "Succeeded"


def test_a_handler_of_the_programs_own_takes_its_place(executor: Executor) -> None:
    executor.register(f"{START}.sync", lambda arguments: "mine")
    assert run(executor, machine({"S": start(f"{START}.sync")})).output == "mine"


def test_a_pattern_of_the_programs_own_takes_its_place(executor: Executor) -> None:
    executor.register("arn:aws:states:::states:*", lambda arguments: "mine")
    assert run(executor, machine({"S": start(START)})).output == "mine"


def waiting_child(ex: Executor, definition: dict[str, Any]) -> tuple[Any, Any]:
    """A parent that waits for its child."""
    ex.deploy("child", machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}}))
    ex.deploy("parent", definition)
    execution = ex.start("parent")
    until(lambda: "TaskSubmitted" in types(execution))
    [child] = ex.list("child")
    return execution, child


def test_a_stopped_parent_stops_its_child(executor: Executor) -> None:
    execution, child = waiting_child(executor, machine({"S": start(f"{START}.sync")}))
    execution.stop()
    assert child.wait(60).status == "Canceled"


def test_a_timed_out_task_stops_its_child(executor: Executor) -> None:
    definition = machine({"S": start(f"{START}.sync", TimeoutSeconds=1)})
    execution, child = waiting_child(executor, definition)
    assert execution.wait(60).error == "States.Timeout"
    assert child.wait(60).status == "Canceled"


def test_a_failed_sibling_stops_the_child_of_a_branch(executor: Executor) -> None:
    gate = threading.Event()

    def fail(_: Any) -> None:
        gate.wait(60)
        raise ValueError

    executor.register("fails", fail)
    branches = machine({"S": start(f"{START}.sync")}), machine({"F": task(None, "fails")})
    execution, child = waiting_child(executor, machine({"P": parallel(*branches)}))
    gate.set()
    assert execution.wait(60).error == "ValueError"
    assert child.wait(60).status == "Canceled"


def test_a_child_that_nobody_waits_for_runs_on(executor: Executor) -> None:
    executor.deploy("child", machine({"W": {"Type": "Wait", "Seconds": 1, "End": True}}))
    run(executor, machine({"S": start(START, "F"), "F": {"Type": "Fail"}}))
    [child] = executor.list("child")
    assert child.wait(60).status == "Succeeded"


def test_a_wait_for_a_child_survives_a_restart(tmp_path: Path) -> None:
    gate = threading.Event()
    with Executor(tmp_path, handlers={"work": lambda _: gate.wait(60)}) as ex:
        ex.deploy("child", CHILD)
        ex.deploy("parent", machine({"S": start(f"{START}.sync:2")}))
        execution = ex.start("parent")
        until(lambda: "TaskSubmitted" in types(execution))
        threading.Timer(0.2, gate.set).start()
    with Executor(tmp_path, handlers={"work": lambda _: "after"}) as ex:
        execution = ex.get(execution.id).wait(60)
        assert execution.status == "Succeeded"
        assert types(execution).count("TaskSubmitted") == 1
        assert len(ex.list("child")) == 1


def test_a_child_that_ended_while_nobody_looked_still_completes_its_task(tmp_path: Path) -> None:
    with Executor(tmp_path) as ex:
        execution, child = waiting_child(ex, machine({"S": start(f"{START}.sync", Name="mine")}))
        ex.client.host.partition.services.on_ended = lambda execution: None  # as if the process had died just then
        child.stop("Gone")
    with Executor(tmp_path) as ex:
        ended = ex.get(execution.id).wait(60)
        assert ended.error == "States.TaskFailed"
        assert json.loads(ended.cause)["Status"] == "ABORTED"


def test_the_children_of_an_execution_are_listed_under_it(executor: Executor) -> None:
    definition = machine({"A": start(START, "B", Name="a"), "B": start(f"{START}.sync:2", Name="b")})
    parent = run(executor, definition)
    executor.start("child", execution_name="nobodys").wait(60)
    assert [child.name for child in executor.executions(parent=parent.id)] == ["b", "a"]
    assert [child.name for child in executor.executions(parent=parent.arn, name_prefix="a")] == ["a"]
    assert [child.name for child in executor.executions("child", parent=parent.id)] == ["b", "a"]
    assert [child.name for child in executor.list(parent=parent.id, limit=1)] == ["b"]
    assert not executor.list("parent", parent=parent.id)
    assert not executor.list(parent=executor.get(workflow="child", name="nobodys").id)


def test_what_was_started_after_an_execution_has_ended_is_not_looked_at(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "CLOCK_MICROSECONDS", 0)
    parent = run(executor, machine({"A": start(f"{START}.sync", Name="mine")}))
    for number in range(5):
        executor.start("child", execution_name=f"later-{number}").wait(60)
    looked_at: list[str] = []
    has = executor.client.queries._is_child
    monkeypatch.setattr(
        executor.client.queries, "_is_child", lambda row, id: looked_at.append(row.name) or has(row, id)
    )
    assert [child.name for child in executor.executions(parent=parent.id)] == ["mine"]
    assert not [name for name in looked_at if name.startswith("later")]


def test_many_waiting_parents_take_no_threads(executor: Executor) -> None:
    executor.deploy("child", machine({"W": {"Type": "Wait", "Seconds": 1, "End": True}}))
    executor.deploy("parent", machine({"S": start(f"{START}.sync:2", **{"Input.$": "$"})}))
    executions = [executor.start("parent", {"n": n}) for n in range(200)]
    until(lambda: len(executor.list("child")) == 200)
    outputs = [execution.wait(60).output["Output"] for execution in executions]
    assert outputs == [{"n": n} for n in range(200)]
