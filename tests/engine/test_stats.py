"""Stats: counters of what is durable, and gauges of now."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from engine.partition_support import LONG, WORK, until, work
from engine.support import machine, passing, retry, task
from stepwell import AsyncExecutor, Closed, Executor, Stats, TaskError

in_one_and_in_several = pytest.mark.parametrize("partitions", [1, 2])


def ends_of(stats: Stats) -> tuple[int, ...]:
    """How many executions ended, in each way."""
    lost = (stats.executions_failed, stats.executions_timed_out, stats.executions_canceled)
    return (stats.executions_succeeded, *lost)


@in_one_and_in_several
def test_executions_and_tasks_are_counted(partitions: int) -> None:
    def fails(value: Any) -> Any:
        raise TaskError("Bad")

    again = [retry("Bad", IntervalSeconds=1, MaxAttempts=1, MaxDelaySeconds=1)]
    with Executor(handlers={"work": work, "fails": fails}, partitions=partitions) as ex:
        assert ex.stats().executions_started == 0
        ex.deploy("good", machine({"Work": task("Echo", resource="work"), "Echo": passing()}))
        ex.deploy("bad", machine({"Work": task(resource="fails", Retry=again)}))
        ex.deploy("late", {**LONG, "TimeoutSeconds": 1})
        ex.deploy("long", LONG)
        good = [ex.start("good") for _ in range(5)]
        ends = [ex.start("bad"), ex.start("late")]
        long = [ex.start("long") for _ in range(3)]
        ends.append(long.pop().stop())
        for each in good:
            each.wait(60)
        until(lambda: not {ex.get(each.id).status for each in ends} & {"Running", "Canceling"})
        until(lambda: ex.stats().open_executions == len(long))
        until(lambda: sum(ends_of(ex.stats())) == len(good) + len(ends))  # they are counted a moment later
        stats = ex.stats()
    assert (stats.executions_started, stats.executions_succeeded, stats.executions_failed) == (10, 5, 1)
    assert (stats.executions_timed_out, stats.executions_canceled) == (1, 1)
    assert (stats.tasks_scheduled, stats.tasks_succeeded, stats.tasks_failed, stats.tasks_retried) == (7, 5, 2, 1)
    assert stats.transitions == 2 * 5 + 1 + 1 + 3
    assert stats.syncs >= 1
    assert stats.batches >= stats.syncs
    assert stats.log_bytes > 1000
    with pytest.raises(Closed):
        ex.stats()


@in_one_and_in_several
def test_gauges_tell_what_is_under_way(partitions: int) -> None:
    go_on = threading.Event()

    def hangs(value: Any) -> Any:
        go_on.wait(60)

    with Executor(handlers={"work": hangs}, partitions=partitions) as ex:
        ex.deploy("w", WORK)
        started = [ex.start("w") for _ in range(3)]
        until(lambda: ex.stats().handlers_running == 3)
        stats = ex.stats()
        assert (stats.tasks_in_flight, stats.open_executions, stats.executions_in_memory) == (3, 3, 3)
        assert (stats.inbox, stats.events_dropped, stats.handlers_overdue, stats.tasks_unhandled) == (0, 0, 0, 0)
        go_on.set()
        for each in started:
            each.wait(60)
        until(lambda: ex.stats().handlers_running == 0 == ex.stats().tasks_in_flight)


@in_one_and_in_several
def test_listeners_and_counters_do_not_disturb_each_other(partitions: int) -> None:
    heard: list[object] = []
    with Executor(partitions=partitions) as ex:
        stop = ex.on("state_exited", heard.append)
        ex.stats()
        ex.deploy("w", machine({"Echo": passing()}))
        ex.start("w").wait(60)
        until(lambda: len(heard) == 1)
        stop()
        ex.start("w").wait(60)
        until(lambda: ex.stats().executions_succeeded == 2)
    assert len(heard) == 1


def test_an_async_executor_has_them_too() -> None:
    async def main() -> None:
        async with AsyncExecutor() as ex:
            await ex.stats()
            await ex.run(machine({"Echo": passing()}))
            while (await ex.stats()).executions_succeeded < 1:  # an end may be read a moment before it is counted
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 60))
