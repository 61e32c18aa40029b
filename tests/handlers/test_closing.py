"""Closing: handlers have so long to end, all of them together, and what hangs keeps nobody."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from handlers.support import GUARD_SECONDS, one, until
from stepwell import Executor
from stepwell.tasks import coroutines, dispatch, overdue, threads
from stepwell.tasks.dispatch import Call, HandlerPool
from stepwell.tasks.handlers import Handlers


class Time:
    """A clock that goes on where somebody sleeps."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    for module in (threads, coroutines, dispatch):
        monkeypatch.setattr(module, "monotonic", time.monotonic)
    for module in (threads, coroutines):
        monkeypatch.setattr(module, "sleep", time.sleep)
    return time


def call(number: int, resource: str) -> Call:
    return Call(f"t{number}", "e", "Work", resource, b"{}", 0, None, 0)


def test_threads_and_coroutines_have_ten_seconds_together(time: Time) -> None:
    began, release = threading.Barrier(4, timeout=GUARD_SECONDS), threading.Event()

    def hang(input: Any) -> None:
        began.wait()
        release.wait(GUARD_SECONDS)

    async def hang_async(input: Any) -> None:
        await asyncio.to_thread(began.wait)
        while True:
            try:
                await asyncio.sleep(GUARD_SECONDS)
            except asyncio.CancelledError:  # it will not be told
                continue

    handlers = Handlers({"hang": hang, "hang_async": hang_async})
    pool = HandlerPool(handlers, lambda results: None, lambda task_id: None)
    pool.dispatch([call(1, "hang"), call(2, "hang"), call(3, "hang_async")])
    began.wait()
    pool.close()
    assert time.now <= 10.1
    release.set()


def test_a_loop_that_a_coroutine_blocks_takes_no_time_of_its_own(time: Time) -> None:
    began, release = threading.Event(), threading.Event()

    async def block(input: Any) -> None:
        began.set()
        release.wait(GUARD_SECONDS)

    pool = HandlerPool(Handlers({"block": block}), lambda results: None, lambda task_id: None)
    pool.dispatch([call(1, "block")])
    assert began.wait(GUARD_SECONDS)
    pool.close()
    assert time.now <= 10.1
    release.set()


def test_the_time_of_a_close_counts_from_the_stop_before_it(time: Time) -> None:
    """An AsyncExecutor lets its coroutines end first, and its threads have no ten seconds more."""
    began, release = threading.Event(), threading.Event()

    def hang(input: Any) -> None:
        began.set()
        release.wait(GUARD_SECONDS)

    pool = HandlerPool(Handlers({"hang": hang}), lambda results: None, lambda task_id: None)
    pool.dispatch([call(1, "hang")])
    assert began.wait(GUARD_SECONDS)
    pool.stop()
    time.now = 10.0
    pool.close()
    assert time.now <= 10.1
    release.set()


def test_a_drain_leaves_a_coroutine_that_will_not_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coroutines, "STOPPING_SECONDS", 0.05)

    async def run() -> None:
        release = asyncio.Event()

        async def stubborn(input: Any) -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

        loop = asyncio.get_running_loop()
        pool = HandlerPool(Handlers({"stubborn": stubborn}), lambda results: None, lambda task_id: None, loop=loop)
        pool.dispatch([call(1, "stubborn")])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        pool.stop()
        await pool.coroutines.drain(0.1)
        assert not pool.coroutines.is_idle
        release.set()
        while not pool.coroutines.is_idle:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), GUARD_SECONDS))


def test_a_close_does_not_wait_for_handlers_whose_tasks_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "OVERDUE_SECONDS", 0.05)
    began, release = threading.Event(), threading.Event()

    def hang(input: Any) -> None:
        began.set()
        release.wait()

    ex = Executor(handlers={"hang": hang})
    ex.deploy("hang", one("hang"))
    execution = ex.start("hang")
    assert began.wait(GUARD_SECONDS)
    ex.stop(execution.id)
    until(lambda: ex.client.host.pool.overdue == 1)
    monkeypatch.setattr(threads, "sleep", lambda seconds: pytest.fail("it waits for a handler"))
    ex.close()
    release.set()
