"""Partitions: with one and with several an executor behaves the same; a process that dies takes nothing with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.support import ACTIVITY, CALLBACK, machine, map_over, passing, retry, task
from stepwell import (
    AsyncExecutor,
    Busy,
    Closed,
    ExecutionAlreadyExists,
    ExecutionContext,
    ExecutionNotFound,
    ExecutionRunning,
    Executor,
    HandlerContext,
    InvalidInput,
    Limits,
    LockedError,
    NotRedrivable,
    StorageError,
    TaskDoesNotExist,
    TaskError,
    WaitTimeout,
    WorkflowNotFound,
    _core,
)
from stepwell.engine.host.processes.host import MultiProcessHost
from stepwell.engine.storage.contexts import SequenceContext

WORK = machine({"Work": task(resource="work")})
LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})


def distributed(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return map_over({**processor, **config}, **fields)


def work(value: Any) -> Any:
    return {"done": value}


@pytest.fixture(scope="module", params=[1, 4], ids=["1 partition", "4 partitions"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    folder = tmp_path_factory.mktemp("partitions") / "data"
    with Executor(folder, handlers={"work": work}, partitions=request.param) as executor:
        executor.deploy("work", WORK)
        executor.deploy("long", LONG)
        yield executor


@pytest.fixture
def ex(shared: Executor) -> Executor:
    return shared


def places(ids: list[str]) -> set[str]:
    """The partition keys of ids."""
    return {id.split("/")[3] for id in ids}


# the same with one and with four


def test_executions_run_and_are_found(ex: Executor) -> None:
    executions = [ex.start("work", number) for number in range(40)]
    assert len(places([execution.id for execution in executions])) == 40, "they are spread"
    assert [execution.wait(20).output for execution in executions] == [{"done": number} for number in range(40)]
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
        execution.wait(20)
    waiting = [ex.start("long", number) for number in range(5)]
    assert [execution.input for execution in ex.list("listed")] == list(range(59, -1, -1))
    assert [execution.input for execution in ex.list("listed", "Succeeded", limit=7)] == list(range(59, 52, -1))
    assert [execution.id for execution in ex.list(limit=8)][:5] == [each.id for each in reversed(waiting)]
    assert ex.list("listed", "Running") == []
    for each in waiting:
        each.stop()


def test_what_is_not_there_is_told(ex: Executor) -> None:
    missing = ex.start("work", 1).wait(20).id[:-16] + "0" * 16
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
    waiting.join(20)
    assert not waiting.is_alive()
    assert (stopped.wait(20).status, stopped.error, stopped.cause) == ("Canceled", "Enough", "said the user")
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
    execution.wait(20)
    ex.delete(execution.id)
    deadline = time.monotonic() + 20
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
    assert [execution.wait(20).status for execution in executions] == ["Succeeded"] * 10
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
    assert [execution.wait(20).output for execution in executions] == list(range(20))
    assert {context.execution_id for context in seen} == {execution.id for execution in executions}
    assert len({context.task_id for context in seen}) == 20, "no task has another's id"


def test_task_tokens(ex: Executor) -> None:
    tokens: dict[Any, str] = {}
    ex.register(CALLBACK, lambda value, context: tokens.update({value: context.task_token}))
    ex.deploy("asks", machine({"Ask": task(resource=CALLBACK)}))
    executions = [ex.start("asks", number) for number in range(8)]
    _until(lambda: len(tokens) == 8)
    for number in range(8):
        ex.send_task_heartbeat(tokens[number])
        if number % 2:
            ex.send_task_success(tokens[number], number)
        else:
            ex.send_task_failure(tokens[number], "No", "never")
    outcomes = [execution.wait(20) for execution in executions]
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
    assert [execution.wait(20).output for execution in executions] == ["done"] * 12
    for worker in workers:
        worker.join(20)
    assert sorted(taken) == list(range(12))


def test_a_poll_is_woken_by_a_task(ex: Executor) -> None:
    ex.deploy("polled", machine({"Do": task(resource=ACTIVITY)}))
    threading.Timer(0.1, lambda: ex.start("polled", "late")).start()
    given = ex.get_activity_task(ACTIVITY, timeout=20)
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
    execution = ex.start("again", {"a": 1}).wait(20)
    assert execution.status == "Failed"
    assert ex.redrive(execution.id).wait(20).output == {"a": 1}
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
    execution = ex.start(name, list(range(8))).wait(20)
    while execution.status == "Failed":
        execution = ex.redrive(execution.id).wait(20)
    assert execution.output == list(range(8))
    (run,) = ex.list_map_runs(execution.id)
    told = ex.describe_map_run(run["mapRunArn"])
    assert told["redriveCount"] > 0
    assert told["executionCounts"]["succeeded"] == told["itemCounts"]["succeeded"] == 8


def test_an_execution_starts_another_and_waits_for_it(ex: Executor) -> None:
    arn = "arn:aws:states:::states:startExecution.sync:2"
    start = {"StateMachineArn": "work", "Input.$": "$"}
    ex.deploy("outer", machine({"Inner": task(resource=arn, Parameters=start, OutputPath="$.Output")}))
    executions = [ex.start("outer", {"n": number}) for number in range(8)]
    assert [execution.wait(20).output for execution in executions] == [{"done": {"n": n}} for n in range(8)]


def test_what_is_given_up_gives_up_what_it_waits_for(ex: Executor) -> None:
    arn = "arn:aws:states:::states:startExecution.sync"
    ex.deploy("kept", LONG)
    ex.deploy("waits", machine({"Inner": task(resource=arn, Parameters={"StateMachineArn": "kept"})}))
    executions = [ex.start("waits") for _ in range(6)]
    _until(lambda: len(ex.list("kept", "Running")) == 6)
    _until(lambda: all("TaskSubmitted" in [e["type"] for e in each.history()] for each in executions))
    for execution in executions:
        execution.stop()
    _until(lambda: len(ex.list("kept", "Canceled")) == 6)


def test_definitions_have_versions(ex: Executor) -> None:
    assert ex.deploy("versions", WORK).id == "versions:1"
    assert ex.deploy("versions", WORK).id == "versions:1"
    kept = [ex.start("versions", number) for number in range(6)]
    assert ex.deploy("versions", LONG).id == "versions:2"
    assert ex.workflow("versions").id == "versions:2"
    assert ex.workflow_of("versions:1").context.version == 1
    assert [execution.wait(20).status for execution in kept] == ["Succeeded"] * 6


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
    execution, *_ = [ex.start("work", number).wait(20) for number in range(8)]
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


# opened again


@pytest.mark.parametrize("partitions", [1, 4])
def test_what_runs_goes_on_when_the_folder_is_opened_again(tmp_path: Path, partitions: int) -> None:
    done: list[Any] = []
    handlers = {"work": done.append}
    with Executor(tmp_path / "data", handlers=handlers, partitions=partitions) as ex:
        ex.deploy(
            "naps", machine({"Nap": {"Type": "Wait", "Seconds": 1, "Next": "Work"}, "Work": task(resource="work")})
        )
        ids = [ex.start("naps", number).id for number in range(12)]
        task_ids = [ex.start("naps", "x", f"name-{number}").id for number in range(4)]
    with Executor(tmp_path / "data", handlers=handlers, partitions=partitions) as ex:
        assert ex.workflow("naps").id == "naps:1"
        for id in ids + task_ids:
            assert ex.get(id).wait(20).status == "Succeeded"
        with pytest.raises(ExecutionAlreadyExists):
            ex.start("naps", "x", "name-1")
        assert ex.start("naps", 1).id > max(id for id in ids if id[:26] == ids[0][:26])
    assert len(done) >= 16


def test_another_number_of_partitions_is_refused(tmp_path: Path) -> None:
    with Executor(tmp_path / "two", partitions=2):
        pass
    for other in (1, 3):
        with pytest.raises(StorageError, match=r"has 2 partitions, not .*partitions=2"):
            Executor(tmp_path / "two", partitions=other)
    with Executor(tmp_path / "one"):
        pass
    with pytest.raises(StorageError, match=r"has 1 partition, not 2.*partitions=1"):
        Executor(tmp_path / "one", partitions=2)
    for wrong in (0, -1, 257, True):
        with pytest.raises(InvalidInput):
            Executor(partitions=wrong)
    Executor(tmp_path / "two", partitions=2).close()


def test_a_folder_has_one_executor(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2), pytest.raises(LockedError):
        Executor(tmp_path / "data", partitions=2)


def test_in_memory(tmp_path: Path) -> None:
    with Executor(handlers={"work": work}, partitions=2) as ex:
        ex.deploy("work", WORK)
        assert [ex.start("work", n).wait(20).output for n in range(6)] == [{"done": n} for n in range(6)]
        for pid in _pids(ex):
            os.kill(pid, signal.SIGKILL)
        _until(lambda: _raises(StorageError, lambda: ex.start("work", 1)))


def test_what_is_asked_of_a_closed_one_is_refused_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    ex = Executor(tmp_path / "data", partitions=2)
    ex.deploy("long", LONG)
    execution = ex.start("long")
    told: list[BaseException] = []

    def wait() -> None:
        try:
            execution.wait()
        except Closed as error:
            told.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    pids = _pids(ex)
    ex.close()
    waiting.join(20)
    assert len(told) == 1
    for ask in (
        lambda: ex.start("long"),
        lambda: ex.get(execution.id),
        lambda: ex.list(),
        lambda: ex.deploy("x", LONG),
    ):
        with pytest.raises(Closed):
            ask()
    ex.close()
    assert not any(_is_alive(pid) for pid in pids)


def test_a_full_inbox_is_busy(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2, limits=Limits(inbox=1)) as ex:
        ex.deploy("long", LONG)
        pids = _pids(ex)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            answers: list[Any] = []

            def fill() -> None:
                for _ in range(4):
                    ex.submit_start("long", {}, None, lambda *answer: answers.append(answer))

            with pytest.raises(Busy):
                fill()
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        assert ex.start("long", timeout=20).status == "Running"


async def _async_run(folder: Path, partitions: int) -> list[Any]:
    async def handler(value: Any) -> Any:
        await asyncio.sleep(0)
        return {"done": value}

    async with AsyncExecutor(folder, handlers={"work": handler}, partitions=partitions) as ex:
        await ex.deploy("work", WORK)
        executions = await asyncio.gather(*(ex.start("work", number) for number in range(50)))
        await asyncio.gather(*(execution.wait(20) for execution in executions))
        assert sorted([each.input for each in await ex.list("work")]) == list(range(50))
        await ex.deploy("long", LONG)
        waiting = await ex.start("long")
        with pytest.raises(WaitTimeout):
            await waiting.wait(0.05)
        return [execution.output["done"] for execution in executions]


@pytest.mark.parametrize("partitions", [1, 4])
def test_asyncio(tmp_path: Path, partitions: int) -> None:
    assert asyncio.run(_async_run(tmp_path / "data", partitions)) == list(range(50))


# processes that die


def _pids(ex: Executor) -> list[int]:
    host = ex.client.host
    assert isinstance(host, MultiProcessHost)
    return [partition.pid for partition in host.partitions]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _raises(kind: type[Exception], ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except kind:
        return True
    return False


def _until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_that_dies_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    """Under load, partitions are killed again and again; the journal of the clients is the model."""
    tries: dict[str, int] = {}
    lock = threading.Lock()

    def steps(value: Any, context: HandlerContext) -> Any:
        with lock:
            tries[context.task_id] = tries.get(context.task_id, 0) + 1
        return value

    acknowledged: dict[str, tuple[int, str]] = {}
    refused: list[BaseException] = []
    stop = threading.Event()
    three = machine({"A": task("B", resource="steps"), "B": task("C", resource="steps"), "C": task(resource="steps")})
    with Executor(tmp_path / "data", handlers={"steps": steps}, partitions=3) as ex:
        ex.deploy("three", three)

        def client(number: int) -> None:
            while not stop.is_set():
                try:
                    execution = ex.start("three", number, f"client-{number}")
                    execution.wait(60)
                    acknowledged[execution.id] = (number, execution.status)
                except BaseException as error:
                    refused.append(error)
                number += 100

        clients = [threading.Thread(target=client, args=(number,)) for number in range(24)]
        for each in clients:
            each.start()
        before = _pids(ex)
        for index in (0, 1, 2, 0):
            time.sleep(0.4)
            os.kill(_pids(ex)[index], signal.SIGKILL)
        time.sleep(0.5)
        stop.set()
        for each in clients:
            each.join(60)
        assert not [each for each in clients if each.is_alive()]
        assert not refused
        assert not set(before) & set(_pids(ex))
        assert {status for _, status in acknowledged.values()} == {"Succeeded"}
        listed = {execution.id: execution for execution in ex.list("three", limit=1_000_000)}
        assert listed.keys() == acknowledged.keys(), "each start is one execution, and each execution was started"
        for id, execution in listed.items():
            assert execution.output == acknowledged[id][0]
        events = [execution.history() for execution in list(listed.values())[:200]]
    for history in events:
        assert [event["id"] for event in history] == list(range(1, len(history) + 1))
        assert sum(event["type"] == "ExecutionSucceeded" for event in history) == 1
    assert len(tries) == 3 * len(listed), "an attempt keeps its task's id"


def _id_of(workflow: str, name: str) -> str:
    return f"/default/default/e{_core.hash7(f'{workflow}/{name}')}/{'0' * 16}"


def test_the_others_go_on_while_one_is_down(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", handlers={"work": work}, partitions=2) as ex:
        host = ex.client.host
        assert isinstance(host, MultiProcessHost)
        ex.deploy("work", WORK)
        ex.deploy("long", LONG)
        started = [ex.start("long") for _ in range(10)]
        down = next(each for each in started if host.places.of_execution(each.id) == 1)
        os.kill(_pids(ex)[1], signal.SIGSTOP)  # slow, not dead: what is asked of it waits
        try:
            names = [f"name-{number}" for number in range(40)]
            reachable = [name for name in names if host.places.of_execution(_id_of("work", name)) == 0]
            answered = [ex.start("work", 1, name).wait(20).output for name in reachable]
        finally:
            os.kill(_pids(ex)[1], signal.SIGCONT)
        assert answered == [{"done": 1}] * len(reachable)
        assert 0 < len(reachable) < 40
        assert down.status == "Running"


def test_a_wait_survives_the_process_and_so_does_a_handler_s_work(tmp_path: Path) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    calls: list[str] = []

    def slow(value: Any, context: HandlerContext) -> Any:
        calls.append(context.task_id)
        begun.release()
        assert go_on.wait(20)
        return value

    with Executor(tmp_path / "data", handlers={"slow": slow}, partitions=2) as ex:
        ex.deploy("slow", machine({"Slow": task(resource="slow")}))
        executions = [ex.start("slow", number) for number in range(6)]
        for _ in executions:
            assert begun.acquire(timeout=20)
        before = _pids(ex)
        outputs: list[Any] = []
        waits = [threading.Thread(target=lambda each=each: outputs.append(each.wait(30).output)) for each in executions]
        for wait in waits:
            wait.start()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        _until(lambda: not set(before) & set(_pids(ex)))
        go_on.set()  # their results come while nobody is there yet to take them
        for wait in waits:
            wait.join(30)
        assert sorted(outputs) == list(range(6))
        assert not set(before) & set(_pids(ex))
    assert len(calls) == len(set(calls)) == 6, "what handlers were at was not begun again"


def test_a_partition_that_cannot_be_opened_says_why_and_works_once_it_can(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2) as ex:
        host = ex.client.host
        assert isinstance(host, MultiProcessHost)
        ex.deploy("long", LONG)
        ids = [ex.start("long").id for _ in range(10)]
        in_first = next(id for id in ids if host.places.of_execution(id) == 0)
        in_second = next(id for id in ids if host.places.of_execution(id) == 1)
        folder, aside = tmp_path / "data" / "p1", tmp_path / "aside"
        folder.rename(aside)
        folder.write_text("not a folder")
        os.kill(_pids(ex)[1], signal.SIGKILL)
        _until(lambda: _raises(StorageError, lambda: ex.get(in_second)))
        assert ex.get(in_first).status == "Running"
        folder.unlink()
        aside.rename(folder)
        _until(lambda: not _raises(StorageError, lambda: ex.get(in_second)))
        assert ex.get(in_second).status == "Running"


def test_what_cannot_be_opened_at_first_is_refused_and_leaves_no_process(tmp_path: Path) -> None:
    Executor(tmp_path / "data", partitions=2).close()
    before = _children()
    segment = next((tmp_path / "data" / "p1" / "log").glob("*.log"))
    segment.write_bytes(b"x" * 100)
    with pytest.raises(StorageError):
        Executor(tmp_path / "data", partitions=2)
    assert _children() == before


def _children() -> list[str]:
    found = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=False
    )
    return {line for line in found.stdout.splitlines() if "processes.process" in line}


PROGRAM = """
    import os, sys, threading
    from stepwell import Executor
    ex = Executor(sys.argv[1], handlers={"work": lambda value: value}, partitions=2)
    ex.deploy("w", {"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": "work", "Next": "B"},
        "B": {"Type": "Task", "Resource": "work", "End": True}}})
    def client(number):
        while True:
            execution = ex.start("w", number)
            os.write(1, f"{execution.id} {number}\\n".encode())
            if number % 2:
                execution.wait()
                os.write(1, f"{execution.id} done\\n".encode())
            number += 100
    for number in range(16):
        threading.Thread(target=client, args=(number,)).start()
