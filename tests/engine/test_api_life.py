"""The life of an executor: opened again with work under way, closed while handlers run."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.support import machine, passing, task
from stepwell import Closed, Executor, HandlerContext, LockedError

WORK = machine({"Work": task(resource="work")})
CHAIN = machine({"One": task("Two", resource="one"), "Two": task(resource="two")})


def interrupted(folder: Path, definition: Any, handlers: dict[str, Any]) -> str:
    """The id of an execution whose first handler was still at work when the executor was closed."""
    begun, end = threading.Event(), threading.Event()

    def hangs(input: Any) -> None:
        begun.set()
        end.wait()
        raise Closed("as everything that it calls says by now")

    first = next(iter(handlers))
    with Executor(folder, handlers={**handlers, first: hangs}) as ex:
        ex.deploy("w", definition)
        execution = ex.start("w", {"n": 1})
        assert begun.wait(60)
        threading.Timer(0.1, end.set).start()
    return execution.id


def test_what_a_handler_was_at_is_begun_again_under_the_same_task_id(tmp_path: Path) -> None:
    ids: list[str] = []
    begun, end = threading.Event(), threading.Event()

    def work(input: Any, ctx: HandlerContext) -> str:
        ids.append(ctx.task_id)
        if len(ids) == 1:
            begun.set()
            end.wait()
            raise Closed("cut short")
        return "done"

    with Executor(tmp_path, handlers={"work": work}) as ex:
        ex.deploy("w", WORK)
        execution = ex.start("w")
        assert begun.wait(60)
        threading.Timer(0.1, end.set).start()
    with Executor(tmp_path, handlers={"work": work}) as ex:
        assert ex.get(execution.id).wait(60).output == "done"
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_open_work_waits_for_its_handler_to_be_registered(tmp_path: Path) -> None:
    id = interrupted(tmp_path, CHAIN, {"one": print, "two": print})
    with Executor(tmp_path) as ex:
        assert ex.get(id).status == "Running"
        ex.register("one", lambda input: "from one")
        time.sleep(0.1)  # the second task is there by now, and nobody who could do it
        assert ex.get(id).status == "Running"
        ex.register("two", lambda input: [input, "from two"])
        assert ex.get(id).wait(60).output == ["from one", "from two"]


def test_work_for_an_unknown_handler_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    id = interrupted(tmp_path, CHAIN, {"one": print, "two": print})
    with caplog.at_level(logging.WARNING, "stepwell.tasks"), Executor(tmp_path, handlers={"one": lambda _: 1}) as ex:
        deadline = time.monotonic() + 60
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ex.get(id).status == "Running"
    assert "'Two'" in caplog.text
    assert "'two'" in caplog.text


def test_a_process_that_only_looks_leaves_the_work_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    id = interrupted(tmp_path, WORK, {"work": print})
    with Executor(tmp_path) as ex:
        assert ex.get(id).status == "Running"
        assert [execution.id for execution in ex.list()] == [id]
    assert caplog.records == []
    with Executor(tmp_path, handlers={"work": lambda input: input}) as ex:
        assert ex.get(id).wait(60).output == {"n": 1}


def test_close_lets_running_handlers_end_and_records_their_results(tmp_path: Path) -> None:
    begun = threading.Event()

    def work(input: Any) -> str:
        begun.set()
        time.sleep(0.2)
        return "in time"

    with Executor(tmp_path, handlers={"work": work}) as ex:
        ex.deploy("w", WORK)
        execution = ex.start("w")
        assert begun.wait(60)
    with Executor(tmp_path) as ex:
        assert ex.get(execution.id).output == "in time"


def test_close_lets_running_async_handlers_end_too(tmp_path: Path) -> None:
    begun = threading.Event()

    async def work(input: Any) -> str:
        begun.set()
        await asyncio.sleep(0.2)
        return "in time"

    with Executor(tmp_path, handlers={"work": work}) as ex:
        ex.deploy("w", WORK)
        execution = ex.start("w")
        assert begun.wait(60)
    with Executor(tmp_path) as ex:
        assert ex.get(execution.id).output == "in time"


def test_close_does_not_wait_for_ever_and_what_it_cuts_short_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.engine.host.host.CLOSING_SECONDS", 0.1)
    begun, end = threading.Event(), threading.Event()
    canceled: list[bool] = []

    def hangs(input: Any) -> str:
        begun.set()
        end.wait()
        return "too late"

    async def hangs_async(input: Any) -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            canceled.append(True)
            raise
        return "too late"

    ids = []
    with Executor(tmp_path, handlers={"work": hangs, "async": hangs_async}) as ex:
        ex.deploy("w", WORK)
        ex.deploy("a", machine({"Work": task(resource="async")}))
        ids = [ex.start("a").id, ex.start("w").id]
        assert begun.wait(60)
    end.set()  # and not before: who closes does not wait for it
    assert canceled == [True]
    with Executor(tmp_path, handlers={"work": lambda _: "again", "async": lambda _: "again"}) as ex:
        assert [ex.get(id).wait(60).output for id in ids] == ["again", "again"]


def test_close_begins_no_new_work(tmp_path: Path) -> None:
    begun, calls = threading.Event(), []

    def one(input: Any) -> None:
        begun.set()
        time.sleep(0.1)

    with Executor(tmp_path, handlers={"one": one, "two": calls.append}) as ex:
        ex.deploy("w", CHAIN)
        execution = ex.start("w")
        assert begun.wait(60)
    assert calls == []
    with Executor(tmp_path, handlers={"one": one, "two": lambda _: "next time"}) as ex:
        assert ex.get(execution.id).wait(60).output == "next time"


def test_closing_twice_does_nothing_and_every_call_afterwards_says_that_it_is_closed(tmp_path: Path) -> None:
    ex = Executor(tmp_path)
    ex.deploy("p", machine({"P": passing()}))
    execution = ex.start("p", delay=3600)
    ex.close()
    ex.close()
    calls = [
        lambda: ex.start("p"),
        lambda: ex.deploy("q", machine({"P": passing()})),
        lambda: ex.run(machine({"P": passing()})),
        lambda: ex.get(execution.id),
        lambda: ex.list(),
        lambda: ex.stop(execution.id),
        lambda: ex.delete(execution.id),
        lambda: ex.workflow("p"),
        lambda: ex.history(execution.id),
        lambda: ex.wait_execution_done(),
        lambda: ex.send_task_success("token", 1),
        lambda: ex.get_activity_task("arn:aws:states:us-east-1:000000000000:activity:a", timeout=0),
        lambda: execution.status,
        lambda: execution.wait(0),
    ]
    for call in calls:
        with pytest.raises(Closed, match="closed"):
            call()


def test_closing_wakes_all_who_wait() -> None:
    ex = Executor()
    ex.deploy("w", machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}}))
    execution = ex.start("w")
    errors: list[BaseException] = []

    def wait(call: Any) -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    activity = "arn:aws:states:us-east-1:000000000000:activity:a"
    calls = [execution.wait, ex.wait_execution_done, lambda: ex.get_activity_task(activity)]
    threads = [threading.Thread(target=wait, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    ex.close()
    for thread in threads:
        thread.join(10)
    assert [type(error) for error in errors] == [Closed] * 3


def test_many_opens_and_closes_leave_no_threads(tmp_path: Path) -> None:
    async def work(input: Any) -> Any:
        return input

    before = threading.active_count()
    for number in range(10):
        with Executor(tmp_path, handlers={"work": work, "sync": lambda input: input}) as ex:
            ex.deploy("w", machine({"A": task("B", resource="work"), "B": task(resource="sync")}))
            assert ex.start("w", number).wait(60).output == number
    assert threading.active_count() == before


def test_an_opening_that_fails_keeps_no_descriptor_of_the_folder(tmp_path: Path) -> None:
    def descriptors() -> list[str]:
        every = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
        return [target for path in every if path.is_symlink() and (target := os.readlink(path)) == str(data)]

    data = tmp_path.resolve() / "data"
    with Executor(data) as ex:
        ex.check()
        gc.disable()
        try:
            before = len(descriptors())
            for _ in range(3):
                with pytest.raises(LockedError):
                    Executor(data).check()
            assert len(descriptors()) == before > 0
        finally:
            gc.enable()
