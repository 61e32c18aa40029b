"""Retry, line by line (ASL A7)."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from engine.error_support import CAUGHT
from engine.support import Definition, Lab, boom, catch, machine, map_over, parallel, retry, task
from stepwell import InvalidDefinition, _core
from stepwell.asl.definition import compile_definition
from stepwell.engine.log.codec import decode_turn
from stepwell.engine.log.records import RetryStateCommand
from stepwell.engine.partition import partition
from stepwell.testing.replay import rebuilt

Labs = Callable[..., Lab]


@pytest.mark.covers("A7.36", "A7.37")
@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ({}, [0, 1, 3, 7]),
        ({"MaxAttempts": 0}, [0]),
        ({"MaxAttempts": 1}, [0, 1]),
        ({"IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 2}, [0, 3, 7.5]),
        ({"IntervalSeconds": 5, "BackoffRate": 1.0, "MaxAttempts": 3}, [0, 5, 10, 15]),
        ({"IntervalSeconds": 2, "BackoffRate": 10.0, "MaxDelaySeconds": 30, "MaxAttempts": 3}, [0, 2, 22, 52]),
        ({"IntervalSeconds": 2, "JitterStrategy": "NONE", "MaxAttempts": 2}, [0, 2, 6]),
        ({"IntervalSeconds": 99_999_999, "MaxAttempts": 2}, [0, 99_999_999, 199_999_998]),
    ],
)
def test_when_attempts_begin(lab: Labs, fields: Definition, times: list[float]) -> None:
    run = lab({"S": boom()}).finish(machine({"S": task(Retry=[retry("Boom", **fields)])}))
    assert run.times == times
    assert run.outcome == ("Failed", "Boom")


@pytest.mark.covers("A7.37")
def test_full_jitter_is_drawn_after_the_cap_within_bounds_and_once(lab: Labs, monkeypatch: pytest.MonkeyPatch) -> None:
    again = retry("Boom", IntervalSeconds=8, MaxDelaySeconds=10, MaxAttempts=40, JitterStrategy="FULL")
    run = lab({"S": boom()}).finish(machine({"S": task(Retry=[again])}))
    times = run.times
    delays = [later - earlier for earlier, later in pairwise(times)]
    assert len(delays) == 40
    assert 0 <= min(delays) < 2 < 8 < max(delays) <= 10
    recorded = [
        (record.due - run.began) / 1_000_000
        for _, _, _, payload in run.store.read_log(1, 1 << 40)
        for blob in _core.split_turns(payload)
        for record in decode_turn(blob).records
        if isinstance(record, RetryStateCommand)
    ]
    assert recorded == times[1:]

    class NoDice:
        def __init__(self, seed: int | None) -> None:
            pass

        def random(self) -> float:
            raise AssertionError("a replay draws nothing")

    monkeypatch.setattr(partition.random, "Random", NoDice)
    rebuilt(run.store).close()
    monkeypatch.setattr(partition.random, "Random", random.Random)


RETRY_TWO = [
    retry("A", "B", IntervalSeconds=1, BackoffRate=2.0, MaxAttempts=2),
    retry("C", IntervalSeconds=5),
]


@pytest.mark.covers("A7.38")
def test_each_retrier_counts_its_own_attempts_and_backoff(lab: Labs) -> None:
    errors = [boom("A"), boom("B"), boom("C"), boom("B")]
    state = task(Retry=RETRY_TWO, Catch=[catch("States.ALL")])
    run = lab({"S": errors}).finish(machine({"S": state, "Caught": CAUGHT}))
    assert run.times == [0, 1, 3, 8]
    assert run.outcome == ("Succeeded", {"Error": "B", "Cause": None})


@pytest.mark.covers("A7.38")
def test_an_exhausted_retrier_hands_over_to_catch_not_to_the_next_retrier(lab: Labs) -> None:
    again = [retry("Boom", MaxAttempts=1), retry("States.ALL", MaxAttempts=5)]
    run = lab({"S": boom()}).finish(machine({"S": task(Retry=again, Catch=[catch("States.ALL")]), "Caught": CAUGHT}))
    assert len(run.calls) == 2
    assert run.path == ["S", "Caught"]


@pytest.mark.covers("A7.38")
def test_counters_begin_anew_when_the_state_is_entered_again(lab: Labs) -> None:
    again = [retry("Boom", MaxAttempts=1)]
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.again", "BooleanEquals": True, "Next": "S"}],
        "Default": "End",
    }
    definition = machine({"S": task("C", Retry=again), "C": choice, "End": {"Type": "Succeed"}})
    run = lab({"S": [boom(), {"again": True}, boom(), {"again": False}]}).finish(definition)
    assert run.context.status == "Succeeded"
    assert run.times == [0, 1, 1, 2]


@pytest.mark.covers("A7.38")
def test_each_iteration_counts_for_itself(lab: Labs) -> None:
    inner = machine({"I": task(Retry=[retry("Boom", MaxAttempts=1)])})
    answers = [boom(), boom(), "a", "b"]
    run = lab({"I": answers}).finish(machine({"M": map_over(inner, ItemsPath="$")}), [0, 1])
    assert run.outcome == ("Succeeded", ["a", "b"])


@pytest.mark.covers("A7.39")
def test_parameters_are_evaluated_for_each_attempt_and_see_the_retry_count(lab: Labs) -> None:
    state = task(
        Parameters={"n.$": "$$.State.RetryCount"}, Retry=[retry("A", MaxAttempts=1), retry("B", MaxAttempts=2)]
    )
    run = lab({"S": [boom("A"), boom("B"), boom("B"), {}]}).finish(machine({"S": state}))
    assert run.inputs == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.covers("A7.40")
@pytest.mark.parametrize("around", ["Parallel", "Map"])
def test_a_retry_runs_all_branches_or_iterations_again(lab: Labs, around: str) -> None:
    again = {"Retry": [retry("Boom", MaxAttempts=1)]}
    if around == "Parallel":
        state = parallel(machine({"A": task()}), machine({"B": task()}), **again)
        run = lab({"A": ["a", "a2"], "B": [boom(), "b"]}).finish(machine({"S": state}), [1, 2])
        assert run.outcome == ("Succeeded", ["a2", "b"])
    else:
        state = map_over(machine({"I": task()}), ItemsPath="$", MaxConcurrency=1, **again)
        run = lab({"I": ["a", boom(), "a2", "b"]}).finish(machine({"S": state}), [1, 2])
        assert run.outcome == ("Succeeded", ["a2", "b"])
    assert len(run.calls) == 4
    assert run.path.count("S") == 1
    assert run.types.count(f"{around}StateStarted") == 2
    assert f"{around}StateFailed" not in run.types  # as recorded (test_map_state_retry): only the last failure shows


@pytest.mark.covers("A7.40")
def test_a_retry_schedules_anew_and_enters_nothing(lab: Labs) -> None:
    run = lab({"S": [boom(), "fine"]}).finish(machine({"S": task(Retry=[retry("Boom")])}))
    assert run.types[2:8] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    assert run.types.count("TaskStateEntered") == 1


@pytest.mark.covers("A6", "A7.36")
@pytest.mark.parametrize(
    "entries",
    [
        [retry("States.ALL", "Boom")],
        [retry("States.ALL"), retry("Boom")],
        [retry("Boom", MaxAttempts=-1)],
        [retry("Boom", BackoffRate=0.5)],
        [retry("Boom", IntervalSeconds=0)],
        [retry("Boom", JitterStrategy="SOME")],
        [retry()],
    ],
)
def test_retriers_that_aws_refuses(entries: list[Definition]) -> None:
    with pytest.raises(InvalidDefinition):
        compile_definition(machine({"S": task(Retry=entries)}))
