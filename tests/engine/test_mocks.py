"""The mock file of Step Functions Local, in scripted runs and under an Executor (ASL A16.82)."""

from __future__ import annotations

import asyncio
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.support import (
    ACTIVITY,
    CALLBACK,
    INVOKE,
    LAMBDA,
    Lab,
    catch,
    machine,
    map_over,
    parallel,
    passing,
    retry,
    task,
)
from stepwell import AsyncExecutor, Executor, HandlerContext, HandlerNotFound, InvalidInput, ItemFiles
from stepwell.testing import MockFile, UnscriptedTask, scripted_run

SHARED = Path(os.environ.get("STEPWELL_SHARED") or Path(__file__).parents[3] / "shared")
pytestmark = pytest.mark.covers("A16.82")
SQS = "arn:aws:states:::sqs:sendMessage"
SYNC = "arn:aws:states:::glue:startJobRun.sync"
ASK = {"QueueUrl": "https://sqs/q", "MessageBody": {"token.$": "$$.Task.Token"}}
LAMBDA_ANSWER = {"StatusCode": 200, "Payload": {"StatusCode": 200, "body": "Hello from Lambda!"}}
FILE: dict[str, Any] = {  # in the form of AWS's developer guide
    "StateMachines": {
        "LambdaSQSIntegration": {
            "TestCases": {
                "HappyPath": {"LambdaState": "MockedLambdaSuccess", "SQSState": "MockedSQSSuccess"},
                "RetryPath": {"LambdaState": "MockedLambdaRetry", "SQSState": "MockedSQSSuccess"},
                "HybridPath": {"LambdaState": "MockedLambdaSuccess"},
            }
        },
        "Each": {"TestCases": {"Counted": {"Work": "Numbered"}}},
    },
    "MockedResponses": {
        "MockedLambdaSuccess": {"0": {"Return": LAMBDA_ANSWER}},
        "MockedLambdaRetry": {
            "0": {"Throw": {"Error": "Lambda.ResourceNotReadyException", "Cause": "Lambda resource is not ready."}},
            "1-2": {"Throw": {"Error": "Lambda.TimeoutException", "Cause": "Lambda timed out."}},
            "3": {"Return": LAMBDA_ANSWER},
        },
        "MockedSQSSuccess": {"0": {"Return": {"MessageId": "3bcb6e8e"}}},
        "Numbered": {"0": {"Return": "zero"}, "1-2": {"Return": "one or two"}, "3-9": {"Return": "more"}},
    },
}
INTEGRATION = machine(
    {
        "LambdaState": task(
            "SQSState",
            resource=INVOKE,
            Parameters={"Payload.$": "$", "FunctionName": "HelloWorldFunction"},
            Retry=[retry("States.ALL", IntervalSeconds=2, MaxAttempts=3, BackoffRate=2)],
        ),
        "SQSState": task(resource=SQS, Parameters={"QueueUrl": "https://sqs/q", "MessageBody.$": "$"}),
    }
)
EACH = machine({"All": map_over(machine({"Work": task()}), MaxConcurrency=1, ItemsPath="$")})


def one(state: str, **responses: Any) -> Any:
    """A case in which one state is mocked."""
    document = {"StateMachines": {"w": {"TestCases": {"c": {state: "r"}}}}, "MockedResponses": {"r": responses}}
    return MockFile({**document}).case("w", "c")


def returns(value: Any) -> Any:
    """A state S that returns a value once."""
    return one("S", **{"0": {"Return": value}})


# scripted runs


def test_the_happy_path_of_the_developer_guide() -> None:
    run = scripted_run(INTEGRATION, {}, mocks=MockFile(FILE).case("LambdaSQSIntegration", "HappyPath"))
    assert (run["status"], run["output"]) == ("SUCCEEDED", {"MessageId": "3bcb6e8e"})
    succeeded = [event["taskSucceededEventDetails"] for event in run["events"] if event["type"] == "TaskSucceeded"]
    assert json.loads(succeeded[0]["output"]) == LAMBDA_ANSWER


