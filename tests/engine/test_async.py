"""AsyncExecutor: the engine on the program's own event loop, which nothing blocks and nothing starts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from engine.support import ACTIVITY, CALLBACK, machine, passing, task
from stepwell import (
    AsyncExecution,
    AsyncExecutor,
    Busy,
    Closed,
    ExecutionAlreadyExists,
    ExecutionNotFound,
    ExecutionRunning,
    Executor,
    HandlerNotFound,
    Limits,
    TaskDoesNotExist,
    TaskError,
    WaitTimeout,
    WorkflowNotFound,
)
from stepwell.engine.api.event_loop import EventLoopBridge

ECHO = machine({"Echo": passing()})
WORK = machine({"Work": task(resource="work")})
LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})
CALL = machine(
    {
        "Ask": task(
            resource=CALLBACK, Parameters={"QueueUrl": "https://sqs/q", "MessageBody": {"token.$": "$$.Task.Token"}}
        )
    }
)


def on_a_loop(body: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test on an event loop of its own, which must have no task left at the end."""

    @wraps(body)
    def run(*arguments: Any, **named: Any) -> None:
        async def whole() -> None:
            await asyncio.wait_for(body(*arguments, **named), 60)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left

        asyncio.run(whole())

    return run


@on_a_loop
async def test_executions_are_started_and_waited_for() -> None:
    async with AsyncExecutor() as ex:
        assert (await ex.deploy("echo", ECHO)).id == "echo:1"
        execution = await ex.start("echo", {"a": 1})
        assert isinstance(execution, AsyncExecution)
        assert await execution.wait(60) is execution
        assert (execution.status, execution.output, execution.workflow) == ("Succeeded", {"a": 1}, "echo")
        assert [event["type"] for event in await execution.history()][-1] == "ExecutionSucceeded"
        assert await ex.get(execution.id) == execution
        assert await ex.list("echo", "Succeeded") == [execution]
        assert (await ex.workflow("echo")).name == "echo"
        assert (await ex.context(execution.id)).output == b'{"a":1}'
        assert (await ex.run(ECHO, 7)).output == b"7"
        assert (await ex.wait_execution_done(10)).output == b"7"


@on_a_loop
async def test_many_at_once_run_side_by_side_on_the_loop_of_the_program() -> None:
    own_thread, running = threading.current_thread(), 0
    all_there = asyncio.Event()

    async def work(number: int) -> int:
        nonlocal running
        assert threading.current_thread() is own_thread
        running += 1
        if running == 200:
            all_there.set()
        await all_there.wait()
        return number * 2

    threads = {thread.name for thread in threading.enumerate()}
    async with AsyncExecutor(handlers={"work": work}) as ex:
        await ex.deploy("work", WORK)
        executions = await asyncio.gather(*(ex.start("work", number) for number in range(200)))
        await asyncio.gather(*(execution.wait() for execution in executions))
        assert [execution.output for execution in executions] == [number * 2 for number in range(200)]
        started = {thread.name for thread in threading.enumerate()} - threads
        assert not any(name.startswith(("stepwell-loop", "stepwell-handler")) for name in started)


@on_a_loop
async def test_sync_handlers_run_in_threads_and_do_not_block_the_loop() -> None:
    release = threading.Event()

    def work(input: Any) -> str:
        assert release.wait(60)
        return threading.current_thread().name

    async with AsyncExecutor(handlers={"work": work}) as ex:
        await ex.deploy("work", WORK)
        execution = await ex.start("work")
        turns = 0
        while turns < 20:
            await asyncio.sleep(0.005)
            turns += 1
        release.set()
        assert (await execution.wait(60)).output.startswith("stepwell-handler")


@on_a_loop
async def test_handlers_are_registered_before_or_after_the_opening() -> None:
    ex = AsyncExecutor()

    @ex.task("early")
    async def early(input: Any, ctx: Any) -> Any:
        return [input, ctx.attempt, ctx.state_name]

    async with ex:
        ex.register("late", lambda input: [input, "late"])
        await ex.deploy("w", machine({"E": task("L", resource="early"), "L": task(resource="late")}))
        assert (await (await ex.start("w", 1)).wait(60)).output == [[1, 0, "E"], "late"]


@on_a_loop
async def test_a_handler_may_start_executions_and_wait_for_them() -> None:
    async with AsyncExecutor() as ex:

        async def outer(input: Any) -> Any:
            inner = await ex.start("echo", input)
            return (await inner.wait()).output

        ex.register("work", outer)
        await ex.deploy("echo", ECHO)
        await ex.deploy("work", WORK)
        executions = await asyncio.gather(*(ex.start("work", number) for number in range(50)))
        for number, execution in enumerate(executions):
            assert (await execution.wait(60)).output == number


