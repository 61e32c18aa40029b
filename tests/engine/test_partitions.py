"""Partitions: with one, with several, and at the nodes of a cluster an executor behaves the same."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from engine.map_run_support import distributed
from engine.partition_support import LONG, PLACE_NAMES, PLACES, WORK, opened, until
from engine.support import ACTIVITY, CALLBACK, machine, passing, retry, task
from stepwell import (
    ExecutionAlreadyExists,
    ExecutionContext,
    ExecutionNotFound,
    ExecutionRunning,
    Executor,
    HandlerContext,
    NotRedrivable,
    StorageError,
    TaskDoesNotExist,
    TaskError,
    WaitTimeout,
    WorkflowNotFound,
)
from stepwell.engine.storage.contexts import SequenceContext


@pytest.fixture(scope="module", params=PLACES, ids=PLACE_NAMES)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    with opened(request.param, tmp_path_factory.mktemp("partitions")) as executor:
        executor.deploy("work", WORK)
        executor.deploy("long", LONG)
        yield executor


@pytest.fixture
def ex(shared: Executor) -> Executor:
    return shared


def places(ids: list[str]) -> set[str]:
    """The partition keys of ids."""
    return {id.split("/")[3] for id in ids}


def test_executions_run_and_are_found(ex: Executor) -> None:
    executions = [ex.start("work", number) for number in range(40)]
    assert len(places([execution.id for execution in executions])) == 40, "they are spread"
    assert [execution.wait(60).output for execution in executions] == [{"done": number} for number in range(40)]
    again = ex.get(executions[7].id)
    assert (again.status, again.input, again.workflow) == ("Succeeded", 7, "work")
    types = [event["type"] for event in again.history()]
    assert types[0] == "ExecutionStarted"
    assert types[-1] == "ExecutionSucceeded"
    assert again.wait(0).output == {"done": 7}


def test_a_list_is_in_the_order_of_the_starts(ex: Executor) -> None:
    ex.deploy("listed", WORK)
    executions = [ex.start("listed", number) for number in range(60)]
    for execution in executions:
        execution.wait(60)
    waiting = [ex.start("long", number) for number in range(5)]
    assert [execution.input for execution in ex.list("listed")] == list(range(59, -1, -1))
    assert [execution.input for execution in ex.list("listed", "Succeeded", limit=7)] == list(range(59, 52, -1))
    assert [execution.id for execution in ex.list(limit=8)][:5] == [each.id for each in reversed(waiting)]
    assert ex.list("listed", "Running") == []
    for each in waiting:
        each.stop()


def test_what_is_not_there_is_reported(ex: Executor) -> None:
    missing = ex.start("work", 1).wait(60).id[:-16] + "0" * 16
    for ask in (ex.get, ex.stop, ex.delete, ex.redrive, ex.history):
        with pytest.raises(ExecutionNotFound):
            ask(missing)
    with pytest.raises(ExecutionNotFound):
        ex.get("no id")
    with pytest.raises(WorkflowNotFound):
        ex.start("nothing")
    with pytest.raises(TaskDoesNotExist):
        ex.send_task_success("no token", 1)


def test_wait_gives_up_and_the_execution_goes_on_until_it_is_stopped(ex: Executor) -> None:
    execution = ex.start("long")
    with pytest.raises(WaitTimeout, match=execution.id):
        execution.wait(0.05)
    with pytest.raises(WaitTimeout):
        execution.wait(0)
    waiting = threading.Thread(target=execution.wait, args=(20,))
    waiting.start()
    stopped = ex.stop(execution.id, "Enough", "said the user")
    waiting.join(60)
    assert not waiting.is_alive()
    assert (stopped.wait(60).status, stopped.error, stopped.cause) == ("Canceled", "Enough", "said the user")
    assert ex.stop(execution.id).status == "Canceled"


def test_a_name_is_one_execution(ex: Executor) -> None:
    names = [f"order-{number}" for number in range(12)]
    first = {name: ex.start("long", {"n": 1}, name).id for name in names}
    assert {name: ex.start("long", {"n": 1}, name).id for name in names} == first
    with pytest.raises(ExecutionAlreadyExists) as refused:
        ex.start("long", {"n": 2}, names[0])
    assert refused.value.execution_id == first[names[0]]
    for id in first.values():
        ex.stop(id)


def test_deleting_makes_the_name_free(ex: Executor) -> None:
    execution = ex.start("long", {}, "passing")
    with pytest.raises(ExecutionRunning):
        ex.delete(execution.id)
    execution.stop()
    execution.wait(60)
    ex.delete(execution.id)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and execution.id in [each.id for each in ex.list("long")]:
        time.sleep(0.01)
    again = ex.start("long", {}, "passing")
    assert again.id != execution.id
    again.stop()


def test_timers_and_retries(ex: Executor) -> None:
    failing = iter([TaskError("Boom"), TaskError("Boom")])

    def flaky(value: Any) -> Any:
        for error in failing:
            raise error
        return value

    ex.register("flaky", flaky)
    retries = [retry("Boom", IntervalSeconds=1, BackoffRate=1)]
    ex.deploy("flaky", machine({"Try": task(resource="flaky", Retry=retries)}))
    ex.deploy("nap", machine({"Nap": {"Type": "Wait", "Seconds": 1, "End": True}}))
    began = time.monotonic()
    executions = [ex.start("nap") for _ in range(8)] + [ex.start("flaky", "x"), ex.start("work", 1, delay=1)]
    assert executions[-1].status == "Pending"
    assert [execution.wait(60).status for execution in executions] == ["Succeeded"] * 10
    assert time.monotonic() - began >= 2


def test_an_async_handler_and_its_context(ex: Executor) -> None:
    seen: list[HandlerContext] = []

    async def slow(value: Any, context: HandlerContext) -> Any:
        seen.append(context)
        context.heartbeat()
        await asyncio.sleep(0.01)
        return value

    ex.register("slow", slow)
    ex.deploy("slow", machine({"Slow": task(resource="slow", TimeoutSeconds=60, HeartbeatSeconds=30)}))
    executions = [ex.start("slow", number) for number in range(20)]
    assert [execution.wait(60).output for execution in executions] == list(range(20))
    assert {context.execution_id for context in seen} == {execution.id for execution in executions}
    assert len({context.task_id for context in seen}) == 20, "no task has another's id"


def test_task_tokens(ex: Executor) -> None:
    tokens: dict[Any, str] = {}
    ex.register(CALLBACK, lambda value, context: tokens.update({value: context.task_token}))
    ex.deploy("asks", machine({"Ask": task(resource=CALLBACK)}))
    executions = [ex.start("asks", number) for number in range(8)]
    until(lambda: len(tokens) == 8)
    for number in range(8):
        ex.send_task_heartbeat(tokens[number])
        if number % 2:
            ex.send_task_success(tokens[number], number)
        else:
            ex.send_task_failure(tokens[number], "No", "never")
    outcomes = [execution.wait(60) for execution in executions]
    assert [each.output if number % 2 else each.error for number, each in enumerate(outcomes)] == [
        number if number % 2 else "No" for number in range(8)
    ]
    with pytest.raises(TaskDoesNotExist):
        ex.send_task_success(tokens[1], "late")


def test_activities_are_polled_each_task_once(ex: Executor) -> None:
    ex.deploy("polled", machine({"Do": task(resource=ACTIVITY)}))
    executions = [ex.start("polled", number) for number in range(12)]
    taken: list[int] = []

    def poll() -> None:
        while (given := ex.get_activity_task(ACTIVITY, "me", timeout=0.3)) is not None:
            taken.append(json.loads(given.input))
            assert given.token is not None
            ex.send_task_success(given.token, "done")

    workers = [threading.Thread(target=poll) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [execution.wait(60).output for execution in executions] == ["done"] * 12
    for worker in workers:
        worker.join(60)
    assert sorted(taken) == list(range(12))


def test_a_poll_is_woken_by_a_task(ex: Executor) -> None:
    ex.deploy("polled", machine({"Do": task(resource=ACTIVITY)}))
    threading.Timer(0.1, lambda: ex.start("polled", "late")).start()
    given = ex.get_activity_task(ACTIVITY, timeout=60)
    assert given is not None
    assert given.token is not None
    ex.send_task_success(given.token, 1)


def test_a_distributed_map_with_its_runs_and_children(ex: Executor) -> None:
    ex.deploy("spread", machine({"Each": distributed(machine({"Do": task(resource="work")}))}))
    execution = ex.start("spread", list(range(30))).wait(60)
    assert execution.output == [{"done": number} for number in range(30)]
    (run,) = ex.list_map_runs(execution.id)
    assert ex.describe_map_run(run["mapRunArn"])["itemCounts"]["succeeded"] == 30
    children = ex.list(map_run=run["mapRunArn"])
    assert len(children) == 30
    assert places([child.id for child in children]) == places([execution.id]), "they stay with their parent"
    assert ex.list("spread") == [execution]


def test_a_redrive_runs_on(ex: Executor) -> None:
    answers = iter([TaskError("Boom")])

    def once(value: Any) -> Any:
        for error in answers:
            raise error
        return value

    ex.register("once", once)
    ex.deploy("again", machine({"First": passing("Second"), "Second": task(resource="once")}))
    execution = ex.start("again", {"a": 1}).wait(60)
    assert execution.status == "Failed"
    assert ex.redrive(execution.id).wait(60).output == {"a": 1}
    with pytest.raises(NotRedrivable):
        ex.redrive(execution.id)


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_a_map_run_runs_on(ex: Executor, type: str) -> None:
    left = {3, 5}

    def once(value: Any) -> Any:
        if value in left:
            left.discard(value)
            raise TaskError("Boom")
        return value

    ex.register("once", once)
    state = distributed(machine({"First": passing("Second"), "Second": task(resource="once")}))
    state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = type
    name = f"spread-again-{type}"
    ex.deploy(name, machine({"Each": state}))
    execution = ex.start(name, list(range(8))).wait(60)
    while execution.status == "Failed":
        execution = ex.redrive(execution.id).wait(60)
    assert execution.output == list(range(8))
    (run,) = ex.list_map_runs(execution.id)
    described = ex.describe_map_run(run["mapRunArn"])
    assert described["redriveCount"] > 0
    assert described["executionCounts"]["succeeded"] == described["itemCounts"]["succeeded"] == 8


def test_an_execution_starts_another_and_waits_for_it(ex: Executor) -> None:
    arn = "arn:aws:states:::states:startExecution.sync:2"
    start = {"StateMachineArn": "work", "Input.$": "$"}
    ex.deploy("outer", machine({"Inner": task(resource=arn, Parameters=start, OutputPath="$.Output")}))
    executions = [ex.start("outer", {"n": number}) for number in range(8)]
    assert [execution.wait(60).output for execution in executions] == [{"done": {"n": n}} for n in range(8)]


def test_what_is_given_up_gives_up_what_it_waits_for(ex: Executor) -> None:
    arn = "arn:aws:states:::states:startExecution.sync"
    ex.deploy("kept", LONG)
    ex.deploy("waits", machine({"Inner": task(resource=arn, Parameters={"StateMachineArn": "kept"})}))
    executions = [ex.start("waits") for _ in range(6)]
    until(lambda: len(ex.list("kept", "Running")) == 6)
    until(lambda: all("TaskSubmitted" in [e["type"] for e in each.history()] for each in executions))
    for execution in executions:
        execution.stop()
    until(lambda: len(ex.list("kept", "Canceled")) == 6)


def test_definitions_have_versions(ex: Executor) -> None:
    assert ex.deploy("versions", WORK).id == "versions:1"
    assert ex.deploy("versions", WORK).id == "versions:1"
    kept = [ex.start("versions", number) for number in range(6)]
    assert ex.deploy("versions", LONG).id == "versions:2"
    assert ex.workflow("versions").id == "versions:2"
    assert ex.workflow("versions:1").context.version == 1
    assert [execution.wait(60).status for execution in kept] == ["Succeeded"] * 6


def test_many_threads(ex: Executor) -> None:
    outputs: list[Any] = []

    def client(first: int) -> None:
        outputs.extend(ex.start("work", number).wait(60).output["done"] for number in range(first, first + 25))

    threads = [threading.Thread(target=client, args=(first,)) for first in range(0, 400, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outputs) == list(range(400))


def test_rows_of_a_program_s_own_are_kept_beside_the_engine_s(ex: Executor) -> None:
    if not isinstance(ex, Executor):
        with pytest.raises(StorageError, match="a cluster keeps no rows of a program's own"):
            ex.storage.set(SequenceContext("mine", 7))
        return
    execution, *_ = [ex.start("work", number).wait(60) for number in range(8)]
    ex.storage.set(SequenceContext("mine", 7))
    row = ex.storage.get(ExecutionContext, execution.id)
    assert row is not None
    ex.storage.set(msgspec.structs.replace(row, cause="a note"))
    assert ex.storage.get(SequenceContext, "mine") == SequenceContext("mine", 7)
    assert ex.context(execution.id).cause == "a note"
    ex.storage.delete(SequenceContext, "mine")
    assert ex.storage.get(SequenceContext, "mine") is None
    everything = ex.storage.scan(ExecutionContext, limit=100_000)
    assert [row.id for row in everything] == sorted(row.id for row in everything)
    assert ex.storage.scan(ExecutionContext, after=(everything[4].id,), limit=3) == everything[5:8]
    assert ex.storage.scan(ExecutionContext, limit=3, reverse=True) == everything[:-4:-1]
