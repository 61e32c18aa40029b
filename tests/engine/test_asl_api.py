"""What AWS's API promises of names, tokens and polls, as far as the engine keeps it without a server."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.support import ACTIVITY, Lab, machine, passing, task
from stepwell import ApiError, AsyncExecutor, Executor, Limits, TaskDoesNotExist, TaskTimedOut, _core
from stepwell.engine.api import async_polls
from stepwell.engine.log import records as r
from stepwell.engine.partition.inbox import NameTaken
from stepwell.engine.storage.contexts import TaskContext

LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})
DAY = 86_400


@pytest.mark.covers("A16.74")
def test_names_of_express_executions_are_not_kept() -> None:
    with Executor() as ex:
        ex.deploy("quick", machine({"P": passing()}), type="EXPRESS")
        ex.deploy("slow", LONG, type="EXPRESS")
        done = [ex.start("quick", 1, "same").wait(60) for _ in range(3)]
        assert len({execution.id for execution in done}) == 3
        assert {execution.name for execution in done} == {"same"}
        assert ex.start("slow", 1, "same") != ex.start("slow", 1, "same")
        assert ex.start("slow", 2, "same").status == "Running"


@pytest.mark.covers("A16.74")
def test_a_name_is_free_again_when_90_days_have_passed_since_its_execution_ended() -> None:
    lab = Lab(limits=Limits(retention=90 * DAY))
    lab.deploy("w", machine({"P": passing()}))
    assert start(lab, "monthly", 1) is None
    lab.wait(89 * DAY)
    assert isinstance(start(lab, "monthly", 2), NameTaken)
    lab.wait(2 * DAY)
    assert start(lab, "monthly", 3) is None
    lab.close()


def start(lab: Lab, name: str, number: int) -> BaseException | None:
    """Start an execution under a name; why it was refused."""
    id = _core.execution_id("default", "default", _core.hash7(name), (1_700_000_000 << 32) + number)
    command = r.StartExecutionCommand(id, "w:1", None, name, idempotent=True)
    ((_, error),) = lab.answer(command, {})
    return error


# tokens


def closed_token(ex: Executor, end: str) -> str:
    """The token of a task that is closed."""
    ex.deploy("polled", machine({"Work": task(resource=ACTIVITY, TimeoutSeconds=1)}))
    execution = ex.start("polled")
    given = ex.get_activity_task(ACTIVITY, timeout=10)
    assert given is not None
    assert given.token is not None
    if end == "answered":
        ex.send_task_success(given.token, 1)
    elif end == "stopped":
        execution.stop()
    execution.wait(60)
    return given.token


@pytest.mark.covers("A8.46")
@pytest.mark.parametrize("end", ["answered", "stopped", "timed out"])
def test_an_answer_to_a_closed_task_gets_the_error_that_the_task_timed_out(end: str) -> None:
    with Executor() as ex:
        token = closed_token(ex, end)
        calls: list[Callable[[str], None]] = [
            lambda token: ex.send_task_success(token, 1),
            lambda token: ex.send_task_failure(token, "Late"),
            ex.send_task_heartbeat,
        ]
        for call in calls:
            with pytest.raises(TaskTimedOut):
                call(token)
            with pytest.raises(TaskDoesNotExist) as caught:
                call("never given")
            assert not isinstance(caught.value, TaskTimedOut)


# polls for activities


@pytest.mark.covers("A15.72")
@pytest.mark.parametrize("executor", [Executor, AsyncExecutor])
def test_a_poll_takes_sixty_seconds_unless_told_otherwise(executor: Any) -> None:
    assert inspect.signature(executor.get_activity_task).parameters["timeout"].default == 60


@pytest.mark.covers("A15.72")
def test_a_poll_that_finds_nothing_gives_none_when_its_time_is_over() -> None:
    with Executor() as ex:
        began = time.monotonic()
        assert ex.get_activity_task(ACTIVITY, timeout=0.2) is None
        assert time.monotonic() - began >= 0.2


@pytest.mark.covers("A15.72")
def test_a_thousand_may_poll_for_one_activity_at_a_time() -> None:
    async def poll() -> None:
        async with AsyncExecutor(profile="aws") as ex:
            await ex.deploy("polled", machine({"Work": task(resource=ACTIVITY)}))
            polls = [asyncio.create_task(ex.get_activity_task(ACTIVITY)) for _ in range(1000)]
            await asyncio.sleep(0)
            with pytest.raises(ApiError) as caught:
                await ex.get_activity_task(ACTIVITY, timeout=0)
            assert caught.value.code == "ActivityWorkerLimitExceeded"
            assert await ex.get_activity_task(ACTIVITY.replace("polled", "other"), timeout=0) is None
            await asyncio.gather(*(ex.start("polled", number) for number in range(20)))
            while sum(each.done() for each in polls) < 20:
                await asyncio.sleep(0.01)
            given = [each.result() for each in polls if each.done()]
            assert sorted(int(each.input) for each in given if each is not None) == list(range(20))
            assert await ex.get_activity_task(ACTIVITY, timeout=0) is None  # there is room again
            for each in polls:
                each.cancel()
            await asyncio.gather(*polls, return_exceptions=True)

    asyncio.run(poll())


@pytest.mark.parametrize("partitions", [1, 2])
def test_tasks_are_given_out_in_the_order_in_which_they_were_scheduled(tmp_path: Path, partitions: int) -> None:
    with Executor(tmp_path / "data", partitions=partitions) as ex:
        ex.deploy("polled", machine({"Work": task(resource=ACTIVITY)}))
        for number in range(16):
            ex.start("polled", number, f"{number * 7919 % 1000}")
        given = [ex.get_activity_task(ACTIVITY, timeout=10) for _ in range(8)]
        ex.start("polled", 16)
        given += [ex.get_activity_task(ACTIVITY, timeout=10) for _ in range(9)]
        assert [each.input for each in given if each is not None] == [b"%d" % number for number in range(17)]


def test_a_poll_that_ends_leaves_the_task_that_it_was_told_of_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_polls, "LOOK_SECONDS", 3600.0)  # nobody looks again

    async def poll() -> None:
        async with AsyncExecutor() as ex:
            await ex.deploy("polled", machine({"Work": task(resource=ACTIVITY)}))
            for number in range(20):
                polls = [asyncio.create_task(ex.get_activity_task(ACTIVITY)) for _ in range(4)]
                await asyncio.sleep(0)
                await ex.start("polled", number)
                for each in polls[:-1]:
                    each.cancel()
                given = [each for each in await asyncio.gather(*polls, return_exceptions=True) if each is not None]
                inputs = [each.input for each in given if isinstance(each, TaskContext)]
                assert inputs == [str(number).encode()]

    asyncio.run(asyncio.wait_for(poll(), 60))


@pytest.mark.covers("A15.72")
def test_the_default_has_no_such_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepwell.engine.client import activity_polls

    monkeypatch.setattr(activity_polls, "POLLERS", 1)
    for profile, refused in (("default", 0), ("aws", 3)):
        with Executor(profile=profile) as ex:
            refusals: list[ApiError] = []

            def poll(ex: Executor = ex, refusals: list[ApiError] = refusals) -> None:
                try:
                    ex.get_activity_task(ACTIVITY, timeout=0.5)
                except ApiError as error:
                    refusals.append(error)

            threads = [threading.Thread(target=poll) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            assert len(refusals) == refused