@pytest.mark.parametrize(
    ("exception", "error"),
    [
        (TaskError("Custom", "why"), "Custom"),
        (ValueError("no"), "ValueError"),
        (asyncio.CancelledError(), "CancelledError"),
    ],
)
@on_a_loop
async def test_exceptions_of_handlers_are_errors(exception: BaseException, error: str) -> None:
    async def work(input: Any) -> Any:
        await asyncio.sleep(0)
        raise exception

    async with AsyncExecutor(handlers={"work": work}) as ex:
        assert (await ex.run(WORK)).error == error


# waiting


@on_a_loop
async def test_wait_gives_up_and_the_execution_goes_on() -> None:
    async with AsyncExecutor() as ex:
        await ex.deploy("long", LONG)
        execution = await ex.start("long")
        with pytest.raises(WaitTimeout, match=execution.id):
            await execution.wait(0.02)
        with pytest.raises(TimeoutError):
            await execution.wait(0)
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(execution.wait(), 0.02)
        assert execution.status == "Running"
        assert not ex.client.host.ends.waited_for()
        waiter = asyncio.create_task(execution.wait())
        await asyncio.sleep(0)
        assert (await execution.stop("Enough")).status == "Canceled"
        assert (await waiter).error == "Enough"
        await ex.delete(execution.id)
        with pytest.raises(ExecutionNotFound):
            await ex.get(execution.id)


@on_a_loop
async def test_a_canceled_wait_leaves_nothing_behind() -> None:
    async with AsyncExecutor() as ex:
        await ex.deploy("long", LONG)
        execution = await ex.start("long")
        waiter = asyncio.create_task(execution.wait())
        await asyncio.sleep(0.01)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert not ex.client.host.ends.waited_for()
        assert len(ex.client.host.promises) == 0


@on_a_loop
async def test_refusals_are_those_of_the_executor() -> None:
    async with AsyncExecutor(strict_handlers=True) as ex:
        await ex.deploy("long", LONG)
        await ex.deploy("work", WORK)
        execution = await ex.start("long", 1, "name")
        assert await ex.start("long", 1, "name") == execution
        with pytest.raises(ExecutionAlreadyExists):
            await ex.start("long", 2, "name")
        with pytest.raises(WorkflowNotFound):
            await ex.start("unknown")
        with pytest.raises(HandlerNotFound):
            await ex.start("work")
        with pytest.raises(ExecutionRunning):
            await ex.delete(execution.id)
        delayed = await ex.start("long", delay=60)
        assert delayed.status == "Pending"


