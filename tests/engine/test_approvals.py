"""Open tasks are found and answered by their state; an execution is followed until it is somewhere."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.support import ACTIVITY, CALLBACK, catch, machine, map_over, parallel, passing, task
from stepwell import (
    AsyncExecutor,
    Execution,
    ExecutionFailed,
    Executor,
    HandlerContext,
    InvalidInput,
    InvalidToken,
    TaskDoesNotExist,
    WaitTimeout,
)

APPROVAL = machine(
    {
        "Prepare": passing("Approval"),
        "Approval": task("Done", ACTIVITY, Catch=[catch("Declined", next="Done")]),
        "Done": passing(),
    }
)
BEGUN = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "TaskStateEntered", "ActivityScheduled"]
ENDED = ["ActivitySucceeded", "TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


def test_an_approval(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("approval", APPROVAL)
    one, two = ex.start("approval", 1), ex.start("approval", 2)
    for execution in (one, two):
        assert execution.wait_for("Approval", 10) is execution
    assert {task.execution_id for task in ex.open_tasks()} == {one.id, two.id}
    (open_task,) = ex.open_tasks(two.short_id)
    assert (open_task.input, open_task.resource, open_task.status) == (b"2", ACTIVITY, "Created")
    assert len(ex.open_tasks(state="Approval", resource=ACTIVITY)) == 2
    assert len(ex.open_tasks(limit=1)) == 1
    assert ex.open_tasks(state="Done") == ex.open_tasks(resource="other") == ex.open_tasks(one.id, state="Done") == []
    one.complete("Approval", {"by": "Ada"})
    two.fail("Approval", "Declined", "too dear")
    assert one.wait(60).output == {"by": "Ada"}
    assert two.wait(60).output == {"Error": "Declined", "Cause": "too dear"}
    assert ex.open_tasks() == []


def test_a_task_that_waits_for_its_token_and_a_handler_s(anywhere: Callable[..., Executor]) -> None:
    called, may_end = threading.Event(), threading.Event()

    def slow(input: Any, ctx: HandlerContext) -> str:
        called.set()
        may_end.wait(60)
        return "from the handler"

    ex = anywhere(handlers={CALLBACK: lambda input: None, "slow": slow})
    token = {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}}
    ex.deploy("callback", machine({"Ask": task(resource=CALLBACK, Parameters=token)}))
    ex.deploy("slow", machine({"Slow": task(resource="slow")}))
    asked = ex.start("callback").wait_for("Ask", 10)
    (open_task,) = ex.open_tasks(asked.id)
    assert open_task.token
    asked.complete("Ask", "yes")
    assert asked.wait(60).output == "yes"
    overtaken = ex.start("slow")
    assert called.wait(60)
    overtaken.complete("Slow", "from outside")
    assert overtaken.wait(60).output == "from outside"
    may_end.set()


def test_a_state_without_an_open_task_or_with_several() -> None:
    with Executor() as ex:
        waits = machine({"W": {"Type": "Wait", "Seconds": 999, "End": True}})
        both = parallel(machine({"One": task(resource=ACTIVITY)}), waits, next="M")
        ex.deploy("both", machine({"P": both, "M": passing()}))
        execution = ex.start("both").wait_for("One", 10)
        execution.wait_for("W", 10)
        execution.wait_for("P", 10)
        for state in ("W", "P", "M"):
            with pytest.raises(TaskDoesNotExist, match=f"'{state}' is open"):
                execution.complete(state, 1)
        for state in ("Nowhere", "", 7):
            with pytest.raises(InvalidInput, match="no state"):
                execution.complete(state, 1)  # type: ignore[arg-type]
            with pytest.raises(InvalidInput, match="no state"):
                execution.wait_for(state)  # type: ignore[arg-type]
        execution.complete("One", 1)
        with pytest.raises(TaskDoesNotExist, match="'One' is open"):
            execution.fail("One")
        each = map_over(machine({"Ask": task(resource=ACTIVITY)}))
        ex.deploy("each", machine({"Each": each}))
        several = ex.start("each", [1, 2, 3]).wait_for("Ask", 10)
        ids = [task.id for task in ex.open_tasks(several.id, state="Ask")]
        assert len(ids) == 3
        with pytest.raises(InvalidInput, match="several tasks") as refusal:
            several.complete("Ask", 1)
        assert all(id in str(refusal.value) for id in ids)
        with pytest.raises(InvalidInput, match="is not JSON"):
            several.complete("Ask", object())


def test_waiting_for_a_state_ends_with_the_execution(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("approval", APPROVAL)
    execution = ex.start("approval")
    with pytest.raises(WaitTimeout, match="'Done'"):
        execution.wait_for("Done", 0.05)
    threading.Timer(0.1, execution.stop, ("Stopped", "by hand")).start()
    with pytest.raises(ExecutionFailed, match="by hand") as failure:
        execution.wait_for("Done", 20)
    assert (failure.value.status, failure.value.error) == ("Canceled", "Stopped")
    passed = ex.start("approval")
    passed.wait_for("Approval", 10).complete("Approval", 1)
    passed.wait(60)
    with pytest.raises(ExecutionFailed, match="without being seen") as failure:
        passed.wait_for("Approval", 10)
    assert failure.value.status == "Succeeded"
    assert str(failure.value) == f"Succeeded: execution {passed.id} ended without being seen in state 'Approval'"


def test_events_come_while_it_runs_until_it_ends(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("approval", APPROVAL)
    execution = ex.start("approval")
    seen = []
    for event in execution.events():
        seen.append(event["type"])
        if event["type"] == "ActivityScheduled":
            assert seen == BEGUN
            execution.complete("Approval", 1)
    assert seen == BEGUN + ENDED
    assert [event["type"] for event in execution.events(after=5)] == ENDED
    assert list(execution.events()) == execution.history()
    assert list(execution.events(after=99)) == []


def test_many_who_follow_one_execution_see_all_of_it() -> None:
    with Executor(handlers={"h": lambda input: input}) as ex:
        states = {f"S{n}": task(f"S{n + 1}", "h") for n in range(40)} | {"S40": passing()}
        ex.deploy("long", machine({"Go": task("S0", ACTIVITY), **states}))
        execution = ex.start("long")
        seen: list[list[int]] = [[] for _ in range(4)]

        def follow(ids: list[int]) -> None:
            ids += [event["id"] for event in execution.events()]

        threads = [threading.Thread(target=follow, args=(ids,)) for ids in seen]
        for thread in threads:
            thread.start()
        execution.wait_for("Go", 10).complete("Go", 1)
        for thread in threads:
            thread.join(30)
        expected = [event["id"] for event in execution.history()]
        assert seen == [expected] * 4


def test_whoever_follows_an_execution_learns_that_the_executor_was_closed() -> None:
    with Executor() as ex:
        ex.deploy("approval", APPROVAL)
        execution = ex.start("approval").wait_for("Approval", 10)
        ends: list[str] = []

        def follow(call: Callable[[Execution], Any]) -> None:
            try:
                call(execution)
            except Exception as error:
                ends.append(type(error).__name__)

        calls: list[Callable[[Execution], Any]] = [lambda each: list(each.events()), lambda each: each.wait_for("Done")]
        threads = [threading.Thread(target=follow, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        threads[0].join(0.1)
    for thread in threads:
        thread.join(20)
    assert ends == ["Closed", "Closed"]


@pytest.mark.parametrize("partitions", [1, 2])
def test_the_same_awaited(partitions: int) -> None:
    async def main() -> None:
        async with AsyncExecutor(partitions=partitions) as ex:
            await ex.deploy("approval", APPROVAL)
            execution = await ex.start("approval")
            await execution.wait_for("Approval", 10)
            assert [task.execution_id for task in await ex.open_tasks(execution.short_id)] == [execution.id]
            with pytest.raises(WaitTimeout):
                await execution.wait_for("Done", 0.05)
            with pytest.raises(TaskDoesNotExist):
                await execution.complete("Done", 1)
            seen = []
            async for event in execution.events():
                seen.append(event["type"])
                if event["type"] == "ActivityScheduled":
                    await execution.complete("Approval", 1)
            assert seen == BEGUN + ENDED
            declined = await ex.start("approval")
            await (await declined.wait_for("Approval", 10)).fail("Approval", "Declined")
            assert (await declined.wait(60)).output["Error"] == "Declined"

    asyncio.run(main())


@pytest.mark.parametrize("answer", ["complete", "fail"])
@pytest.mark.parametrize("partitions", [1, 2])
def test_a_handler_whose_task_is_answered_by_hand_is_canceled(answer: str, partitions: int) -> None:
    began, seen = threading.Semaphore(0), threading.Semaphore(0)

    def work(input: Any, ctx: HandlerContext) -> None:
        began.release()
        while not ctx.cancelled:
            time.sleep(0.005)
        seen.release()

    async def wait(input: Any) -> None:
        began.release()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.release()
            raise

    with Executor(handlers={"work": work, "wait": wait}, partitions=partitions) as ex:
        for name in ("work", "wait"):
            ex.deploy(name, machine({"Work": task(resource=name)}))
            execution = ex.start(name)
            assert began.acquire(timeout=60)
            getattr(execution, answer)("Work", "by hand")
            assert seen.acquire(timeout=60), "it still runs"
            assert execution.wait(60).status == ("Succeeded" if answer == "complete" else "Failed")


@pytest.mark.parametrize("token", [None, 7, b"token", "no token"])
def test_what_is_no_token_is_refused(token: Any) -> None:
    with Executor() as ex, pytest.raises(InvalidToken):
        ex.send_task_success(token, 1)
