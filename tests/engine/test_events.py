"""Events: listeners hear of what is durable, in order, and never slow the engine down."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from engine.partition_support import LONG, WORK, pids_of, until, work
from engine.support import CALLBACK, catch, machine, map_over, parallel, passing, retry, task
from stepwell import AsyncExecutor, Event, Executor, InvalidInput, TaskError
from stepwell.engine.host import listeners
from stepwell.engine.partition.events import EVENT_NAMES, EventName

ECHO = machine({"Echo": passing()})
CALL = task(resource=CALLBACK, Parameters={"QueueUrl": "https://sqs/q", "MessageBody": {"token.$": "$$.Task.Token"}})
NAMES = cast("tuple[EventName, ...]", EVENT_NAMES)
in_one_and_in_several = pytest.mark.parametrize("partitions", [1, 2])


def listening(ex: Executor | AsyncExecutor, *names: EventName) -> list[Event]:
    """The events that an executor tells from now on."""
    told: list[Event] = []
    for name in names or NAMES:
        ex.on(name, told.append)
    return told


def heard(told: list[Event], name: str = "execution_ended", count: int = 1) -> list[Event]:
    """The events of a name, once there are so many."""
    until(lambda: len([event for event in told if event.name == name]) >= count)
    return [event for event in told if event.name == name]


def brief(events: list[Event]) -> list[tuple[str | None, ...]]:
    """What tells events apart."""
    return [(event.name, event.state, event.status) for event in events]


@in_one_and_in_several
def test_an_execution_is_told_from_its_start_to_its_end(partitions: int) -> None:
    states = {"Work": task("Echo", resource="work"), "Echo": passing()}
    with Executor(handlers={"work": work}, partitions=partitions) as ex:
        told = listening(ex)
        workflow = ex.deploy("order", machine(states))
        execution = ex.start("order", {"id": 7}).wait(60)
        heard(told)
    assert brief(told) == [
        ("execution_started", None, "Running"),
        ("state_entered", "Work", None),
        ("task_scheduled", "Work", None),
        ("task_ended", "Work", "Succeeded"),
        ("state_exited", "Work", "Succeeded"),
        ("state_entered", "Echo", None),
        ("state_exited", "Echo", "Succeeded"),
        ("execution_ended", None, "Succeeded"),
    ]
    assert {(event.execution_id, event.workflow, event.version) for event in told} == {
        (execution.id, "order", workflow.context.version)
    }
    assert len({event.task_id for event in told if event.name.startswith("task_")}) == 1
    assert [event.microseconds for event in told] == sorted(event.microseconds for event in told)
    assert timedelta(0) <= datetime.now(UTC) - told[0].time < timedelta(minutes=10)


@in_one_and_in_several
def test_failures_retries_and_catches_are_told(partitions: int) -> None:
    def fails(value: Any) -> Any:
        raise TaskError("Bad", "it is")

    again = [retry("Bad", IntervalSeconds=1, MaxAttempts=1, MaxDelaySeconds=1)]
    states = {"Work": task(resource="work", Retry=again, Catch=[catch("Bad")]), "Caught": passing()}
    with Executor(handlers={"work": fails}, partitions=partitions) as ex:
        told = listening(ex, "task_scheduled", "task_ended", "task_retried", "state_exited", "execution_ended")
        ex.deploy("w", machine(states))
        ex.start("w").wait(60)
        heard(told)
    assert [(event.name, event.attempt, event.error, event.resource) for event in told[:5]] == [
        ("task_scheduled", 0, None, "work"),
        ("task_ended", 0, "Bad", "work"),
        ("task_retried", 1, "Bad", "work"),
        ("task_scheduled", 1, None, "work"),
        ("task_ended", 1, "Bad", "work"),
    ]
    assert told[1].cause == "it is"
    assert (told[5].seconds or 0) >= 1 > (told[1].seconds or 0)


def test_each_task_and_each_state_that_begins_also_ends() -> None:
    """Also those that a failed branch, a failed iteration or the end of their execution takes with it."""

    def fails(value: Any) -> Any:
        if value == "fail":
            raise TaskError("Bad")
        return value

    bad = machine({"Bad": task(resource="work")})
    nested = machine({"Inner": parallel(machine({"Call": CALL}), LONG)})
    doze = machine({"Doze": {"Type": "Wait", "Seconds": 3600, "End": True}})
    machines = {
        "branches": machine({"Fork": parallel(bad, nested, doze)}),
        "iterations": machine({"Each": map_over(bad, ItemsPath="$.items", MaxConcurrency=1)}),
        "runtime": machine({"Read": passing(InputPath="$.not.there")}),
        "fail": machine({"Stop": {"Type": "Fail", "Error": "No"}}),
        "stopped": machine({"Fork": parallel(machine({"Call": CALL}), LONG)}),
    }
    inputs = {"branches": "fail", "iterations": {"items": ["fail", "x"]}}
    with Executor(handlers={"work": fails, CALLBACK: work}) as ex:
        told = listening(ex)
        for count, (name, definition) in enumerate(machines.items(), 1):
            ex.deploy(name, definition)
            execution = ex.start(name, inputs.get(name, {}))
            if name == "stopped":
                until(lambda: ("stopped", "Call") in [(each.workflow, each.state) for each in told])
                execution.stop("Enough", "of it")
            ends = heard(told, count=count)
    assert [(end.workflow, end.status, end.error) for end in ends] == [
        ("branches", "Failed", "Bad"),
        ("iterations", "Failed", "Bad"),
        ("runtime", "Failed", "States.Runtime"),
        ("fail", "Failed", "No"),
        ("stopped", "Canceled", "Enough"),
    ]
    for name in machines:
        of_it = [event for event in told if event.workflow == name]
        for begin, end in (("state_entered", "state_exited"), ("task_scheduled", "task_ended")):
            begun = sorted((event.state, event.task_id) for event in of_it if event.name == begin)
            assert begun == sorted((event.state, event.task_id) for event in of_it if event.name == end)
        assert of_it[-1].name == "execution_ended"
    assert ("state_exited", "Bad", "Failed") in brief(told)
    assert ("task_ended", "Call", "Canceled") in brief(told)


def test_a_limit_of_time_and_a_redrive_are_told() -> None:
    with Executor(handlers={"work": work}) as ex:
        told = listening(ex, "execution_ended", "execution_redriven")
        ex.deploy("late", {**LONG, "TimeoutSeconds": 1})
        execution = ex.start("late")
        (end,) = heard(told)
        assert (end.status, end.timed_out) == (ex.get(execution.id).status, True)
        ex.redrive(execution.id)
        (again,) = heard(told, "execution_redriven")
        assert (again.status, again.attempt, again.execution_id) == ("Running", 1, execution.id)
        assert (heard(told, count=2)[1].seconds or 0) < 3


@in_one_and_in_several
def test_what_is_told_is_durable_and_can_be_read(tmp_path: Path, partitions: int) -> None:
    seen: list[tuple[str, str]] = []
    with Executor(tmp_path / "data", handlers={"work": work}, partitions=partitions) as ex:

        @ex.on("execution_ended")
        def look(event: Event) -> None:
            seen.append((event.execution_id, ex.get(event.execution_id).status))

        ex.deploy("w", WORK)
        started = [ex.start("w").id for _ in range(50)]
        until(lambda: len(seen) == 50)
    assert sorted(seen) == sorted((id, "Succeeded") for id in started)


def test_a_listener_may_use_the_executor_and_close_it() -> None:
    ended = threading.Event()
    with Executor() as ex:

        @ex.on("execution_ended")
        def follow(event: Event) -> None:
            if event.workflow == "first":
                ex.start("second").wait(60)
            else:
                ex.close()
                ended.set()

        for name in ("first", "second"):
            ex.deploy(name, ECHO)
        ex.start("first")
        assert ended.wait(60)


def test_a_listener_that_raises_is_logged_and_the_others_are_called(caplog: pytest.LogCaptureFixture) -> None:
    def fails(event: Event) -> None:
        raise SystemExit("of a listener")

    with Executor() as ex, caplog.at_level(logging.ERROR, "stepwell.events"):
        ex.on("execution_ended", fails)
        told = listening(ex, "execution_ended")
        ex.deploy("w", ECHO)
        for _ in range(2):
            ex.start("w").wait(60)
        heard(told, count=2)
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
    assert told[0].execution_id in caplog.text


@in_one_and_in_several
def test_a_listener_that_hangs_keeps_nothing_waiting_and_events_beyond_the_queue_are_dropped(
    partitions: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listeners, "WAITING_EVENTS", 10)
    go_on = threading.Event()
    told: list[Event] = []

    begun = threading.Event()

    def hangs(event: Event) -> None:
        begun.set()
        go_on.wait(60)
        told.append(event)

    with Executor(partitions=partitions) as ex, caplog.at_level(logging.WARNING, "stepwell.events"):
        ex.on("execution_ended", hangs)
        ex.deploy("w", ECHO)
        ids = [ex.start("w").wait(60).id]
        assert begun.wait(60)
        ids += [ex.start("w").wait(60).id for _ in range(29)]
        go_on.set()
        until(lambda: len(told) == 11)  # what waited, and the one that the listener had
        ids[11:] = [ex.start("w").wait(60).id]
        until(lambda: len(told) == 12)
    assert [event.execution_id for event in told] == ids
    assert "dropped" in caplog.text


def test_listeners_come_and_go() -> None:
    with Executor() as ex:
        told, all_told = list[Event](), listening(ex, "execution_started")
        stop: Callable[[], None] = ex.on("execution_started", told.append)
        ex.deploy("w", ECHO)
        ex.start("w")
        heard(all_told, "execution_started")
        stop()
        stop()
        ex.start("w")
        heard(all_told, "execution_started", 2)
        assert len(told) == 1

        @ex.on("execution_started")
        def again(event: Event) -> None:
            told.append(event)

        ex.start("w")
        heard(all_told, "execution_started", 3)
        until(lambda: len(told) == 2)
        again(told[0])


def test_what_is_no_event_or_no_listener_is_refused() -> None:
    async def coroutine(event: Event) -> None:
        raise AssertionError

    with Executor() as ex:
        with pytest.raises(InvalidInput, match=r"'ended'.*execution_ended"):
            ex.on(cast("EventName", "ended"), print)
        with pytest.raises(TypeError, match="cannot be called"):
            ex.on("execution_ended", cast("Any", 7))
        with pytest.raises(TypeError, match="AsyncExecutor"):
            ex.on("execution_ended", coroutine)


def test_what_waits_at_the_end_is_told() -> None:
    told: list[Event] = []
    first = threading.Event()

    def slow(event: Event) -> None:
        first.wait(0.05)
        told.append(event)

    with Executor() as ex:
        ex.on("execution_ended", slow)
        ex.deploy("w", ECHO)
        ids = [ex.start("w").wait(60).id for _ in range(5)]
    assert [event.execution_id for event in told] == ids


def test_a_partition_that_is_started_again_tells_its_events(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", handlers={"work": work}, partitions=2) as ex:
        told = listening(ex, "execution_ended")
        ex.deploy("w", WORK)
        for pid in pids_of(ex):
            os.kill(pid, signal.SIGKILL)
        ids = {ex.start("w").wait(60).id for _ in range(8)}
        until(lambda: ids <= {event.execution_id for event in told})


@in_one_and_in_several
def test_on_an_event_loop_listeners_are_called_there_and_may_be_coroutines(partitions: int) -> None:
    async def main() -> None:
        threads: set[int] = set()
        told: list[str] = []
        ex = AsyncExecutor(handlers={"work": work}, partitions=partitions)

        @ex.on("state_entered")  # before it is open
        async def entered(event: Event) -> None:
            await asyncio.sleep(0.001)
            threads.add(threading.get_ident())
            told.append(f"{event.execution_id} {event.state}")

        @ex.on("state_exited")
        def exited(event: Event) -> None:
            threads.add(threading.get_ident())
            told.append(f"{event.execution_id} not {event.state}")

        async with ex:
            await ex.deploy("w", machine({"A": task("B", resource="work"), "B": passing()}))
            executions = [await ex.start("w") for _ in range(10)]
            for execution in executions:
                await execution.wait(60)
        assert threads == {threading.get_ident()}
        for execution in executions:
            states = [each.split(" ", 1)[1] for each in told if each.startswith(execution.id)]
            assert states == ["A", "not A", "B", "not B"]

    asyncio.run(asyncio.wait_for(main(), 60))


def test_on_an_event_loop_a_listener_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        told: list[Event] = []

        async def fails(event: Event) -> None:
            raise asyncio.CancelledError

        async with AsyncExecutor() as ex:
            ex.on("execution_ended", fails)
            ex.on("execution_ended", told.append)
            await ex.deploy("w", ECHO)
            for _ in range(2):
                await (await ex.start("w")).wait(60)
        assert len(told) == 2

    with caplog.at_level(logging.ERROR, "stepwell.events"):
        asyncio.run(asyncio.wait_for(main(), 60))
    assert len(caplog.records) == 2