def test_the_retry_path_counts_attempts() -> None:
    run = scripted_run(INTEGRATION, {}, mocks=MockFile(FILE).case("LambdaSQSIntegration", "RetryPath"))
    assert run["status"] == "SUCCEEDED"
    failed = [event["taskFailedEventDetails"]["error"] for event in run["events"] if event["type"] == "TaskFailed"]
    assert failed == ["Lambda.ResourceNotReadyException", "Lambda.TimeoutException", "Lambda.TimeoutException"]
    times = [event["timestamp"] for event in run["events"] if event["type"] == "TaskScheduled"]
    assert [round(after - before) for before, after in pairwise(times[:4])] == [2, 4, 8]


def test_states_that_are_not_mocked_are_left_to_the_script() -> None:
    case = MockFile(FILE).case("LambdaSQSIntegration", "HybridPath")
    script = [{"resourceType": "sqs", "resource": "sendMessage", "outcome": "succeeded", "output": {"real": True}}]
    assert scripted_run(INTEGRATION, {}, script, mocks=case)["output"] == {"real": True}
    with pytest.raises(UnscriptedTask, match="sqs"):
        scripted_run(INTEGRATION, {}, mocks=MockFile(FILE).case("LambdaSQSIntegration", "HybridPath"))


def test_iterations_consume_the_same_counter() -> None:
    run = scripted_run(EACH, [0] * 5, mocks=MockFile(FILE).case("Each", "Counted"))
    assert run["output"] == ["zero", "one or two", "one or two", "more", "more"]


def test_children_of_a_distributed_map_consume_it_too() -> None:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    definition = machine({"All": map_over(machine({"Work": task()}) | config, MaxConcurrency=1)})
    run = scripted_run(definition, [0] * 4, mocks=MockFile(FILE).case("Each", "Counted"))
    assert run["output"] == ["zero", "one or two", "one or two", "more"]


def test_a_state_in_a_branch_is_mocked_by_its_name() -> None:
    definition = machine({"All": parallel(machine({"S": task()}), machine({"P": passing(Result=1)}))})
    assert scripted_run(definition, {}, mocks=returns("mocked"))["output"] == ["mocked", 1]


@pytest.mark.parametrize("resource", [LAMBDA, SQS, CALLBACK, SYNC, ACTIVITY])
def test_any_task_is_answered_whatever_it_would_wait_for(resource: str) -> None:
    parameters = {"Parameters": ASK} if resource == CALLBACK else {}
    run = scripted_run(machine({"S": task(resource=resource, **parameters)}), {}, mocks=returns({"done": 1}))
    assert run["output"] == {"done": 1}
    assert ("TaskSubmitted" in [event["type"] for event in run["events"]]) == (resource in (CALLBACK, SYNC))


@pytest.mark.parametrize(
    ("resource", "response", "output"),
    [
        (LAMBDA, LAMBDA_ANSWER, LAMBDA_ANSWER["Payload"]),
        (INVOKE, LAMBDA_ANSWER, LAMBDA_ANSWER),
        (ACTIVITY, LAMBDA_ANSWER, LAMBDA_ANSWER),
        ("local", LAMBDA_ANSWER, LAMBDA_ANSWER),
        (LAMBDA, {"Payload": 1}, {"Payload": 1}),
        (LAMBDA, {**LAMBDA_ANSWER, "total": 1}, {**LAMBDA_ANSWER, "total": 1}),
    ],
)
def test_an_answer_of_lambda_gives_its_payload_where_the_resource_is_a_function(
    resource: str, response: Any, output: Any
) -> None:
    fields = {"Parameters": {"FunctionName": "f"}} if resource == INVOKE else {}
    definition = machine({"S": task(resource=resource, **fields)})
    assert scripted_run(definition, {}, mocks=returns(response), profile="default")["output"] == output


def test_an_error_thrown_is_caught_by_name() -> None:
    states = {"S": task(Catch=[catch("Card.Declined")]), "Caught": passing()}
    thrown = one("S", **{"0": {"Throw": {"Error": "Card.Declined", "Cause": "no money"}}})
    assert scripted_run(machine(states), {}, mocks=thrown)["output"] == {"Error": "Card.Declined", "Cause": "no money"}


def test_a_call_behind_the_last_response_is_an_error() -> None:
    with pytest.raises(UnscriptedTask, match="no response for call 1 of state 'Work'"):
        scripted_run(EACH, [1, 2], mocks=one("Work", **{"0": {"Return": 1}}))