"""


@pytest.mark.parametrize("seconds", [1.0, 1.3, 1.7])
def test_a_program_that_is_killed_loses_nothing_that_it_was_told(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "data")]
    with (tmp_path / "journal").open("wb") as journal:
        program = subprocess.Popen(command, stdout=journal)
        try:
            _until(lambda: (tmp_path / "journal").stat().st_size > 0)
            time.sleep(seconds)
        finally:
            program.kill()
            program.wait()
    lines = (tmp_path / "journal").read_text().rpartition("\n")[0].splitlines()
    started = {id: int(number) for id, number in (line.split() for line in lines) if number != "done"}
    ended = {line.split()[0] for line in lines if line.endswith("done")}
    assert len(started) > 20
    with Executor(tmp_path / "data", handlers={"work": lambda value: value}, partitions=2) as ex:
        for id in ended:
            assert ex.get(id).status == "Succeeded"
        for id, number in started.items():
            assert ex.get(id).wait(60).output == number
        listed = ex.list("w", limit=1_000_000)
        assert {execution.id for execution in listed} >= started.keys()
        assert len(listed) <= len(started) + 16, "no start was done that nobody asked for"
        assert len({execution.id for execution in listed}) == len(listed)


def test_processes_end_when_their_program_is_gone(tmp_path: Path) -> None:
    program = """
        import os, sys
        from stepwell import Executor
        ex = Executor(sys.argv[1], partitions=2)
        print(*[partition.pid for partition in ex.client.host.partitions], flush=True)
        os.kill(os.getpid(), 9)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "data")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in finished.stdout.split()]
    assert len(pids) == 2
    _until(lambda: not any(_is_alive(pid) for pid in pids))


@pytest.mark.parametrize("name", ["data/p0", "data/p1/.", "link"])
def test_one_partition_of_several_is_not_opened_alone(tmp_path: Path, name: str) -> None:
    """What is started there alone would be in a partition where nobody looks for it."""
    (tmp_path / "link").symlink_to(tmp_path / "data" / "p1")
    with Executor(tmp_path / "data", handlers={"work": work}, partitions=2) as executor:
        executor.deploy("work", WORK)
        ids = [executor.start("work", n).wait(30).id for n in range(4)]
    with pytest.raises(StorageError, match=r"is one of several partitions: open .*data, which has them all"):
        Executor(os.path.join(tmp_path, name))
    with Executor(tmp_path / "data", partitions=2) as executor:
        assert {executor.get(id).status for id in ids} == {"Succeeded"}
