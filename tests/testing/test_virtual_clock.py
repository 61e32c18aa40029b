"""The virtual clock: everything becomes due in order, at its own time, and at no other."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell.errors import InvalidInput, WaitTimeout
from stepwell.testing import TestExecutor, UnscriptedTask
from testing.support import machine, task, wait

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def ex() -> Generator[TestExecutor]:
    with TestExecutor() as executor:
        yield executor


def seen_at(ex: TestExecutor, resource: str = "look", fail: int = 0) -> list[timedelta]:
    """When a handler is called, since the begin; its first ``fail`` calls fail."""
    times: list[timedelta] = []

    @ex.task(resource)
    def look(value: Any) -> Any:
        times.append(ex.now - BEGIN)
        if len(times) <= fail:
            raise ValueError("not yet")
        return value

    return times


def test_a_wait_of_thirty_days_is_over_after_thirty_days(ex: TestExecutor) -> None:
    times = seen_at(ex)
    ex.deploy("w", machine(wait(30 * 86400), task("look")))
    execution = ex.start("w", {"n": 1})
    ex.advance("29d23h59m59s")
    assert (execution.status, times) == ("Running", [])
    ex.advance(seconds=1)
    assert (execution.status, times) == ("Succeeded", [timedelta(days=30)])
    assert execution.duration == timedelta(days=30)


def test_each_timer_fires_at_its_own_time(ex: TestExecutor) -> None:
    times = seen_at(ex)
    for seconds in (50, 7, 3600):
        ex.deploy(f"w{seconds}", machine(wait(seconds), task("look"), wait(5), task("look")))
        ex.start(f"w{seconds}")
    ex.advance("1d")
    assert [time.total_seconds() for time in times] == [7, 12, 50, 55, 3600, 3605]
    assert ex.now == BEGIN + timedelta(days=1)


def test_retries_back_off_in_virtual_time(ex: TestExecutor) -> None:
    times = seen_at(ex, fail=3)
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 60, "BackoffRate": 2, "MaxAttempts": 3}]
    ex.deploy("r", machine(task("look", Retry=retry)))
    assert ex.start("r").wait().status == "Succeeded"
    assert [time.total_seconds() for time in times] == [0, 60, 180, 420]


def test_a_delayed_start_waits(ex: TestExecutor) -> None:
    times = seen_at(ex)
    ex.deploy("d", machine(task("look")))
    later, at = ex.start("d", delay=90), ex.start("d", at=BEGIN + timedelta(seconds=30))
    assert (later.status, at.status) == ("Pending", "Pending")
    ex.advance("2m")
    assert [time.total_seconds() for time in times] == [30, 90]


def test_timeouts_and_heartbeats_of_a_token(ex: TestExecutor) -> None:
    waits = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    message = {"QueueUrl": "https://q", "MessageBody.$": "$$.Task.Token"}
    ex.register(waits, lambda value: None)
    ex.deploy("t", machine(task(waits, HeartbeatSeconds=60, TimeoutSeconds=150, Parameters=message)))
    alive, silent = ex.start("t"), ex.start("t")
    ex.run_until_idle()
    for _ in range(2):
        ex.advance(seconds=50)
        ex.send_task_heartbeat(ex.open_tasks(alive.id)[0].token or "")
    assert (silent.status, silent.error) == ("Failed", "States.Timeout")
    assert silent.duration == timedelta(seconds=60)
    alive.wait()
    assert (alive.error, alive.duration) == ("States.Timeout", timedelta(seconds=150))


def test_an_execution_times_out(ex: TestExecutor) -> None:
    ex.deploy("t", {**machine(wait(100)), "TimeoutSeconds": 40})
    execution = ex.start("t").wait()
    assert (execution.timed_out, execution.duration) == (True, timedelta(seconds=40))


def test_retention_deletes_when_it_is_due(ex: TestExecutor) -> None:
    ex.deploy("p", machine({"Type": "Pass"}), retention=3600)
    ex.start("p").wait()
    ex.advance("59m59s")
    assert len(ex.list("p")) == 1
    ex.advance("1s")
    assert ex.list("p") == []


def test_a_rate_goes_by_virtual_time(ex: TestExecutor) -> None:
    times: list[float] = []
    ex.register("call", lambda value: times.append((ex.now - BEGIN).total_seconds()), rate="2/m")
    ex.deploy("c", machine(task("call")))
    for _ in range(5):
        ex.start("c")
    ex.advance("1h")
    assert times == [0, 0, 60, 60, 120]


def test_a_wait_for_an_execution_moves_the_clock_no_further_than_its_end(ex: TestExecutor) -> None:
    ex.deploy("w", machine(wait(86400)))
    ex.start("w").wait()
    assert ex.now == BEGIN + timedelta(days=1)


def test_a_wait_that_cannot_end_says_where_the_execution_stands(ex: TestExecutor) -> None:
    ex.deploy("a", machine(Approve=task("arn:aws:states:us-east-1:000000000000:activity:approve")))
    execution = ex.start("a")
    with pytest.raises(WaitTimeout, match="nothing is due any more; it is in Approve"):
        execution.wait()
    with pytest.raises(WaitTimeout, match=r"has not ended within 5 s; it is in Approve"):
        execution.wait(5)
    assert ex.now == BEGIN + timedelta(seconds=5)
    with pytest.raises(WaitTimeout, match="has no further event"):
        list(execution.events())


def test_what_runs_for_ever_is_not_waited_for_for_ever(ex: TestExecutor) -> None:
    again = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "Done"}], "Default": "Pause"}
    ex.deploy("loop", machine(Pause=wait(864000), Again=again, Done={"Type": "Succeed"}))
    with pytest.raises(WaitTimeout, match="it is in Pause"):
        ex.start("loop", {"n": 0}).wait()


def test_a_state_is_waited_for(ex: TestExecutor) -> None:
    activity = "arn:aws:states:us-east-1:000000000000:activity:approve"
    ex.deploy("a", machine(wait(60), Approve=task(activity)))
    execution = ex.start("a").wait_for("Approve")
    assert ex.now == BEGIN + timedelta(minutes=1)
    execution.complete("Approve", {"by": "ada"})
    assert execution.wait().output == {"by": "ada"}


def test_a_worker_polls_in_virtual_time(ex: TestExecutor) -> None:
    activity = "arn:aws:states:us-east-1:000000000000:activity:approve"
    ex.deploy("a", machine(wait(90), task(activity)))
    ex.start("a", {"n": 1})
    assert ex.get_activity_task(activity, timeout=60) is None
    assert ex.now == BEGIN + timedelta(seconds=60)
    found = ex.get_activity_task(activity)
    assert found is not None
    assert found.input == b'{"n":1}'
    assert ex.now == BEGIN + timedelta(seconds=90)


def test_events_come_as_time_goes_by(ex: TestExecutor) -> None:
    ex.deploy("w", machine(wait(10), wait(20)))
    times = {event["type"]: event["timestamp"] - BEGIN.timestamp() for event in ex.start("w").events()}
    assert times["ExecutionSucceeded"] == 30


def test_a_handler_may_take_virtual_time_itself(ex: TestExecutor) -> None:
    cancelled: list[bool] = []

    @ex.task("slow")
    def slow(value: Any, ctx: Any) -> str:
        ex.advance(seconds=20)
        cancelled.append(ctx.cancelled)
        return "done"

    ex.deploy("s", machine(task("slow", TimeoutSeconds=30), task("slow", TimeoutSeconds=10)))
    execution = ex.start("s").wait()
    assert (execution.error, execution.duration) == ("States.Timeout", timedelta(seconds=30))
    assert cancelled == [False, True]


def test_a_handler_starts_and_answers_executions(ex: TestExecutor) -> None:
    ex.deploy("child", machine(wait(5), {"Type": "Pass", "Result": 7}))
    ex.register("nested", lambda value: ex.start("child").wait().output)
    token = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    ex.register("f", lambda value: ex.send_task_success(value["token"], "at once"))
    answers = task(token, Parameters={"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}})
    ex.deploy("parent", machine(task("nested", ResultPath="$.n"), {**answers, "ResultPath": "$.t"}))
    assert ex.start("parent").wait().output == {"n": 7, "t": "at once"}


def test_a_task_that_nothing_does_fails_the_test(ex: TestExecutor) -> None:
    ex.deploy("order", machine(Charge=task("charge")))
    ex.start("order", {"total": 5})
    with pytest.raises(UnscriptedTask, match=r"state 'Charge' of workflow 'order' calls 'charge'.*\{\"total\":5\}"):
        ex.run_until_idle()


def test_a_failure_that_nobody_saw_is_raised_at_the_close() -> None:
    ex = TestExecutor()
    ex.deploy("order", machine(Charge=task("charge")))
    ex.start("order")
    with pytest.raises(UnscriptedTask, match="charge"):
        ex.close()


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("30d", 2592000),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1w", 604800),
        (1.5, 1.5),
        (timedelta(hours=2), 7200),
        (0, 0),
    ],
)
def test_durations(ex: TestExecutor, duration: Any, seconds: float) -> None:
    ex.advance(duration)
    assert (ex.now - BEGIN).total_seconds() == seconds


@pytest.mark.parametrize(
    "duration",
    [
        -1,
        "-1d",
        "1 month",
        "",
        "d",
        timedelta(seconds=-1),
        float("nan"),
        True,
        float("inf"),
        "99999999w",
        None,
        [],
        1e300,
    ],
)
def test_no_durations(ex: TestExecutor, duration: Any) -> None:
    with pytest.raises(InvalidInput):
        ex.advance(duration)
    assert ex.now == BEGIN


@pytest.mark.parametrize(
    "time",
    [
        "2024-12-31T23:59:59Z",
        "2026-01-01T00:00:00",
        "2026-06-30T23:59:60Z",
        "soon",
        datetime(2026, 1, 1),
        "2107-01-01Z",
        5,
    ],
)
def test_no_times(ex: TestExecutor, time: Any) -> None:
    with pytest.raises(InvalidInput):
        ex.advance_to(time)
    assert ex.now == BEGIN


def test_the_hour_that_comes_twice_is_two_hours(ex: TestExecutor) -> None:
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    first, second = datetime(2025, 10, 26, 2, 30, tzinfo=berlin), datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=berlin)
    ex.advance_to(first)
    ex.deploy("w", machine({"Type": "Wait", "Timestamp": "2025-10-26T02:30:00+01:00"}))
    execution = ex.start("w").wait()
    assert ex.now == second.astimezone(UTC)
    assert execution.duration == timedelta(hours=1)
