"""Mocks: what answers tasks in place of handlers, and what is asserted of their calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from stepwell import HandlerContext, TaskError
from stepwell.errors import InvalidInput
from stepwell.testing import Mock, MockFile, TestExecutor, UnscriptedTask, scripted_run
from testing.support import machine, task, wait

ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:review"
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
MESSAGE = {"QueueUrl": "https://q", "MessageBody.$": "$"}
RETRY = [{"ErrorEquals": ["Down"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 5}]


@pytest.fixture
def ex() -> Generator[TestExecutor]:
    with TestExecutor() as executor:
        yield executor


def run(ex: TestExecutor, definition: dict[str, Any], input: Any = None) -> Any:
    ex.deploy("w", definition)
    execution = ex.start("w", {} if input is None else input).wait()
    return execution.output if execution.status == "Succeeded" else (execution.error, execution.cause)


def test_fails_twice_then_succeeds(ex: TestExecutor) -> None:
    charge = ex.mock.state("Charge").fails("Down", "503", times=2).returns({"receipt": 1})
    assert run(ex, machine(Charge=task("charge", Retry=RETRY)), {"total": 5}) == {"receipt": 1}
    charge.assert_called(times=3)
    charge.assert_called_with({"total": 5})
    assert [call.attempt for call in charge.calls] == [0, 1, 2]
    assert [call.time.second for call in charge.calls] == [0, 10, 20]


def test_a_resource_is_mocked_in_all_states(ex: TestExecutor) -> None:
    ex.mock.resource("f").returns("f")
    ex.mock.state("B").returns("B")
    two = machine(A=task("f", ResultPath="$.a"), B=task("f", ResultPath="$.b"), C=task("f", ResultPath="$.c"))
    assert run(ex, two) == {"a": "f", "b": "B", "c": "f"}
    assert [call.state for call in ex.mock.resource("f").calls] == ["A", "B", "C"]


def test_functions_answer_as_handlers_do(ex: TestExecutor) -> None:
    def double(value: Any, ctx: Any) -> Any:
        if value["n"] > 5:
            raise TaskError("TooLarge", ctx.state_name)
        return {"n": value["n"] * 2}

    ex.mock.state("Double").answers(double)
    assert run(ex, machine(Double=task("d")), {"n": 4}) == {"n": 8}
    assert run(ex, machine(Double=task("d")), {"n": 6}) == ("TooLarge", "Double")


async def later(value: Any) -> str:
    return "async"


def test_a_coroutine_function_answers(ex: TestExecutor) -> None:
    ex.mock.state("S0").answers(later)
    assert run(ex, machine(task("f"))) == "async"


def test_a_lambda_s_payload(ex: TestExecutor) -> None:
    invoke = task("arn:aws:states:::lambda:invoke", Parameters={"FunctionName": "f", "Payload": {"n": 1}})
    ex.mock.state("S0").answers(lambda payload: payload["n"] + 1).returns({"StatusCode": 200, "Payload": 7})
    assert run(ex, machine(invoke))["Payload"] == 2
    assert run(ex, machine(invoke)) == {"StatusCode": 200, "Payload": 7}


@pytest.mark.parametrize("name", ["f", "arn:aws:lambda:eu-west-1:123456789012:function:f:live"])
@pytest.mark.parametrize(
    "resource", ["arn:aws:states:::lambda:invoke", "arn:aws:states:::lambda:invoke.waitForTaskToken"]
)
def test_a_lambda_function_is_mocked_by_its_name_as_a_handler_is(ex: TestExecutor, name: str, resource: str) -> None:
    mocked = ex.mock.resource("f").returns({"Payload": 7})
    ex.mock.resource("g").returns("another one")
    payload = {"token.$": "$$.Task.Token"} if resource.endswith("Token") else {"n": 1}
    invoke = task(resource, Parameters={"FunctionName": name, "Payload": payload})
    assert run(ex, machine(invoke))["Payload"] == 7
    mocked.assert_called_once()


def test_a_function_s_arn_is_mocked_by_its_name(ex: TestExecutor) -> None:
    ex.mock.resource("f").returns("named")
    assert run(ex, machine(task("arn:aws:lambda:eu-west-1:123456789012:function:f"))) == "named"
    assert ex.mock.resource("f").calls[0].function == "f"


def test_a_delay_is_virtual_and_may_be_too_long(ex: TestExecutor) -> None:
    ex.mock.state("S0").returns(1, delay="1h")
    begin = ex.now
    assert run(ex, machine(task("f"))) == 1
    assert (ex.now - begin).total_seconds() == 3600
    assert run(ex, machine(task("f", TimeoutSeconds=60)))[0] == "States.Timeout"
    ex.advance("2h")  # the late answer changes nothing


def test_a_task_that_hangs_times_out(ex: TestExecutor) -> None:
    ex.mock.state("S0").hangs(times=1).returns("at last")
    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1}]
    assert run(ex, machine(task("f", TimeoutSeconds=300, Retry=retry))) == "at last"


def test_iterations_by_index_and_by_item(ex: TestExecutor) -> None:
    each = {"StartAt": "Do", "States": {"Do": task("do", Retry=RETRY, End=True)}}
    ex.mock.state("Do").answers(lambda value: value * 10)
    ex.mock.state("Do", index=2).fails("Down").returns("second time")
    ex.mock.state("Do", item=4).returns("four")
    assert run(ex, machine({"Type": "Map", "ItemProcessor": each}), [1, 2, 3, 4]) == [10, 20, "second time", "four"]
    assert ex.mock.state("Do", index=2).inputs == [3, 3]
    assert [(call.index, call.item) for call in ex.mock.state("Do").calls if call.attempt == 0] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
    ]


def test_iterations_of_a_distributed_map_and_a_parallel_state_within(ex: TestExecutor) -> None:
    branch = {"StartAt": "Do", "States": {"Do": task("do", End=True)}}
    distributed = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Both",
        "States": {"Both": {"Type": "Parallel", "Branches": [branch], "End": True}},
    }
    ex.mock.state("Do").returns("any")
    ex.mock.state("Do", index=1).returns("one")
    assert run(ex, machine({"Type": "Map", "ItemProcessor": distributed}), [5, 6]) == [["any"], ["one"]]


def test_a_condition_on_the_input(ex: TestExecutor) -> None:
    ex.mock.state("S0").returns("small")
    ex.mock.state("S0", when=lambda value: value["n"] > 10).returns("large")
    assert [run(ex, machine(task("f")), {"n": n}) for n in (1, 11)] == ["small", "large"]


def test_a_callback_is_answered_by_the_test(ex: TestExecutor) -> None:
    ask = ex.mock.state("Ask").accepts()
    ex.deploy("w", machine(Ask=task(TOKEN, Parameters=MESSAGE), Then=wait(5)))
    execution = ex.start("w", {"n": 1}).wait_for("Ask")
    ex.run_until_idle()
    ex.send_task_success(ask.calls[0].token or "", {"yes": True})
    assert execution.wait().output == {"yes": True}


def test_a_callback_s_result_may_come_at_once(ex: TestExecutor) -> None:
    ex.mock.state("S0").returns({"approved": True})
    assert run(ex, machine(task(TOKEN, Parameters=MESSAGE))) == {"approved": True}


def test_activities_are_answered_as_workers_do(ex: TestExecutor) -> None:
    review = ex.mock.state("Review").fails("Down").returns("fine", delay="1d")
    assert run(ex, machine(Review=task(ACTIVITY, Retry=RETRY)), {"n": 1}) == "fine"
    assert review.inputs == [{"n": 1}, {"n": 1}]
    types = [event["type"] for event in ex.list("w")[0].history() if event["type"].startswith("Activity")]
    assert types[:3] == ["ActivityScheduled", "ActivityStarted", "ActivityFailed"]


def test_what_answers_an_activity_knows_its_task_and_may_be_a_coroutine(ex: TestExecutor) -> None:
    seen: list[HandlerContext] = []

    async def answer(value: Any, context: HandlerContext) -> Any:
        seen.append(context)
        await asyncio.sleep(0)
        return value["n"] + 1

    ex.mock.state("Review").answers(answer)
    assert run(ex, machine(Review=task(ACTIVITY)), {"n": 1}) == 2
    execution = ex.list("w")[0].context()
    prefix = "arn:aws:states:us-east-1:000000000000"
    assert seen[0].execution_arn == f"{prefix}:execution:w:{execution.name}"
    assert seen[0].state_machine_arn == f"{prefix}:stateMachine:w"


@pytest.mark.parametrize("resource", ["f", ACTIVITY])
def test_a_handler_that_ends_the_test_does(ex: TestExecutor, resource: str) -> None:
    def ends(value: Any) -> None:
        pytest.fail("this must not be called")

    ex.mock.state("S0").answers(ends)
    with pytest.raises(pytest.fail.Exception, match="this must not be called"):
        run(ex, machine(task(resource)))


def test_an_activity_that_is_not_mocked_waits_for_its_worker(ex: TestExecutor) -> None:
    ex.mock.strict = True
    ex.deploy("w", machine(Review=task(ACTIVITY)))
    execution = ex.start("w").wait_for("Review")
    execution.complete("Review", 5)
    assert execution.wait().output == 5


def test_without_a_mock_the_handler_is_called_and_recorded(ex: TestExecutor) -> None:
    ex.register("f", lambda value: "real")
    ex.mock.state("A").passes_through(times=1).returns("mocked")
    two = machine(A=task("f", ResultPath="$.a"), B=task("f", ResultPath="$.b"))
    assert [run(ex, two), run(ex, two)] == [{"a": "real", "b": "real"}, {"a": "mocked", "b": "real"}]
    assert [(call.state, call.is_mocked) for call in ex.mock.calls] == [
        ("A", False),
        ("B", False),
        ("A", True),
        ("B", False),
    ]


def test_strict_mocks_call_no_handler(ex: TestExecutor) -> None:
    called: list[Any] = []
    ex.register("f", called.append)
    ex.mock = Mock(strict=True)
    ex.deploy("w", machine(A=task("f")))
    with pytest.raises(UnscriptedTask, match="state 'A' of workflow 'w' calls 'f', which has no mock"):
        ex.start("w").wait()
    assert called == []


def test_after_the_last_answer_the_test_fails(ex: TestExecutor) -> None:
    ex.mock.state("A").returns(1, times=1)
    ex.deploy("w", machine(A=task("f")))
    ex.start("w").wait()
    with pytest.raises(UnscriptedTask, match=r"the mock of state 'A' has no answer left for a call with \{\}"):
        ex.start("w").wait()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda mock: mock.returns(object()),
        lambda mock: mock.returns(1, times=0),
        lambda mock: mock.returns(1, delay=-1),
        lambda mock: mock.fails(""),
        lambda mock: mock.fails("E", 5),
    ],
)
def test_wrong_answers_are_refused_with_their_place(wrong: Any) -> None:
    mock = Mock()
    with pytest.raises(InvalidInput):
        wrong(mock.state("A"))
    assert mock.state("A").list == []


def test_assertions_show_the_calls(ex: TestExecutor) -> None:
    charge = ex.mock.state("Charge").returns(None)
    charge.assert_not_called()
    run(ex, machine(Charge=task("c")), {"n": 1})
    charge.assert_called_once()
    charge.assert_any_call({"n": 1})
    for wrong in (
        lambda: charge.assert_called_with(2),
        lambda: charge.assert_any_call(2),
        lambda: charge.assert_called(2),
    ):
        with pytest.raises(
            AssertionError, match=r"there was 1 call of state 'Charge'\n  2025-01-01 00:00:00 Charge attempt 0"
        ):
            wrong()


# mock files


def test_a_mock_is_a_case_of_a_mock_file(tmp_path: Path, ex: TestExecutor) -> None:
    path, definition = tmp_path / "mocks.json", machine(Charge=task("c", Retry=RETRY), Tell=task("t"))
    mock = Mock()
    mock.state("Charge").fails("Down", "503", times=2).fails("Down").returns({"ok": True})
    mock.state("Tell").returns([1, 2.5, None])
    mock.save(path, "w", "slow")
    Mock().save(path, "w", "nothing")
    assert json.loads(path.read_text())["MockedResponses"]["w.slow.Charge"] == {
        "0-1": {"Throw": {"Error": "Down", "Cause": "503"}},
        "2": {"Throw": {"Error": "Down"}},
        "3-999999999": {"Return": {"ok": True}},
    }
    assert MockFile(path).cases("w") == ["slow", "nothing"]
    loaded = Mock.load(path, "w", "slow")
    assert loaded.document("w", "slow") == mock.document("w", "slow")
    ex.mock = loaded
    assert run(ex, definition) == [1, 2.5, None]
    assert scripted_run(definition, {}, mocks=MockFile(path).case("w", "slow"), profile="default")["output"] == [
        1,
        2.5,
        None,
    ]


@pytest.mark.parametrize(
    ("add", "says"),
    [
        (lambda mock: mock.state("A").answers(len), "cannot hold what 'answers' says, of state 'A'"),
        (lambda mock: mock.state("A").returns(1, delay=5), "a delay, of state 'A'"),
        (lambda mock: mock.state("A", index=1).returns(1), "none for state 'A' index=1"),
        (lambda mock: mock.resource("f").returns(1), "none for resource 'f'"),
    ],
)
def test_what_a_mock_file_cannot_hold_is_said(tmp_path: Path, add: Any, says: str) -> None:
    mock = Mock()
    add(mock)
    with pytest.raises(InvalidInput, match=says):
        mock.save(tmp_path / "mocks.json", "w", "case")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_mock_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mocks.json"
    path.write_text("{}")
    with pytest.raises(InvalidInput, match="MockedResponses"):
        Mock().save(path, "w", "case")
    assert path.read_text() == "{}"


def test_answers_of_a_fixture_are_replaced_by_those_of_the_test(stepwell: TestExecutor) -> None:
    stepwell.deploy("w", machine(A=task("f"), B=task("f"), C=task("f")))
    stepwell.mock.resource("f").returns("fixture", times=1).returns("fixture")
    stepwell.mock.resource("f").clear().returns("first").returns("later")
    execution = stepwell.start("w").wait()
    assert [execution.outputs(name) for name in "ABC"] == [["first"], ["later"], ["later"]]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda mock: mock.state(5), "mock.state takes a name, not 5"),
        (lambda mock: mock.resource(""), "mock.resource takes a name, not ''"),
        (lambda mock: mock.state("A", index=-1), "state 'A': index is a whole number from 0, not -1"),
        (lambda mock: mock.resource("f", index="1"), "resource 'f': index is a whole number from 0, not '1'"),
        (lambda mock: mock.state("A", when=3), "state 'A': when is a function of the input, not 3"),
        (lambda mock: TestExecutor(mock=3), "mock is a Mock, not 3"),
    ],
)
def test_a_mock_that_could_never_answer_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        wrong(Mock())


def test_only_a_mock_takes_the_place_of_a_mock(stepwell: TestExecutor) -> None:
    mock, wrong = stepwell.mock, cast(Any, "MockConfigFile.json")
    with pytest.raises(InvalidInput, match=r"mock is a Mock, not 'MockConfigFile.json': Mock.load reads a file"):
        stepwell.mock = wrong
    assert stepwell.mock is mock


def test_a_task_without_a_mock_is_said_with_the_mocks_that_there_are(stepwell: TestExecutor) -> None:
    stepwell.mock.state("Chrage").returns(1)
    stepwell.mock.resource("g", index=1).returns(1)
    stepwell.mock.state("Never")
    stepwell.deploy("w", machine(Charge=task("f")))
    with pytest.raises(UnscriptedTask, match=r"calls 'f'.*; mocked are state 'Chrage', resource 'g' index=1$"):
        stepwell.start("w").wait()