def test_a_case_taken_anew_counts_from_the_start() -> None:
    mocks = MockFile(FILE)
    for _ in range(2):
        assert scripted_run(EACH, [1], mocks=mocks.case("Each", "Counted"))["output"] == ["zero"]


# shapes of answers

READER = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}
INTO_OUTPUT = {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}
NO_LISTS = [{}, {"0": 1}, "abc", "", 5, 1.5, None, True]


def reading(**fields: Any) -> Any:
    """A machine that is one distributed Map state, ``M``, with an ItemReader."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return machine({"M": map_over(machine({"P": passing()}) | config, ItemReader=READER, **fields)})


def answered(value: Any) -> dict[str, Any]:
    """An answer of a script for a task of the engine's own."""
    return {"outcome": "succeeded", "output": value}


@pytest.mark.parametrize("items", [[], [1, [2], {"a": 3}, None], (1, 2)])
def test_what_an_item_reader_reads_is_mocked_by_a_list(items: Any) -> None:
    run = scripted_run(reading(), {}, mocks=one("M", **{"0": {"Return": items}}))
    assert (run["status"], run["output"]) == ("SUCCEEDED", list(items))
    assert scripted_run(reading(), {}, [answered(list(items))])["output"] == list(items)


@pytest.mark.parametrize("items", NO_LISTS)
def test_a_mock_of_an_item_reader_that_is_no_list_is_refused_with_its_place(items: Any) -> None:
    with pytest.raises(
        InvalidInput, match=r"MockedResponses\.r\.0\.Return: the ItemReader of state 'M' reads a list, not"
    ):
        scripted_run(reading(), {}, mocks=one("M", **{"0": {"Return": items}}))
    with pytest.raises(InvalidInput, match=r"tasks\[1\]\.output: the ItemReader of state 'M' reads a list, not"):
        scripted_run(reading(), {}, [{"outcome": "succeeded", "resourceType": "activity"}, answered(items)])


@pytest.mark.parametrize("result", [*NO_LISTS, []])
def test_so_is_what_a_result_writer_cannot_give(result: Any) -> None:
    for writer, fits in ((WRITER, isinstance(result, dict)), (INTO_OUTPUT, isinstance(result, list))):
        mocks = one("M", **{"0": {"Return": [1]}, "1": {"Return": result}})
        if fits:
            assert scripted_run(reading(ResultWriter=writer), {}, mocks=mocks)["output"] == result
            continue
        with pytest.raises(InvalidInput, match=r"MockedResponses\.r\.1\.Return: the ResultWriter of state 'M' gives"):
            scripted_run(reading(ResultWriter=writer), {}, mocks=mocks)


def test_an_item_reader_s_error_is_mocked_too() -> None:
    thrown = one("M", **{"0": {"Throw": {"Error": "States.ItemReaderFailed", "Cause": "no bucket"}}})
    run = scripted_run(reading(), {}, mocks=thrown)
    assert (run["status"], run["error"], run["cause"]) == ("FAILED", "States.ItemReaderFailed", "no bucket")


@pytest.mark.parametrize("items", NO_LISTS)
def test_a_reader_that_gives_no_list_fails_the_state_whoever_answers(items: Any) -> None:
    lab = Lab({"M": items}).finish(reading(), {})
    assert lab.outcome == ("Failed", "States.ItemReaderFailed")


@pytest.mark.parametrize("value", [float("nan"), object(), {"a": {1: object()}}, float("inf")])
def test_a_return_that_is_no_json_is_refused_with_its_place(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"MockedResponses\.r\.0\.Return: This value has no JSON form"):
        one("S", **{"0": {"Return": value}})


