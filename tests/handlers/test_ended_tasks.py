"""Tasks that end without their handlers: they are not begun, and whoever works on them hears of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from handlers.support import GUARD_SECONDS, catch, machine, one, parallel, task, until
from stepwell import AsyncExecutor, Executor, HandlerContext, TaskCancelled, TaskError
from stepwell.tasks import overdue

SAGA = machine(
    {
        "Charge": task(
            resource="charge", TimeoutSeconds=1, Catch=[catch("States.Timeout", next="Refund")], next="Done"
        ),
        "Refund": task("Done", resource="refund"),
        "Done": {"Type": "Succeed"},
    }
)
LONG = one("work", TimeoutSeconds=1)


@pytest.fixture(params=[1, 2], ids=["1 partition", "2 partitions"])
def open_executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Executor]]:
    """Opens an executor, which is closed when the test is over."""
    opened: list[Executor] = []

    def open_one(**options: Any) -> Executor:
        opened.append(Executor(tmp_path / "data", partitions=request.param, **options))
        return opened[-1]

    yield open_one
    for ex in opened:
        ex.close()


@pytest.fixture
def soon_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers are overdue as soon as their tasks have ended."""
    monkeypatch.setattr(overdue, "OVERDUE_SECONDS", 0.05)


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test, and end it if it hangs."""

    @wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), GUARD_SECONDS))

    return run


def entered(ex: Executor, id: str) -> list[str]:
    """The states that an execution has entered."""
    events = ex.history(id)
    return [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]


# what has not begun


def test_a_charge_that_timed_out_while_it_waited_for_a_thread_is_not_made(
    open_executor: Callable[..., Executor],
) -> None:
    release, calls = threading.Event(), list[str]()
    with open_executor(max_workers=1) as ex:
        ex.register("block", lambda input: release.wait(GUARD_SECONDS))
        ex.register("charge", lambda input: calls.append("charge"))
        ex.register("refund", lambda input: calls.append("refund"))
        ex.deploy("block", one("block"))
        ex.deploy("saga", SAGA)
        blocking = ex.start("block")
        sagas = [ex.start("saga") for _ in range(20)]
        for saga in sagas:
            until(lambda saga=saga: "Refund" in entered(ex, saga.id))
        release.set()
        for execution in [blocking, *sagas]:
            assert execution.wait(GUARD_SECONDS).status == "Succeeded"
    assert calls == ["refund"] * 20


def test_a_task_of_an_execution_that_was_stopped_is_not_begun(open_executor: Callable[..., Executor]) -> None:
    release, calls = threading.Event(), list[Any]()
    with open_executor(max_workers=1) as ex:
        ex.register("block", lambda input: release.wait(GUARD_SECONDS))
        ex.register("work", calls.append)
        ex.deploy("block", one("block"))
        ex.deploy("work", one("work"))
        blocking = ex.start("block")
        stopped = [ex.start("work", number) for number in range(3)]
        last = ex.start("work", "last")
        for execution in stopped:
            ex.stop(execution.id)
            execution.wait(GUARD_SECONDS)
        release.set()
        for execution in (blocking, last):
            execution.wait(GUARD_SECONDS)
    assert calls == ["last"]


# what runs


ENDS = ["timed out", "stopped", "a branch failed", "the execution timed out"]


def ending(end: str, ex: Executor, began: threading.Event) -> str:
    """Start an execution whose task ``work`` ends that way once it has begun; its id."""
    definition = one("work")
    if end == "timed out":
        definition = LONG
    elif end == "a branch failed":
        definition = machine({"Both": parallel(one("work"), machine({"Fails": task(resource="fail")}))})
    elif end == "the execution timed out":
        definition = {**definition, "TimeoutSeconds": 1}

    def fail(input: Any) -> None:
        assert began.wait(GUARD_SECONDS)
        raise TaskError("Broken")

    ex.register("fail", fail)
    ex.deploy("w", definition)
    execution = ex.start("w")
    assert began.wait(GUARD_SECONDS)
    if end == "stopped":
        ex.stop(execution.id)
    return execution.id


@pytest.mark.parametrize("end", ENDS)
def test_the_coroutine_of_a_task_that_ended_is_cancelled(open_executor: Callable[..., Executor], end: str) -> None:
    began, cancelled = threading.Event(), threading.Event()

    async def work(input: Any, ctx: HandlerContext) -> None:
        began.set()
        try:
            await asyncio.sleep(GUARD_SECONDS)
        except asyncio.CancelledError:
            assert ctx.cancelled
            cancelled.set()
            raise

    with open_executor(handlers={"work": work}) as ex:
        id = ending(end, ex, began)
        assert cancelled.wait(GUARD_SECONDS)
        assert ex.get(id).wait(GUARD_SECONDS).status in ("Failed", "Canceled")
        ex.register("work", lambda input: "again")
        assert ex.run(one("work")).output == b'"again"'


@pytest.mark.parametrize("end", ENDS)
def test_a_function_sees_that_its_task_has_ended(open_executor: Callable[..., Executor], end: str) -> None:
    began, raised = threading.Event(), list[str]()
    seen = threading.Event()

    def work(input: Any, ctx: HandlerContext) -> None:
        assert not ctx.cancelled
        ctx.raise_if_cancelled()
        began.set()
        until(lambda: ctx.cancelled)
        for call in (ctx.raise_if_cancelled, ctx.heartbeat):
            with pytest.raises(TaskCancelled, match=ctx.task_id):
                call()
            raised.append(call.__name__)
        seen.set()

    with open_executor(handlers={"work": work}) as ex:
        ending(end, ex, began)
        assert seen.wait(GUARD_SECONDS)
    assert raised == ["raise_if_cancelled", "heartbeat"]


@on_a_loop
async def test_a_coroutine_on_the_program_s_own_loop_is_cancelled() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def work(input: Any) -> None:
        began.set()
        try:
            await asyncio.sleep(GUARD_SECONDS)
        finally:
            cancelled.set()

    async with AsyncExecutor(handlers={"work": work}) as ex:
        await ex.deploy("w", one("work"))
        execution = await ex.start("w")
        await began.wait()
        await ex.stop(execution.id)
        await cancelled.wait()
        assert (await execution.wait()).status == "Canceled"


def test_a_coroutine_that_ends_well_after_its_cancellation_changes_nothing() -> None:
    began, ended = threading.Event(), threading.Event()

    async def work(input: Any) -> str:
        began.set()
        try:
            await asyncio.sleep(GUARD_SECONDS)
        except asyncio.CancelledError:
            ended.set()
        return "too late"

    with Executor(handlers={"work": work}) as ex:
        ex.deploy("w", LONG)
        execution = ex.start("w")
        assert ended.wait(GUARD_SECONDS)
        assert execution.wait(GUARD_SECONDS).error == "States.Timeout"
        assert [event["type"] for event in ex.history(execution.id)][-1] == "ExecutionFailed"


def test_a_handler_that_stops_for_its_task_s_end_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    began, stopped = threading.Event(), threading.Event()

    def work(input: Any, ctx: HandlerContext) -> None:
        began.set()
        try:
            while True:
                ctx.raise_if_cancelled()
        finally:
            stopped.set()

    with caplog.at_level(logging.DEBUG, "stepwell.handlers"), Executor(handlers={"work": work}) as ex:
        ex.deploy("w", one("work"))
        execution = ex.start("w")
        assert began.wait(GUARD_SECONDS)
        ex.stop(execution.id)
        assert stopped.wait(GUARD_SECONDS)
    assert caplog.records == []


# handlers that hang


def hung(ex: Executor) -> int:
    return ex.client.host.pool.overdue


@pytest.mark.usefixtures("soon_overdue")
def test_hung_handlers_do_not_stop_quick_ones(
    open_executor: Callable[..., Executor], caplog: pytest.LogCaptureFixture
) -> None:
    release, calls = threading.Event(), list[Any]()

    def hang(input: Any) -> None:
        calls.append(input)
        release.wait(GUARD_SECONDS)

    with open_executor(max_workers=4) as ex:
        ex.register("hang", hang)
        ex.register("quick", lambda input: input)
        ex.deploy("hang", one("hang", TimeoutSeconds=1))
        ex.deploy("quick", one("quick"))
        hanging = [ex.start("hang", number) for number in range(6)]
        quick = [ex.start("quick", number) for number in range(20)]
        for execution in quick:
            assert execution.wait(GUARD_SECONDS).status == "Succeeded"
        for execution in hanging:
            assert execution.wait(GUARD_SECONDS).error == "States.Timeout"
        assert len(calls) >= 4  # of the others, those are begun that get the thread of another in time
        until(lambda: hung(ex) == len(calls))
        release.set()
        until(lambda: hung(ex) == 0)
        assert ex.run(one("quick"), "after").output == b'"after"'
    named = [text for text in caplog.messages if "still runs" in text]
    assert len(named) == len(calls)
    assert all("'hang'" in text and "'Work'" in text for text in named)
    assert sum("has returned" in text for text in caplog.messages) == len(calls)


@pytest.mark.usefixtures("soon_overdue")
def test_no_more_hung_handlers_are_replaced_than_there_are_workers(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def threads() -> int:
        return sum(thread.name == "stepwell-handler" for thread in threading.enumerate())

    before = threads()
    with Executor(max_workers=2) as ex:
        ex.register("hang", lambda input: release.wait(GUARD_SECONDS))
        ex.register("quick", lambda input: input)
        ex.deploy("hang", one("hang", TimeoutSeconds=1))
        ex.deploy("quick", one("quick"))
        for count in (2, 4):
            hanging = [ex.start("hang") for _ in range(2)]
            for execution in hanging:
                assert execution.wait(GUARD_SECONDS).error == "States.Timeout"
            until(lambda count=count: hung(ex) == count)
        quick = ex.start("quick", 1)
        until(lambda: any("no more than 2 are replaced" in text for text in caplog.messages))
        assert threads() - before == 4
        assert quick.status == "Running"
        release.set()
        assert quick.wait(GUARD_SECONDS).output == 1
        until(lambda: threads() - before <= 2)


@pytest.mark.usefixtures("soon_overdue")
def test_a_hung_handler_gives_its_place_under_a_limit_to_another() -> None:
    release = threading.Event()

    def work(input: Any) -> Any:
        return release.wait(GUARD_SECONDS) if input == "hang" else input

    with Executor() as ex:
        ex.register("work", work, concurrency=1)
        ex.deploy("hang", LONG)
        ex.deploy("work", one("work"))
        first, second = ex.start("hang", "hang"), ex.start("work", 2)
        assert second.wait(GUARD_SECONDS).output == 2
        assert first.wait(GUARD_SECONDS).error == "States.Timeout"
        release.set()
