"""EXPRESS workflows that their caller waits for, in the shape of StartSyncExecution's answer (ASL A16.81)."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from engine.support import machine, passing, task
from stepwell import ApiError, AsyncExecutor, ExecutionNotFound, Executor, InvalidInput, WorkflowNotFound
from stepwell.engine.client import express

pytestmark = pytest.mark.covers("A16.81")
ECHO = machine({"Echo": passing()})
FAILS = machine({"F": {"Type": "Fail", "Error": "Broken", "Cause": "beyond repair"}})
SLEEPS = machine({"Sleep": {"Type": "Wait", "Seconds": 200, "End": True}})


@pytest.fixture
def ex() -> Iterator[Executor]:
    with Executor() as executor:
        for name, definition in (("echo", ECHO), ("fails", FAILS), ("sleeps", SLEEPS)):
            executor.deploy(name, definition, type="EXPRESS")
        yield executor


def test_a_success_has_the_output_and_what_it_would_cost(ex: Executor) -> None:
    before = time.time()
    result = ex.start_sync("echo", {"a": [1, "ß"]}, "mine")
    assert result["executionArn"].startswith("arn:aws:states:us-east-1:000000000000:express:echo:mine:")
    assert result["stateMachineArn"] == "arn:aws:states:us-east-1:000000000000:stateMachine:echo"
    assert (result["name"], result["status"]) == ("mine", "SUCCEEDED")
    assert json.loads(result["input"]) == json.loads(result["output"]) == {"a": [1, "ß"]}
    assert result["inputDetails"] == result["outputDetails"] == {"included": True}
    assert before - 1 <= result["startDate"] <= result["stopDate"] <= time.time() + 1
    assert result["billingDetails"]["billedMemoryUsedInMB"] == 64
    assert result["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
    assert "error" not in result and "cause" not in result  # noqa: PT018 - one claim


def test_no_input_is_an_empty_object(ex: Executor) -> None:
    assert ex.start_sync("echo")["output"] == "{}"


def test_a_failure_is_an_answer_not_an_exception(ex: Executor) -> None:
    result = ex.start_sync("fails", 1)
    assert (result["status"], result["error"], result["cause"]) == ("FAILED", "Broken", "beyond repair")
    assert "output" not in result


def test_the_limit_of_the_definition_times_it_out(ex: Executor) -> None:
    ex.deploy("brief", machine(SLEEPS["States"], TimeoutSeconds=1), type="EXPRESS")
    result = ex.start_sync("brief")
    assert result["status"] == "TIMED_OUT"
    assert not {"output", "error", "cause"} & set(result)


def test_five_minutes_is_the_longest(ex: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert express.SECONDS == 300
    monkeypatch.setattr(express, "SECONDS", 0.05)
    result = ex.start_sync("sleeps")
    assert result["status"] == "TIMED_OUT"
    lasted = (result["stopDate"] - result["startDate"]) * 1000
    billed = result["billingDetails"]["billedDurationInMilliseconds"]
    assert billed % 100 == 0  # begun 100 ms count as whole ones
    assert lasted - 1 <= billed <= lasted + 101
    (execution,) = ex.list("sleeps")
    assert [event["type"] for event in execution.history(1, reverse=True)] == ["ExecutionTimedOut"]


def test_one_that_somebody_stops_has_failed(ex: Executor) -> None:
    result: list[Any] = []
    caller = threading.Thread(target=lambda: result.append(ex.start_sync("sleeps")))
    caller.start()
    while not (running := ex.list("sleeps", "Running")):
        time.sleep(0.002)
    running[0].stop("Enough", "said so")
    caller.join(10)
    assert (result[0]["status"], result[0]["error"], result[0]["cause"]) == ("FAILED", "Enough", "said so")


def test_a_name_may_be_used_again(ex: Executor) -> None:
    result = [ex.start_sync("echo", 1, "same") for _ in range(3)]
    assert len({each["executionArn"] for each in result}) == 3


def test_a_standard_workflow_is_refused(ex: Executor) -> None:
    ex.deploy("standard", ECHO)
    with pytest.raises(ApiError) as caught:
        ex.start_sync("standard")
    assert caught.value.code == "StateMachineTypeNotSupported"
    assert ex.list("standard") == []


def test_what_start_refuses_is_refused(ex: Executor) -> None:
    with pytest.raises(WorkflowNotFound):
        ex.start_sync("nothing")
    with pytest.raises(InvalidInput):
        ex.start_sync("echo", object())
    with pytest.raises(ExecutionNotFound):
        ex.get("/a/b")


def test_an_async_program_awaits_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        async with AsyncExecutor(handlers={"work": lambda value: value + 1}) as ex:
            await ex.deploy("works", machine({"W": task(resource="work")}), type="EXPRESS")
            await ex.deploy("sleeps", SLEEPS, type="EXPRESS")
            await ex.deploy("standard", ECHO)
            result = await asyncio.gather(*(ex.start_sync("works", number) for number in range(20)))
            assert [json.loads(each["output"]) for each in result] == list(range(1, 21))
            with pytest.raises(ApiError, match="StateMachineTypeNotSupported"):
                await ex.start_sync("standard")
            monkeypatch.setattr(express, "SECONDS", 0.05)
            assert (await ex.start_sync("sleeps"))["status"] == "TIMED_OUT"

    asyncio.run(use())


def test_the_answer_fits_aws_s_model(ex: Executor) -> None:
    model = pytest.importorskip("botocore.session").get_session().get_service_model("stepfunctions")
    shape = model.operation_model("StartSyncExecution").output_shape
    for workflow in ("echo", "fails"):
        result = ex.start_sync(workflow)
        assert set(result) <= set(shape.members)
        assert set(shape.required_members) <= set(result)
        assert set(result["billingDetails"]) == set(shape.members["billingDetails"].members)
        assert result["status"] in shape.members["status"].enum


SHOWS = machine({"S": {"Type": "Pass", "Parameters": {"execution.$": "$$.Execution"}, "End": True}})


def test_the_context_object_of_an_express_execution(ex: Executor) -> None:
    # Recorded 2024-07-15: a synchronous one has no RedriveCount, an asynchronous one has it.
    ex.deploy("shows", SHOWS, type="EXPRESS")
    result = [ex.start_sync("shows", None, "mine") for _ in range(2)]
    shown = [json.loads(each["output"])["execution"] for each in result]
    assert [each["Id"] for each in shown] == [each["executionArn"] for each in result]
    assert len({each["Id"] for each in shown}) == 2
    assert all(each["Id"].startswith("arn:aws:states:us-east-1:000000000000:express:shows:mine:") for each in shown)
    assert all(uuid.UUID(each["Id"].rpartition(":")[2]) for each in shown)
    assert all("RedriveCount" not in each for each in shown)
    started = ex.start("shows", None, "mine").wait(60).output["execution"]
    assert started["RedriveCount"] == 0
    assert started["Id"].startswith("arn:aws:states:us-east-1:000000000000:express:shows:mine:")
