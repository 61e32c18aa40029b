"""Step Functions' own API, called by state machines: aws-sdk:sfn and its operations (ASL A15)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_origin

import msgspec
import pytest

from engine.support import catch, machine, map_over, passing, task
from stepwell import AsyncExecutor, Executor
from stepwell.asl.timestamps import parse_timestamp
from stepwell.step_functions import model
from stepwell.step_functions.constraints import members_of
from stepwell.step_functions.operations import OPERATIONS
from stepwell.step_functions.tasks import ApiTasks
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.integrations.sfn import ACTIONS

pytestmark = pytest.mark.covers("A15.68", "A15.69", "A15.70")
WAITING = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ARN = "arn:aws:states:us-east-1:000000000000"


def call(action: str, next: str | None = None, **parameters: Any) -> dict[str, Any]:
    fields = {key: parameters.pop(key) for key in ("Catch", "Retry", "ResultPath") if key in parameters}
    return task(next, f"arn:aws:states:::aws-sdk:sfn:{action}", Parameters=parameters, **fields)


def run(ex: Executor, state: dict[str, Any], input: Any = None, type: str = "STANDARD") -> Any:
    ex.deploy("caller", machine({"S": state}), type=type)
    return ex.start("caller", input).wait(60)


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)
    return found


@pytest.fixture(params=["default", "aws"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with Executor(profile=request.param, strict_handlers=True) as ex:
        ex.deploy("child", machine({"P": passing(Result={"answer": 42})}))
        yield ex


def waiting(ex: Executor, name: str = "waiting") -> tuple[Any, str]:
    """An execution that waits for its token, and the token."""
    tokens: list[str] = []
    ex.register(WAITING, lambda asked: tokens.append(asked["MessageBody"]))
    parameters = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    ex.deploy(name, machine({"W": task(resource=WAITING, Parameters=parameters)}))
    execution = ex.start(name)
    token = until(lambda: tokens)[0]
    until(lambda: "TaskSubmitted" in [event["type"] for event in execution.history()])
    return execution, token


def test_every_operation_of_the_api_can_be_called() -> None:
    starts = {"startExecution", "startSyncExecution"}
    assert {*ACTIONS, *starts} == {name[:1].lower() + name[1:] for name in model.OPERATIONS}


def test_describe_execution_answers_in_pascal_case_with_times_as_text(executor: Executor) -> None:
    child = executor.start("child", {"x": 1}, "c1").wait(60)
    output = run(executor, call("describeExecution", **{"ExecutionArn.$": "$"}), f"{ARN}:execution:child:c1").output
    assert output["ExecutionArn"] == f"{ARN}:execution:child:c1"
    assert (output["Input"], output["Output"]) == ('{"x":1}', '{"answer":42}')
    assert output["InputDetails"] == {"Included": True}
    assert parse_timestamp(output["StartDate"]) == child.context().started_at // 1000 * 1000
    assert output["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"


def test_a_history_is_in_pascal_case_down_to_its_details(executor: Executor) -> None:
    executor.start("child", None, "c1").wait(60)
    arguments = {"ExecutionArn": f"{ARN}:execution:child:c1", "MaxResults": 1, "ReverseOrder": True}
    output = run(executor, call("getExecutionHistory", **arguments)).output
    [event] = output["Events"]
    assert (event["Id"], event["Type"], event["PreviousEventId"]) == (4, "ExecutionSucceeded", 3)
    assert event["ExecutionSucceededEventDetails"] == {
        "Output": '{"answer":42}',
        "OutputDetails": {"Truncated": False},
    }
    assert parse_timestamp(event["Timestamp"]) is not None
    arguments |= {"NextToken": output["NextToken"]}
    [event] = run(executor, call("getExecutionHistory", **arguments)).output["Events"]
    assert event["Id"] == 3


def test_keys_of_maps_stay_as_they_are(executor: Executor) -> None:
    definition = machine({"first": passing("then", Assign={"total": 1}), "then": passing(Parameters={"t.$": "$total"})})
    executor.deploy("lower", definition)
    output = run(executor, call("describeStateMachine", StateMachineArn=f"{ARN}:stateMachine:lower")).output
    assert output["VariableReferences"] == {"then": ["total"]}
    assert json.loads(output["Definition"]) == definition
    executor.start("lower", None, "l1").wait(60)
    asked = {"ExecutionArn": f"{ARN}:execution:lower:l1"}
    events = run(executor, call("getExecutionHistory", **asked)).output["Events"]
    assert [
        e["StateExitedEventDetails"].get("AssignedVariables") for e in events if e["Type"] == "PassStateExited"
    ] == [
        {"total": "1"},
        None,
    ]


def test_a_document_where_the_api_takes_text_is_serialised(executor: Executor) -> None:
    execution, token = waiting(executor)
    sent = run(executor, call("sendTaskSuccess", TaskToken=token, Output={"approved": True}))
    assert (sent.status, sent.output) == ("Succeeded", {})
    assert execution.wait(60).output == {"approved": True}


def test_a_failure_and_a_heartbeat_reach_the_task(executor: Executor) -> None:
    execution, token = waiting(executor)
    assert run(executor, call("sendTaskHeartbeat", TaskToken=token)).status == "Succeeded"
    assert run(executor, call("sendTaskFailure", TaskToken=token, Error="No", Cause="not today")).output == {}
    ended = execution.wait(60)
    assert (ended.error, ended.cause) == ("No", "not today")
    late = run(executor, call("sendTaskSuccess", TaskToken=token, Output="1"))
    assert late.error == "Sfn.TaskTimedOutException"


def test_an_execution_is_stopped_redriven_and_may_stop_itself(executor: Executor) -> None:
    execution, _ = waiting(executor)
    arn = execution.context().name
    about = f"{ARN}:execution:waiting:{arn}"
    stopped = run(executor, call("stopExecution", ExecutionArn=about, Error="Enough"))
    assert parse_timestamp(stopped.output["StopDate"]) is not None
    assert execution.wait(60).error == "Enough"
    assert list(run(executor, call("redriveExecution", ExecutionArn=about)).output) == ["RedriveDate"]
    assert execution.context().redrive_count == 1
    itself = run(executor, call("stopExecution", **{"ExecutionArn.$": "$$.Execution.Id"}))
    assert itself.status == "Canceled"


def test_machines_are_made_and_deleted(executor: Executor) -> None:
    definition = machine({"P": passing()})
    made = {"Name": "made", "Definition": definition, "RoleArn": "arn:aws:iam::000000000000:role/x"}
    output = run(executor, call("createStateMachine", **made)).output
    assert output["StateMachineArn"] == f"{ARN}:stateMachine:made"
    assert executor.start("made").wait(60).status == "Succeeded"
    assert run(executor, call("deleteStateMachine", StateMachineArn=output["StateMachineArn"])).output == {}


@pytest.mark.parametrize(
    ("action", "parameters", "error", "cause"),
    [
        (
            "describeExecution",
            {"ExecutionArn": f"{ARN}:execution:child:nobody"},
            "Sfn.ExecutionDoesNotExistException",
            f"Execution Does Not Exist: '{ARN}:execution:child:nobody' (Service: Sfn, Status Code: 400, Request ID: ",
        ),
        ("describeExecution", {"ExecutionArn": "x"}, "Sfn.InvalidArnException", "Invalid Arn: 'Invalid ARN prefix: x'"),
        ("sendTaskSuccess", {"TaskToken": "t", "Output": "1"}, "Sfn.InvalidTokenException", "Invalid Token: "),
        (
            "getExecutionHistory",
            {"ExecutionArn": f"{ARN}:execution:child:c", "MaxResults": 1001},
            "Sfn.ValidationException",
            "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: ",
        ),
        ("describeMapRun", {"MapRunArn": f"{ARN}:mapRun:a/b:c"}, "Sfn.ResourceNotFoundException", "Map Run Does"),
        (
            "describeStateMachine",
            {"StateMachineArn": f"{ARN}:stateMachine:nobody"},
            "Sfn.StateMachineDoesNotExistException",
            "State Machine Does Not Exist: ",
        ),
    ],
)
def test_errors_have_the_names_of_sdk_integrations(
    executor: Executor, action: str, parameters: Any, error: str, cause: str
) -> None:
    state = call(action, **parameters, Catch=[catch(error, next="C")])
    executor.deploy("caller", machine({"S": state, "C": passing()}))
    output = executor.start("caller").wait(60).output
    assert output["Error"] == error
    assert output["Cause"].startswith(cause)


@pytest.mark.parametrize(
    ("action", "parameters", "problem"),
    [
        (
            "stopExecution",
            {"executionArn": "a"},
            "[The field 'executionArn' is not supported by Step Functions, "
            "The field 'ExecutionArn' is required but was missing]",
        ),
        ("stopExecution", {}, "[The field 'ExecutionArn' is required but was missing]"),
        (
            "getExecutionHistory",
            {"ExecutionArn": "a", "MaxResults": "many", "ReverseOrder": 1},
            "[The value of the field 'MaxResults' has an invalid format, "
            "The value of the field 'ReverseOrder' has an invalid format]",
        ),
        (
            "tagResource",
            {"ResourceArn": "a", "Tags": [{"Key": "k", "value": "v"}]},
            "[The field 'value' is not supported by Step Functions]",
        ),
        ("tagResource", {"ResourceArn": "a", "Tags": "k"}, "[The value of the field 'Tags' has an invalid format]"),
        ("startExecution", {"Names": "n"}, "[The field 'Names' is not supported by Step Functions, The field 'StateM"),
        ("startExecution", {"StateMachineArn": 7}, "[The value of the field 'StateMachineArn' has an invalid format]"),
    ],
)
def test_wrong_parameters_call_nothing_and_cannot_be_caught(
    executor: Executor, action: str, parameters: Any, problem: str
) -> None:
    state = call(action, **parameters, Catch=[catch("States.ALL", next="C")])
    executor.deploy("caller", machine({"S": state, "C": passing()}))
    ended = executor.start("caller").wait(60)
    assert ended.error == "States.Runtime"
    assert f"could not be used to start the Task: {problem}" in (ended.cause or "")


def test_a_redrive_that_is_called_again_after_a_crash_is_done_once(executor: Executor) -> None:
    executor.deploy("failing", machine({"F": {"Type": "Fail"}}))
    failed = executor.start("failing", None, "f1").wait(60)
    resource = "arn:aws:states:::aws-sdk:sfn:redriveExecution"

    async def redrive(*tasks: str) -> list[Any]:
        api = ApiTasks(executor.client)
        arguments = {"ExecutionArn": f"{ARN}:execution:failing:f1"}
        return [
            await api.call(arguments, HandlerContext(id, failed.id, "S", resource, 0, None, lambda task_id: None))
            for id in tasks
        ]

    first, again = asyncio.run(redrive("t1", "t1"))
    assert first == again
    assert failed.wait(60).context().redrive_count == 1
    asyncio.run(redrive("t2"))
    assert failed.wait(60).context().redrive_count == 2


def test_a_poll_for_an_activity_takes_its_task_and_holds_no_thread(executor: Executor) -> None:
    arn = f"{ARN}:activity:review"
    run(executor, call("createActivity", Name="review"))
    executor.deploy("reviewed", machine({"R": task(resource=arn)}))
    reviewed = executor.start("reviewed", {"n": 1})
    polled = run(executor, call("getActivityTask", ActivityArn=arn, WorkerName="a machine")).output
    assert polled["Input"] == '{"n":1}'
    executor.send_task_success(polled["TaskToken"], 1)
    assert reviewed.wait(60).output == 1
    waiting_poll = executor.start("caller")
    until(lambda: "TaskStarted" in [event["type"] for event in waiting_poll.history()])
    assert waiting_poll.stop().wait(60).status == "Canceled"
    again = executor.start("reviewed")
    late = executor.get_activity_task(arn, timeout=20)  # the poll that was stopped does not take it
    assert late is not None
    executor.send_task_success(late.token or "", 2)
    assert again.wait(60).output == 2


def minimal(shape: Any) -> Any:
    """A value for a member: texts that name nothing."""
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        members = [member for member in members_of(shape) if member.is_required]
        return {member.name[:1].upper() + member.name[1:]: minimal(member.type) for member in members}
    return [] if get_origin(shape) is list else "none"


@pytest.mark.parametrize("action", [name for name in ACTIONS if name[:1].upper() + name[1:] in OPERATIONS])
def test_every_operation_answers_or_has_an_error_of_its_own(action: str) -> None:
    arguments = minimal(model.OPERATIONS[action[:1].upper() + action[1:]].request)
    with Executor(strict_handlers=True) as ex:
        found = run(ex, call(action, **arguments))
    errors = {f"Sfn.{name if name.endswith('Exception') else name + 'Exception'}" for name in model.ERRORS}
    assert found.status == "Succeeded" or found.error in errors, (found.error, found.cause)


def test_an_express_machine_and_iterations_call_it_too(executor: Executor) -> None:
    executor.start("child", None, "c1").wait(60)
    describe = call("describeExecution", **{"ExecutionArn.$": "$"})
    each = map_over(machine({"D": describe}), ItemsPath="$")
    asked = [f"{ARN}:execution:child:c1"] * 20
    executor.deploy("each", machine({"M": each}), type="EXPRESS")
    answer = executor.start_sync("each", asked)
    assert [item["Name"] for item in json.loads(answer["output"])] == ["c1"] * 20


def test_a_token_is_waited_for_after_any_call(executor: Executor) -> None:
    state = call("describeExecution.waitForTaskToken", **{"ExecutionArn.$": "$$.Execution.Id"})
    executor.deploy("caller", machine({"S": state}))
    execution = executor.start("caller")
    until(lambda: "TaskSubmitted" in [event["type"] for event in execution.history()])
    [open_task] = executor.open_tasks(execution.id)
    assert open_task.token is not None
    run_by_another = machine({"S": call("sendTaskSuccess", **{"TaskToken.$": "$", "Output": "7"})})
    executor.deploy("sender", run_by_another)
    executor.start("sender", open_task.token).wait(60)
    assert execution.wait(60).output == 7


@pytest.mark.parametrize("resource", ["aws-sdk:sfn:describeExecution", "aws-sdk:*"])
def test_a_handler_of_the_program_takes_its_place(executor: Executor, resource: str) -> None:
    executor.register(f"arn:aws:states:::{resource}", lambda arguments: "mine")
    assert run(executor, call("describeExecution", ExecutionArn="a")).output == "mine"


def test_it_works_over_partitions(tmp_path: Path) -> None:
    with Executor(tmp_path, partitions=2) as ex:
        ex.deploy("child", machine({"P": passing(Result=1)}))
        for number in range(4):
            ex.start("child", None, f"c{number}").wait(60)
            about = f"{ARN}:execution:child:c{number}"
            assert run(ex, call("describeExecution", ExecutionArn=about)).output["Status"] == "SUCCEEDED"
        execution, token = waiting(ex)
        run(ex, call("sendTaskSuccess", TaskToken=token, Output="1"))
        assert execution.wait(60).output == 1


def test_it_works_on_the_loop_of_an_async_program() -> None:
    definition = machine({"S": call("describeExecution", **{"ExecutionArn.$": "$$.Execution.Id"})})

    async def main() -> Any:
        async with AsyncExecutor() as ex:
            await ex.deploy("caller", definition)
            return (await (await ex.start("caller")).wait(60)).output

    assert asyncio.run(main())["Status"] == "RUNNING"


def test_an_executor_opens_without_the_api(tmp_path: Path) -> None:
    program = (
        "import sys, stepwell; ex = stepwell.Executor(); ex.deploy('m', {'StartAt': 'S', 'States': {'S': {"
        "'Type': 'Task', 'End': True, 'Resource': 'arn:aws:states:::aws-sdk:sfn:describeExecution', "
        "'Parameters': {'ExecutionArn.$': '$$.Execution.Id'}}}}); "
        "print('stepwell.step_functions' in sys.modules, end=' '); print(ex.start('m').wait(60).status, end=' '); "
        "print('stepwell.step_functions' in sys.modules); ex.close()"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout.split() == ["False", "Succeeded", "True"]