@on_a_loop
async def test_a_full_inbox_is_busy_or_waited_for() -> None:
    async with AsyncExecutor(limits=Limits(inbox=2)) as ex:
        await ex.deploy("echo", ECHO)
        begun, go_on = threading.Event(), threading.Event()
        partition = ex.client.host.partition
        partition.services.on_ended = lambda execution: (begun.set(), go_on.wait(60))
        starts = [asyncio.create_task(ex.start("echo"))]
        assert await asyncio.to_thread(begun.wait, 10)
        starts += [asyncio.create_task(ex.start("echo")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await ex.start("echo")
        with pytest.raises(Busy):
            await ex.start("echo", timeout=0.05)
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        await ex.start("echo", timeout=20)
        await asyncio.gather(*starts)


# tokens and activities


@on_a_loop
async def test_tokens_answer_tasks() -> None:
    tokens: asyncio.Queue[str] = asyncio.Queue()

    async def send(message: Any) -> None:
        await tokens.put(message["MessageBody"]["token"])

    async with AsyncExecutor(handlers={"arn:aws:states:::sqs:*": send}) as ex:
        await ex.deploy("call", CALL)
        good, bad = await ex.start("call"), await ex.start("call")
        first, second = await tokens.get(), await tokens.get()
        await ex.send_task_heartbeat(first)
        await ex.send_task_success(first, {"ok": True})
        await ex.send_task_failure(second, "Refused", "why")
        with pytest.raises(TaskDoesNotExist):
            await ex.send_task_success(first, 1)
        ended = [await execution.wait(60) for execution in (good, bad)]
        assert sorted(str(execution.output or execution.error) for execution in ended) == ["Refused", "{'ok': True}"]


@on_a_loop
async def test_activities_are_polled() -> None:
    async with AsyncExecutor() as ex:
        await ex.deploy("polled", machine({"Work": task(resource=ACTIVITY)}))
        assert await ex.get_activity_task(ACTIVITY, timeout=0) is None

        async def worker() -> int:
            done = 0
            while (given := await ex.get_activity_task(ACTIVITY, "w", timeout=0.5)) is not None:
                assert given.token is not None
                await ex.send_task_success(given.token, int(given.input) + 1)
                done += 1
            return done

        workers = [asyncio.create_task(worker()) for _ in range(4)]
        executions = [await ex.start("polled", number) for number in range(20)]
        for number, execution in enumerate(executions):
            assert (await execution.wait(60)).output == number + 1
        assert sum(await asyncio.gather(*workers)) == 20


# the life of the executor


@on_a_loop
async def test_it_is_closed_before_and_after() -> None:
    ex = AsyncExecutor()
    for call in (lambda: ex.start("echo"), lambda: ex.list(), lambda: ex.get("id")):
        with pytest.raises(Closed, match="not open"):
            await call()
    with pytest.raises(Closed, match="not open"):
        ex.check()
    await ex.close()
    assert await ex.open() is ex
    ex.check()
    await ex.deploy("long", LONG)
    execution = await ex.start("long")
    waiter = asyncio.create_task(execution.wait())
    await asyncio.sleep(0.01)
    await ex.close()
    await ex.close()
    with pytest.raises(Closed):
        await waiter
    with pytest.raises(Closed):
        await ex.start("long")
    with pytest.raises(Closed):
        ex.check()


@on_a_loop
async def test_close_lets_handlers_end_and_records_their_results(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def work(input: Any) -> str:
        begun.set()
        await asyncio.sleep(0.1)
        return "in time"

    async with AsyncExecutor(tmp_path, handlers={"work": work}) as ex:
        await ex.deploy("work", WORK)
        execution = await ex.start("work")
        await begun.wait()
    async with AsyncExecutor(tmp_path) as ex:
        assert (await ex.get(execution.id)).output == "in time"


@on_a_loop
async def test_close_cuts_short_what_does_not_end_and_it_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.engine.api.async_executor.CLOSING_SECONDS", 0.1)
    begun, ended = asyncio.Event(), []

    async def hangs(input: Any) -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async with AsyncExecutor(tmp_path, handlers={"work": hangs}) as ex:
        await ex.deploy("work", WORK)
        execution = await ex.start("work")
        await begun.wait()
    assert ended == [True]
    async with AsyncExecutor(tmp_path, handlers={"work": lambda input: "again"}) as ex:
        assert (await (await ex.get(execution.id)).wait(60)).output == "again"


@on_a_loop
async def test_a_handler_that_closes_the_executor_does_not_wait_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.engine.api.async_executor.CLOSING_SECONDS", 3600.0)
    closed = asyncio.Event()
    ex = await AsyncExecutor().open()

    async def work(input: Any) -> None:
        await ex.close()
        closed.set()

    ex.register("work", work)
    await ex.deploy("work", WORK)
    await ex.start("work")
    await closed.wait()
    await asyncio.sleep(0)


def test_the_loop_may_end_without_a_close_and_open_work_stays_open(tmp_path: Path) -> None:
    async def hangs(input: Any) -> None:
        await asyncio.sleep(3600)

    kept: list[Any] = []

    async def program() -> str:
        ex = await AsyncExecutor(tmp_path, handlers={"work": hangs}).open()
        kept.append(ex)
        await ex.deploy("work", WORK)
        execution = await ex.start("work")
        await asyncio.sleep(0.05)
        return execution.id

    id = asyncio.run(program())
    kept[0].client.host.close()
    with Executor(tmp_path) as ex:
        assert ex.get(id).status == "Running"
        ex.register("work", lambda input: "again")
        assert ex.get(id).wait(60).output == "again"


@on_a_loop
async def test_a_canceled_opening_lets_the_folder_go(tmp_path: Path) -> None:
    opening = asyncio.create_task(AsyncExecutor(tmp_path).open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with AsyncExecutor(tmp_path):
        pass


# answers on their way to the loop


@on_a_loop
async def test_answers_that_come_together_wake_the_loop_once() -> None:
    loop = asyncio.get_running_loop()
    wakes = 0
    call_soon = loop.call_soon_threadsafe

    def counting(*arguments: Any) -> Any:
        nonlocal wakes
        wakes += 1
        return call_soon(*arguments)

    loop.call_soon_threadsafe = counting  # type: ignore[method-assign]
    bridge = EventLoopBridge(loop)
    expected = [bridge.expect() for _ in range(1000)]
    for number, (_, deliver) in enumerate(expected):  # the loop has no chance to run in between
        deliver(number, None)
    assert await asyncio.gather(*(future for future, _ in expected)) == list(range(1000))
    assert wakes == 1


@on_a_loop
async def test_no_answer_is_lost_between_threads_and_the_loop() -> None:
    bridge = EventLoopBridge(asyncio.get_running_loop())
    expected = [bridge.expect() for _ in range(8000)]

    def answer(part: int) -> None:
        for number in range(part, 8000, 8):
            error = ValueError(number) if number % 7 == 0 else None
            expected[number][1](number, error)

    for future, _ in expected[::11]:
        future.cancel()
    threads = [threading.Thread(target=answer, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    results = await asyncio.gather(*(future for future, _ in expected), return_exceptions=True)
    for thread in threads:
        thread.join()
    for number, result in enumerate(results):
        if number % 11 == 0:
            assert isinstance(result, asyncio.CancelledError)
        elif number % 7 == 0:
            assert isinstance(result, ValueError)
        else:
            assert result == number


def test_an_answer_for_a_closed_loop_is_dropped() -> None:
    loop = asyncio.new_event_loop()
    bridge = EventLoopBridge(loop)
    future, deliver = bridge.expect()
    loop.close()
    deliver(1, None)
    assert not future.done()
