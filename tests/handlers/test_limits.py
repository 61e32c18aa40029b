"""Limits of handlers: how many of its calls run at a time, how many begin in a while, and whose turn it is."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.support import GUARD_SECONDS, machine, map_over, one, task, until
from stepwell import Executor, HandlerContext, InvalidInput
from stepwell.engine.storage.contexts import QueueContext, TaskContext, is_held
from stepwell.tasks.dispatch import Call
from stepwell.tasks.handlers import Registration
from stepwell.tasks.limits import Limit, parse_rate
from stepwell.tasks.work import Work

EACH = machine({"Each": map_over(one("work"))})
ALL = machine({"Each": map_over(one("work"), MaxConcurrency=1000)})


def work_of(number: int, limit: Limit[Work]) -> Work:
    call = Call(f"t{number}", "e", "Work", "work", b"{}", 0, None, 0)
    return Work(call, None, Registration(lambda input: input, limit), None)  # type: ignore[arg-type]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


# one limit, on a clock of its own


@pytest.mark.parametrize("text", ["", "0/s", "-1/s", "1.5/s", "10", "10/d", "10 / s", "ten/s", "100001/s", 10, b"1/s"])
def test_what_is_no_rate_is_refused(text: Any) -> None:
    with pytest.raises(InvalidInput, match="rate"):
        parse_rate(text)
    with Executor() as ex, pytest.raises(InvalidInput, match="rate"):
        ex.register("work", str, rate=text)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "1", True])
def test_what_is_no_concurrency_is_refused(concurrency: Any) -> None:
    with Executor() as ex, pytest.raises(InvalidInput, match="concurrency"):
        ex.register("work", str, concurrency=concurrency)


@given(
    calls=st.integers(1, 5),
    concurrency=st.none() | st.integers(1, 4),
    steps=st.lists(st.tuples(st.sampled_from(["begin", "end", "wait", "discard"]), st.integers(1, 7)), max_size=80),
)
def test_a_limit_is_kept_and_nothing_waits_for_ever(
    calls: int, concurrency: int | None, steps: list[tuple[str, int]]
) -> None:
    """Whatever comes in which order: no more run, no more begin in ten seconds, and all that came is called."""
    clock = Clock()
    limit: Limit[Work] = Limit("work", clock)
    limit.change(concurrency, parse_rate(f"{calls}/s")._replace(seconds=10.0))
    begun, running, waiting = list[float](), list[Work](), set[str]()
    number = 0

    def call() -> None:
        for work in limit.call_up():
            assert work.call.id in waiting
            waiting.discard(work.call.id)
            limit.begin(work)
            running.append(work)
            begun.append(clock.now)
        assert concurrency is None or len(running) <= concurrency
        assert all(later - earlier >= 10 for earlier, later in zip(begun, begun[calls:], strict=False))

    for step, amount in steps:
        for _ in range(amount):
            if step == "begin":
                number += 1
                waiting.add(f"t{number}")
                limit.add([work_of(number, limit)])
            elif step == "end" and running:
                limit.ended(running.pop(0))
            elif step == "discard" and waiting:
                discarded = next(iter(waiting))
                assert limit.discard(work_of(int(discarded[1:]), limit))
                waiting.discard(discarded)
            elif step == "wait":
                clock.now += 1
            call()
    while waiting:
        delay = limit.delay()
        if running:
            limit.ended(running.pop())
        else:
            assert delay is not None, "it waits for nothing"
            clock.now += delay
        call()


# an executor


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


class Gauge:
    """A handler that counts its calls, those that run, and the most that ran."""

    def __init__(self) -> None:
        self.calls, self.running, self.most = list[str](), 0, 0
        self.gate = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, input: Any, ctx: HandlerContext) -> Any:
        with self._lock:
            self.calls.append(ctx.execution_id)
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.gate.wait(GUARD_SECONDS)
        with self._lock:
            self.running -= 1
        return input


def held(ex: Executor) -> Counter[str]:
    """How many tasks are held back on the log, by execution."""
    rows = ex.storage.scan(QueueContext, limit=100_000)
    return Counter(row.queue.rpartition("\0")[2] for row in rows if is_held(row.queue))


def test_no_more_calls_run_and_the_others_wait_on_the_log(open_executor: Callable[..., Executor]) -> None:
    gauge = Gauge()
    with open_executor() as ex:
        ex.register("work", gauge, concurrency=3)
        ex.deploy("each", ALL)
        execution = ex.start("each", list(range(200)))
        until(lambda: held(ex)[execution.id] == 194 and len(gauge.calls) == 3)  # three run, three are ahead
        assert sum(row.status == "Active" for row in ex.storage.scan(TaskContext)) == 6
        handlers = [thread for thread in threading.enumerate() if thread.name == "stepwell-handler"]
        assert len(handlers) < 10
        gauge.gate.set()
        assert execution.wait(GUARD_SECONDS).output == list(range(200))
        assert not held(ex)
    assert gauge.most == 3
    assert len(gauge.calls) == 200


def test_coroutines_are_limited_as_well(open_executor: Callable[..., Executor]) -> None:
    running = most = 0

    async def work(input: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return input

    with open_executor() as ex:
        ex.task("work", concurrency=2)(work)
        assert ex.run(EACH, list(range(100))).status == "Succeeded"
    assert most == 2


def test_executions_have_their_turns(open_executor: Callable[..., Executor]) -> None:
    """One that has many tasks does not keep the others waiting until they are done."""
    gauge = Gauge()
    with open_executor() as ex:
        ex.register("work", gauge, concurrency=1)
        ex.deploy("each", ALL)
        large = ex.start("each", list(range(100)))
        until(lambda: held(ex)[large.id] == 98)
        small = [ex.start("each", list(range(3))) for _ in range(3)]
        until(lambda: all(held(ex)[each.id] >= 2 for each in small))
        gauge.gate.set()
        for execution in [large, *small]:
            execution.wait(GUARD_SECONDS)
    last = max(index for index, id in enumerate(gauge.calls) if id != large.id)
    assert last < 40, "a task of each in its turn, and what was handed out before"


def test_another_limit_holds_at_once_and_none_lets_everything_begin() -> None:
    gauge = Gauge()
    with Executor(max_workers=64) as ex:
        ex.register("work", gauge, concurrency=1)
        ex.deploy("each", ALL)
        execution = ex.start("each", list(range(40)))
        until(lambda: len(gauge.calls) == 1)
        ex.register("work", gauge, concurrency=4)
        until(lambda: len(gauge.calls) == 4)
        ex.register("work", gauge)
        until(lambda: len(gauge.calls) == 40)
        gauge.gate.set()
        assert execution.wait(GUARD_SECONDS).status == "Succeeded"


def test_a_rate_bounds_how_many_begin(open_executor: Callable[..., Executor]) -> None:
    calls = list[Any]()
    with open_executor() as ex:
        ex.register("work", calls.append, rate="5/h")
        ex.register("other", lambda input: input)
        ex.deploy("each", EACH)
        execution = ex.start("each", list(range(30)))
        until(lambda: len(calls) == 5)
        for number in range(20):  # which takes a while, and is not kept waiting
            ex.run(one("other"), number)
        assert len(calls) == 5
        ex.register("work", calls.append, rate="12/h")
        until(lambda: len(calls) == 12)
        ex.register("work", calls.append)
        assert execution.wait(GUARD_SECONDS).status == "Succeeded"
    assert sorted(calls) == list(range(30))


def test_a_rate_lets_the_next_ones_begin_when_its_time_is_over() -> None:
    with Executor() as ex:
        ex.register("work", lambda input: input, rate="20/s")
        assert ex.run(EACH, list(range(50))).status == "Succeeded"


def test_a_pattern_s_handler_has_one_limit() -> None:
    gauge = Gauge()
    names = ["work-1", "work-2", "work-3"]
    branches = {name: machine({name: map_over(one(name))}) for name in names}
    with Executor() as ex:
        ex.register("work-*", gauge, concurrency=2)
        for name, definition in branches.items():
            ex.deploy(name, definition)
        executions = [ex.start(name, list(range(10))) for name in names]
        until(lambda: len(gauge.calls) == 2)
        gauge.gate.set()
        for execution in executions:
            assert execution.wait(GUARD_SECONDS).status == "Succeeded"
    assert (gauge.most, len(gauge.calls)) == (2, 30)


def test_lambda_invoke_has_the_limit_of_its_function() -> None:
    gauge = Gauge()
    invoke = task(resource="arn:aws:states:::lambda:invoke", Parameters={"FunctionName": "work", "Payload.$": "$"})
    with Executor() as ex:
        ex.register("work", gauge, concurrency=2)
        ex.deploy("each", machine({"Each": map_over(machine({"Invoke": invoke}))}))
        execution = ex.start("each", list(range(20)))
        until(lambda: held(ex)[execution.id] == 16)
        gauge.gate.set()
        assert execution.wait(GUARD_SECONDS).status == "Succeeded"
    assert gauge.most == 2


def test_tasks_that_time_out_while_they_wait_leave_their_places_to_others(
    open_executor: Callable[..., Executor],
) -> None:
    gauge = Gauge()
    with open_executor() as ex:
        ex.register("work", gauge, concurrency=1)
        ex.deploy("short", machine({"Each": map_over(one("work", TimeoutSeconds=1))}))
        ex.deploy("work", one("work"))
        first = ex.start("work", "first")
        until(lambda: len(gauge.calls) == 1)
        short = [ex.start("short", list(range(20))) for _ in range(3)]
        for execution in short:
            assert execution.wait(GUARD_SECONDS).error == "States.Timeout"
        last = [ex.start("work", number) for number in range(5)]
        gauge.gate.set()
        for execution in [first, *last]:
            assert execution.wait(GUARD_SECONDS).status == "Succeeded"
    assert len(gauge.calls) == 6


def test_what_was_held_back_waits_for_its_handler_when_the_folder_is_opened_again(
    open_executor: Callable[..., Executor],
) -> None:
    gauge = Gauge()
    ex = open_executor(handlers={"other": str})
    ex.register("work", gauge, concurrency=2)
    ex.deploy("each", ALL)
    execution = ex.start("each", list(range(60)))
    until(lambda: held(ex)[execution.id] == 56)
    threading.Timer(0.1, gauge.gate.set).start()
    ex.close()
    before = len(gauge.calls)
    ex = open_executor(handlers={"other": str})
    assert ex.run(one("other"), 1).status == "Succeeded"
    assert held(ex)[execution.id] >= 60 - before - 8
    again = Gauge()
    again.gate.set()
    ex.register("work", again, concurrency=2)
    assert ex.get(execution.id).wait(GUARD_SECONDS).output == list(range(60))
    assert again.most <= 2