@pytest.mark.parametrize(
    ("definition", "state"),
    [
        (machine({"P": passing()}), "P"),
        (machine({"P": passing()}), "Gone"),
        (machine({"M": map_over(machine({"P": passing()}), ItemsPath="$")}), "M"),
    ],
)
def test_a_mock_of_a_state_that_calls_nothing_is_refused(definition: Any, state: str) -> None:
    with pytest.raises(InvalidInput, match=f"StateMachines.w.TestCases.c.{state}: .* no state '{state}' that calls"):
        scripted_run(definition, [], mocks=one(state, **{"0": {"Return": 1}}))


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ({"outcome": "succeeded"}, "tasks is a list"),
        (["succeeded"], r"tasks\[0\] is an object"),
        ([{}], r"tasks\[0\]\.outcome"),
        ([answered(1), {"outcome": "done"}], r"tasks\[1\]\.outcome"),
        ([{"outcome": "failed", "error": 5}], r"tasks\[0\]\.error"),
        ([{"outcome": "failed", "cause": object()}], r"tasks\[0\]\.cause"),
        ([{**answered(1), "resourceType": 5}], r"tasks\[0\]\.resourceType"),
        ([{**answered(1), "resourceType": "sqs"}], r"tasks\[0\]\.resource is"),
        ([answered(float("nan"))], r"tasks\[0\]\.output: This value has no JSON form"),
        ([{**answered(1), "submitted": object()}], r"tasks\[0\]\.submitted: This value has no JSON form"),
    ],
)
def test_a_script_of_a_wrong_shape_is_refused_with_its_place(script: Any, place: str) -> None:
    with pytest.raises(InvalidInput, match=place):
        scripted_run(machine({"S": task()}), {}, script)


# under an Executor


def test_an_executor_runs_a_case_without_any_handler() -> None:
    case = MockFile(FILE).case("LambdaSQSIntegration", "HappyPath")
    with Executor(handlers=case.handlers(INTEGRATION)) as ex:
        ex.deploy("LambdaSQSIntegration", INTEGRATION)
        execution = ex.start("LambdaSQSIntegration", {"a": 1}).wait(60)
        assert (execution.status, execution.output) == ("Succeeded", {"MessageId": "3bcb6e8e"})
        answers = [
            e["taskSucceededEventDetails"]["output"] for e in execution.history() if e["type"] == "TaskSucceeded"
        ]
        assert json.loads(answers[0]) == LAMBDA_ANSWER


def test_iterations_consume_the_same_counter_there() -> None:
    case = MockFile(FILE).case("Each", "Counted")
    with Executor(handlers=case.handlers(EACH)) as ex:
        assert json.loads(ex.run(EACH, [0] * 5).output) == ["zero", "one or two", "one or two", "more", "more"]


@pytest.mark.parametrize("resource", [LAMBDA, INVOKE, SQS, CALLBACK, SYNC])
def test_an_executor_waits_for_no_token_of_a_mocked_task(resource: str) -> None:
    parameters: Any = {"Parameters": ASK} if resource == CALLBACK else {}
    if resource == INVOKE:
        parameters = {"Parameters": {"FunctionName.$": "$.name", "Payload": {}}}
    definition = machine({"S": task(resource=resource, **parameters)})
    with Executor(handlers=returns({"done": 1}).handlers(definition)) as ex:
        ex.deploy("w", definition)
        execution = ex.start("w", {"name": "f"}).wait(60)
        assert execution.output == {"done": 1}
        types = [event["type"] for event in execution.history()]
        assert ("TaskSubmitted" in types) == (resource in (CALLBACK, SYNC))


def test_real_handlers_do_what_is_not_mocked_even_by_the_same_resource() -> None:
    definition = machine({"S": task("Real"), "Real": task("Other"), "Other": task(resource=SQS)})
    seen: list[str] = []

    def work(value: Any, context: HandlerContext) -> Any:
        seen.append(context.state_name)
        return [value]

    real = {"work": work, "arn:aws:states:::sqs:*": lambda value: {"sent": value}}
    with Executor(handlers=returns("mocked").handlers(definition, real)) as ex:
        ex.deploy("w", definition)
        assert ex.start("w").wait(60).output == {"sent": ["mocked"]}
    assert seen == ["Real"]


def test_async_handlers_are_left_async() -> None:
    async def work(value: Any) -> Any:
        await asyncio.sleep(0)
        return [value]

    async def use() -> Any:
        definition = machine({"S": task("Real"), "Real": task()})
        async with AsyncExecutor(handlers=returns("mocked").handlers(definition, {"work": work})) as ex:
            return json.loads((await ex.run(definition)).output)

    assert asyncio.run(use()) == ["mocked"]


