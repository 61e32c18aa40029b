"""Time through the engine, on the virtual clock: waits, limits of tasks and executions, heartbeats, later starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.support import (
    ACTIVITY,
    CALLBACK,
    HANGS,
    SECOND,
    Lab,
    catch,
    machine,
    map_over,
    parallel,
    passing,
    retry,
    task,
)
from stepwell.engine.log import records as r
from stepwell.engine.state.timers import TASK_TIMEOUT
from stepwell.engine.storage.contexts import TimerContext

Make = Callable[..., Lab]


def seconds(run: Lab) -> float:
    """How long it has been going on."""
    return (run.clock.now() - run.began) / SECOND


def timers(run: Lab) -> list[TimerContext]:
    return run.partition.storage.scan(TimerContext)


def waiting(**fields: Any) -> Any:
    return machine({"W": {"Type": "Wait", "End": True, **fields}})


# Wait


@pytest.mark.covers("A10.53")
@pytest.mark.parametrize(
    ("definition", "input", "expected"),
    [
        (waiting(Seconds=90), {}, 90),
        (waiting(Seconds=0), {}, 0),
        (waiting(SecondsPath="$.n"), {"n": 7}, 7),
        (waiting(Timestamp="2023-11-14T22:14:20Z"), {}, 60),
        (waiting(Timestamp="2001-01-01T00:00:00Z"), {}, 0),
        (waiting(TimestampPath="$.t"), {"t": "2023-11-15T00:13:25+02:00"}, 5),
        (waiting(QueryLanguage="JSONata", Seconds="{% $states.input.n * 2 %}"), {"n": 4}, 8),
    ],
)
def test_a_wait_ends_at_its_time(lab: Make, definition: Any, input: Any, expected: float) -> None:
    run = lab().finish(definition, input)
    assert run.outcome == ("Succeeded", input)
    assert seconds(run) == expected
    assert timers(run) == []


def test_timers_fire_in_the_order_of_their_times(lab: Make) -> None:
    inner = machine({"W": {"Type": "Wait", "SecondsPath": "$", "End": True}})
    run = lab().finish(machine({"Each": map_over(inner)}), [30, 10, 20, 10])
    done = [event for event in run.events if event["type"] == "MapIterationSucceeded"]
    assert [event["mapIterationSucceededEventDetails"]["index"] for event in done] == [1, 3, 2, 0]


# limits of tasks


@pytest.mark.covers("A8.44")
def test_a_task_that_takes_too_long_times_out(lab: Make) -> None:
    run = lab({"A": HANGS}).finish(machine({"A": task(TimeoutSeconds=30)}))
    assert run.outcome == ("Failed", "States.Timeout")
    assert seconds(run) == 30
    assert run.types[-2:] == ["LambdaFunctionTimedOut", "ExecutionFailed"]
    assert timers(run) == []
    assert run.tasks == []


@pytest.mark.covers("A8.44")
def test_each_attempt_has_the_whole_time(lab: Make) -> None:
    retriers = [retry("States.Timeout", IntervalSeconds=5, MaxAttempts=2, BackoffRate=1)]
    run = lab({"A": [HANGS, HANGS, "fine"]}).finish(machine({"A": task(TimeoutSeconds=30, Retry=retriers)}))
    assert run.outcome == ("Succeeded", "fine")
    assert [at for _, at in run.calls] == [0, 35, 70]


@pytest.mark.covers("A8.44")
def test_an_activity_that_nobody_polls_for_times_out(lab: Make) -> None:
    run = lab().begin(machine({"A": task(resource=ACTIVITY, TimeoutSeconds=30)}))
    run.wait(30)
    assert run.outcome == ("Failed", "States.Timeout")
    assert "ActivityTimedOut" in run.types


def test_a_limit_may_come_from_the_input(lab: Make) -> None:
    definition = machine(
        {"A": task(TimeoutSecondsPath="$.limit", Catch=[catch("States.Timeout")]), "Caught": passing()}
    )
    run = lab({"A": HANGS}).finish(definition, {"limit": 12})
    assert run.path == ["A", "Caught"]
    assert seconds(run) == 12


def test_a_result_in_time_takes_the_timer_away(lab: Make) -> None:
    wait = {"Type": "Wait", "Seconds": 99, "End": True}
    run = lab({"A": "fine"}).begin(machine({"A": task("B", TimeoutSeconds=30), "B": wait}))
    assert [timer.kind for timer in timers(run)] == [TASK_TIMEOUT]
    run.finish()
    assert run.outcome == ("Succeeded", "fine")
    assert timers(run) == []


# heartbeats


@pytest.mark.covers("A8.45")
def test_heartbeats_keep_a_task_alive_and_silence_ends_it(lab: Make) -> None:
    run = lab({"A": HANGS}).begin(machine({"A": task(HeartbeatSeconds=10, TimeoutSeconds=600)}))
    (open_task,) = run.tasks
    for _ in range(5):
        run.wait(9)
        assert run.answer(r.HeartbeatTaskCommand(open_task.id, 0)) == [(run.id, None)]
    assert run.context.status == "Running"
    run.finish()
    assert seconds(run) == 55
    assert run.outcome == ("Failed", "States.Timeout")
    assert timers(run) == []


@pytest.mark.covers("A8.45")
@pytest.mark.parametrize("name", ["States.HeartbeatTimeout", "States.Timeout"])
def test_a_missed_heartbeat_is_caught_by_either_name_and_told_as_a_timeout(lab: Make, name: str) -> None:
    states = {"A": task(HeartbeatSeconds=10, TimeoutSeconds=600, Catch=[catch(name)]), "Caught": passing()}
    run = lab({"A": HANGS}).finish(machine(states))
    assert run.path == ["A", "Caught"]
    assert run.outcome[1]["Error"] == "States.Timeout"
    assert seconds(run) == 10


def test_a_heartbeat_of_a_closed_task_is_refused(lab: Make) -> None:
    run = lab({"A": HANGS}).begin(machine({"A": task(HeartbeatSeconds=10, TimeoutSeconds=600)}))
    (open_task,) = run.tasks
    run.finish()
    ((result, error),) = run.answer(r.HeartbeatTaskCommand(open_task.id, 0))
    assert result is None
    assert "not open" in str(error)


def test_a_callback_waits_without_a_limit_unless_it_has_one(lab: Make) -> None:
    parameters = {"QueueUrl": "https://sqs/q", "MessageBody": {"t.$": "$$.Task.Token"}}
    run = lab({"A": HANGS}).begin(machine({"A": task(resource=CALLBACK, Parameters=parameters)}))
    run.wait(10_000_000)
    assert run.context.status == "Running"
    limited = lab({"A": HANGS}).finish(
        machine({"A": task(resource=CALLBACK, Parameters=parameters, TimeoutSeconds=100)})
    )
    assert limited.outcome == ("Failed", "States.Timeout")
    assert limited.types[-2:] == ["TaskTimedOut", "ExecutionFailed"]


# limits of executions


@pytest.mark.covers("A1.3")
def test_an_execution_that_takes_too_long_is_canceled_and_says_that_it_timed_out(lab: Make) -> None:
    run = lab({"Work": HANGS}).finish(
        machine(
            {"All": parallel(machine({"Work": task()}), machine({"W": {"Type": "Wait", "Seconds": 99, "End": True}}))},
            TimeoutSeconds=30,
        )
    )
    context = run.context
    assert (context.status, context.timed_out) == ("Canceled", True)
    assert run.types[-1] == "ExecutionTimedOut"
    assert seconds(run) == 30
    assert timers(run) == []
    assert run.tasks == []


@pytest.mark.covers("A1.3")
def test_no_catcher_sees_the_execution_s_own_limit(lab: Make) -> None:
    states = {"A": task(Catch=[catch("States.ALL")], Retry=[retry("States.ALL")]), "Caught": passing()}
    run = lab({"A": HANGS}).finish(machine(states, TimeoutSeconds=30))
    assert run.path == ["A"]
    assert run.context.timed_out


@pytest.mark.covers("A8.47")
def test_the_execution_s_limit_cuts_a_longer_wait(lab: Make) -> None:
    run = lab().finish(machine({"W": {"Type": "Wait", "Seconds": 600, "End": True}}, TimeoutSeconds=5))
    assert seconds(run) == 5


def test_an_execution_in_time_takes_its_timer_away(lab: Make) -> None:
    run = lab().finish(machine({"W": {"Type": "Wait", "Seconds": 5, "End": True}}, TimeoutSeconds=30))
    assert run.outcome[0] == "Succeeded"
    assert timers(run) == []


# later starts


def delayed(run: Lab, definition: Any, seconds: int) -> Lab:
    """Start an execution so much later."""
    run.deploy("w", definition)
    run.id = run.start("w", {"a": 1}, start_at=run.clock.now() + seconds * SECOND)
    run.settle()
    return run


def test_a_delayed_start_is_pending_until_its_time(lab: Make) -> None:
    run = delayed(lab(), machine({"P": passing()}), 60)
    assert run.context.status == "Pending"
    assert run.types == ["ExecutionStarted"]
    run.wait(59)
    assert run.context.status == "Pending"
    run.wait(1)
    assert run.outcome == ("Succeeded", {"a": 1})
    assert timers(run) == []


def test_the_limit_of_a_delayed_execution_begins_with_it(lab: Make) -> None:
    definition = machine({"W": {"Type": "Wait", "Seconds": 99, "End": True}}, TimeoutSeconds=10)
    run = delayed(lab(), definition, 60)
    run.run()
    assert run.context.timed_out
    assert seconds(run) == 70


def test_a_pending_execution_can_be_stopped(lab: Make) -> None:
    run = delayed(lab(), machine({"P": passing()}), 60)
    run.stop("Changed", "my mind")
    assert run.outcome == ("Canceled", "Changed")
    assert timers(run) == []
    run.wait(100)
    assert run.outcome == ("Canceled", "Changed")
    assert run.path == []