def test_a_state_that_is_neither_mocked_nor_has_a_handler_is_found_at_the_start() -> None:
    case = MockFile(FILE).case("LambdaSQSIntegration", "HybridPath")
    with (
        Executor(handlers=case.handlers(INTEGRATION), strict_handlers=True) as ex,
        pytest.raises(HandlerNotFound, match="SQSState"),
    ):
        ex.run(INTEGRATION)


def test_an_unmocked_state_of_a_mocked_resource_without_a_handler_fails() -> None:
    definition = machine({"S": task("Real"), "Real": task()})
    with Executor(handlers=returns(1).handlers(definition)) as ex:
        context = ex.run(definition)
    assert context.error == "UnscriptedTask"
    assert "'Real' is not mocked" in (context.cause or "")


def test_a_pattern_for_everything_leaves_the_engine_s_own_tasks_alone(tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text("[1, 2]")
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
    reader["Parameters"] = {"Bucket": tmp_path.as_uri(), "Key": "items.json"}
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    definition = machine({"All": map_over(machine({"S": task()}) | config, ItemReader=reader)})
    with Executor(handlers={"*": lambda value: value * 2}, item_files=ItemFiles(file_roots=[tmp_path])) as ex:
        assert json.loads(ex.run(definition).output) == [2, 4]


# mock files


def test_a_file_may_be_a_path_or_text(tmp_path: Path) -> None:
    path = tmp_path / "MockConfigFile.json"
    path.write_text(json.dumps(FILE))
    for source in (path, str(path), json.dumps(FILE), json.dumps(FILE).encode(), FILE):
        assert MockFile(source).cases("LambdaSQSIntegration") == ["HappyPath", "RetryPath", "HybridPath"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda file: file.pop("StateMachines"), "no object StateMachines"),
        (lambda file: file.pop("MockedResponses"), "no object MockedResponses"),
        (lambda file: file["StateMachines"]["Each"].pop("TestCases"), "StateMachines.Each has no object TestCases"),
        (lambda file: file["StateMachines"]["Each"]["TestCases"].update(Counted={"Work": "Gone"}), "names 'Gone'"),
        (
            lambda file: file["StateMachines"]["Each"]["TestCases"].update({"": {"Work": "Numbered"}}),
            "StateMachines.Each.TestCases has a case without a name",
        ),
        (
            lambda file: file["StateMachines"]["Each"]["TestCases"].update(Counted={"Work": ["Numbered"]}),
            r"StateMachines.Each.TestCases.Counted.Work names \['Numbered'\], which is none",
        ),
        (lambda file: file["MockedResponses"].update(Numbered={"0-": {"Return": 1}}), "'0-'"),
        (lambda file: file["MockedResponses"].update(Numbered={"0-2-4": {"Return": 1}}), "'0-2-4'"),
        (lambda file: file["MockedResponses"].update(Numbered={"9" * 5000: {"Return": 1}}), "which is no call"),
        (
            lambda file: file["MockedResponses"].update(Numbered={"0-5": {"Return": 1}, "1-2": {"Return": 1}}),
            "more than one response for call 1",
        ),
        (lambda file: file["MockedResponses"].update(Numbered={}), "MockedResponses.Numbered is"),
        (lambda file: file["MockedResponses"].update(Numbered={"1": {"Return": 1}}), "for call 0"),
        (
            lambda file: file["MockedResponses"].update(Numbered={"0-2": {"Return": 1}, "2": {"Return": 1}}),
            "MockedResponses.Numbered has more than one response for call 2",
        ),
        (
            lambda file: file["MockedResponses"].update(Numbered={"0": {"Return": 1}, "2": {"Return": 1}}),
            "MockedResponses.Numbered has no response for call 1",
        ),
        (lambda file: file["MockedResponses"].update(Numbered={"first": {"Return": 1}}), "'first'"),
        (lambda file: file["MockedResponses"].update(Numbered={"2-1": {"Return": 1}}), "'2-1'"),
        (lambda file: file["MockedResponses"].update(Numbered={"0": {}}), "either a Return"),
        (lambda file: file["MockedResponses"].update(Numbered={"0": {"Return": 1, "Throw": {}}}), "either a Return"),
        (lambda file: file["MockedResponses"].update(Numbered={"0": {"Throw": {"Cause": "c"}}}), "either a Return"),
        (lambda file: file["MockedResponses"].update(Numbered={"0": {"Throw": {"Error": ""}}}), "either a Return"),
        (lambda file: file["MockedResponses"].update(Numbered={"0": {"Throw": "E"}}), "either a Return"),
        (lambda file: file["MockedResponses"].update(Numbered={"0": [1]}), "either a Return"),
        (lambda file: file["MockedResponses"].update(Numbered="r"), "MockedResponses.Numbered is"),
        (
            lambda file: file["MockedResponses"].update(Numbered={"0": {"Throw": {"Error": "E", "Cause": 5}}}),
            "Numbered.0.Throw.Cause",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_reported_with_its_place(change: Any, problem: str) -> None:
    file = json.loads(json.dumps(FILE))
    change(file)
    with pytest.raises(InvalidInput, match=problem):
        MockFile(file)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"StateMachines": {},\n "MockedResponses": {"r" {}}}', "not valid JSON at line 2, column 27: Unexpected"),
        ('{"StateMachines": {}', "not valid JSON at line 1, column 21: Unexpected end-of-input"),
        (b"\xff\xfe", "cannot be read"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        (
            '{"StateMachines": {}, "MockedResponses": {"r": {"0": {"Return": 1}, "0": {"Return": 2}}}}',
            "MockedResponses.r has '0' twice",
        ),
        (
            '{"StateMachines": {"w": {"TestCases": {"a": {}, "a": {}}}}, "MockedResponses": {}}',
            "StateMachines.w.TestCases has 'a' twice",
        ),
        (
            '{"StateMachines": {}, "StateMachines": {}, "MockedResponses": {}}',
            "the mock file has 'StateMachines' twice",
        ),
    ],
)
def test_a_text_that_is_no_mock_file_is_refused_with_the_line(text: Any, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        MockFile(text)


def test_a_first_response_that_an_item_reader_cannot_give_is_refused_before_the_start() -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    reader["ReaderConfig"] = {"InputType": "JSON"}
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    definition = machine({"All": map_over(machine({"P": passing()}) | config, ItemReader=reader)})
    place = "MockedResponses.r.0.Return: the ItemReader of state 'All' reads a list, not an object"
    with pytest.raises(InvalidInput, match=place):
        scripted_run(definition, {}, mocks=one("All", **{"0": {"Return": {"items": 1}}}))


def test_what_is_not_there_is_reported() -> None:
    mocks = MockFile(FILE)
    with pytest.raises(InvalidInput, match="no state machine 'Other'"):
        mocks.case("Other", "c")
    with pytest.raises(InvalidInput, match="no case 'SadPath'; it has HappyPath"):
        mocks.case("LambdaSQSIntegration", "SadPath")
    with pytest.raises(InvalidInput, match="cannot be read"):
        MockFile("/nowhere/mocks.json")
    with pytest.raises(InvalidInput, match="holds an object"):
        MockFile(b"[]")
    with pytest.raises(InvalidInput, match="no Task state"):
        returns(1).handlers(machine({"P": passing()}))


# what AWS itself answered


def recorded() -> list[Any]:
    """Cases of LocalStack's tests of mock files: what AWS answered, without mocks."""
    path = SHARED / "conformance" / "cases" / "local_mocking.json"
    cases = json.loads(path.read_text())["cases"] if path.is_file() else []
    return [pytest.param(case, id=case["id"].rpartition("::")[2]) for case in cases]


@pytest.mark.skipif(not recorded(), reason=f"AWS's recorded answers are not at {SHARED}: set STEPWELL_SHARED")
@pytest.mark.parametrize("case", recorded())
def test_a_mocked_execution_has_the_history_of_the_real_one(case: Any) -> None:
    created, started, read = case["calls"][:3]
    workflow, _, name = started["params"]["stateMachineArn"].rpartition(":")[2].partition("#")
    mocks = MockFile(case["mocks"][0]).case(workflow, name)
    input = json.loads(started["params"]["input"])
    run = scripted_run(created["params"]["definition"], input, mocks=mocks)
    keys = ("id", "previousEventId", "type")
    expected = [[event[key] for key in keys] for event in read["expect"]["events"]]
    assert [[event[key] for key in keys] for event in run["events"]] == expected
