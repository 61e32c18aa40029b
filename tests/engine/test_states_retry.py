"""Retry and Catch through the engine: counters, timing on the virtual clock, and who gets which error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.support import HANGS, Lab, boom, catch, machine, map_over, parallel, passing, retry, task

Make = Callable[..., Lab]


def retrying(*retriers: Any, **fields: Any) -> Any:
    """A machine of one task with retriers, and a state for its catchers to go on with."""
    caught = {"Caught": passing()} if "Catch" in fields else {}
    return machine({"A": task(Retry=list(retriers), **fields), **caught})


def times(run: Lab) -> list[int]:
    """When each attempt began, in seconds since the start."""
    return [seconds for _, seconds in run.calls]


# when attempts are made


@pytest.mark.covers("A7.36", "A7.37")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [0, 1, 3, 7]),  # three retries, a second, doubled
        ({"IntervalSeconds": 3}, [0, 3, 9, 21]),
        ({"IntervalSeconds": 3, "BackoffRate": 1}, [0, 3, 6, 9]),
        ({"IntervalSeconds": 2, "BackoffRate": 1.5, "MaxAttempts": 4}, [0, 2, 5, 9.5, 16.25]),  # 2, 3, 4.5, 6.75
        ({"IntervalSeconds": 10, "MaxDelaySeconds": 15, "MaxAttempts": 4}, [0, 10, 25, 40, 55]),
        ({"MaxAttempts": 0}, [0]),
        ({"MaxAttempts": 1}, [0, 1]),
        ({"MaxAttempts": 6}, [0, 1, 3, 7, 15, 31, 63]),
    ],
)
def test_attempts_back_off(lab: Make, fields: Any, expected: list[int]) -> None:
    run = lab({"A": boom()}).finish(retrying(retry("Boom", **fields)))
    assert times(run) == expected
    assert run.outcome == ("Failed", "Boom")


@pytest.mark.covers("A7.37")
def test_full_jitter_draws_from_zero_to_the_backoff_and_the_draw_is_kept(lab: Make) -> None:
    run = lab({"A": boom()}).finish(
        retrying(retry("Boom", IntervalSeconds=100, MaxAttempts=20, BackoffRate=1, JitterStrategy="FULL"))
    )
    waits = [after - before for before, after in zip(times(run), times(run)[1:], strict=False)]
    assert all(0 <= wait <= 100 for wait in waits)
    assert len(set(waits)) > 5  # the lab checks that a replay, which draws nothing, comes to the same


def test_an_attempt_that_succeeds_ends_it(lab: Make) -> None:
    run = lab({"A": [boom(), boom(), "fine"]}).finish(retrying(retry("Boom", MaxAttempts=5)))
    assert run.outcome == ("Succeeded", "fine")
    assert times(run) == [0, 1, 3]
    scheduled = ["LambdaFunctionScheduled", "LambdaFunctionStarted"]
    assert run.types[2:-2] == [
        *scheduled,
        "LambdaFunctionFailed",
        *scheduled,
        "LambdaFunctionFailed",
        *scheduled,
        "LambdaFunctionSucceeded",
    ]


# whose attempts they are


@pytest.mark.covers("A7.38")
def test_each_retrier_counts_its_own_attempts(lab: Make) -> None:
    answers = [boom("X"), boom("Y"), boom("X"), boom("Y"), boom("Y")]
    run = lab({"A": answers}).finish(
        retrying(
            retry("X", MaxAttempts=2, IntervalSeconds=1, BackoffRate=1),
            retry("Y", MaxAttempts=2, IntervalSeconds=10, BackoffRate=1),
        )
    )
    assert times(run) == [0, 1, 11, 12, 22]
    assert run.outcome == ("Failed", "Y")


@pytest.mark.covers("A7.38")
def test_an_exhausted_retrier_hands_over_to_catch_not_to_the_next_retrier(lab: Make) -> None:
    run = lab({"A": boom()}).finish(
        retrying(retry("Boom", MaxAttempts=1), retry("States.ALL", MaxAttempts=5), Catch=[catch("Boom")])
    )
    assert times(run) == [0, 1]
    assert run.path == ["A", "Caught"]


def test_an_error_without_a_retrier_is_not_tried_again(lab: Make) -> None:
    run = lab({"A": boom("Other")}).finish(retrying(retry("Boom", "Bang")))
    assert times(run) == [0]


def test_counters_begin_anew_when_a_state_is_entered_again(lab: Make) -> None:
    states = {
        "A": task("More", Retry=[retry("Boom", MaxAttempts=1)], ResultPath="$.n"),
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "A"}],
            "Default": "End",
        },
        "End": passing(),
    }
    run = lab({"A": [boom(), 1, boom(), 2, boom(), 3]}).finish(machine(states))
    assert run.outcome[0] == "Succeeded"
    assert times(run) == [0, 1, 1, 2, 2, 3]


@pytest.mark.covers("A7.39")
def test_the_context_object_tells_the_retry_count(lab: Make) -> None:
    definition = machine(
        {"A": task(Parameters={"count.$": "$$.State.RetryCount"}, Retry=[retry("Boom", MaxAttempts=2)])}
    )
    run = lab({"A": [boom(), boom(), "fine"]}).finish(definition)
    assert [each["count"] for each in run.inputs] == [0, 1, 2]


# the names of errors


@pytest.mark.covers("A6.33")
@pytest.mark.parametrize("name", ["States.ALL", "States.TaskFailed", "Boom"])
def test_names_that_match_a_handler_s_error(lab: Make, name: str) -> None:
    run = lab({"A": [boom(), "fine"]}).finish(retrying(retry(name)))
    assert run.outcome == ("Succeeded", "fine")


def test_task_failed_does_not_match_a_timeout_but_all_does(lab: Make) -> None:
    for name, outcome in (
        ("States.TaskFailed", "Failed"),
        ("States.ALL", "Succeeded"),
        ("States.Timeout", "Succeeded"),
    ):
        run = lab({"A": [HANGS, "fine"]}).finish(retrying(retry(name, IntervalSeconds=1), TimeoutSeconds=5))
        assert run.outcome[0] == outcome, name


def test_a_runtime_error_is_neither_retried_nor_caught(lab: Make) -> None:
    definition = machine(
        {
            "A": task(Parameters={"x.$": "$.missing"}, Retry=[retry("States.ALL")], Catch=[catch("States.ALL")]),
            "Caught": passing(),
        }
    )
    run = lab().finish(definition)
    assert run.outcome == ("Failed", "States.Runtime")
    assert run.calls == []
    assert run.path == ["A"]


def test_a_failed_intrinsic_is_a_runtime_error_as_on_aws(lab: Make) -> None:
    states = {
        "A": task(Parameters={"x.$": "States.ArrayGetItem($.list, 9)"}, Catch=[catch("States.IntrinsicFailure")]),
        "Caught": passing(),
    }
    run = lab().finish(machine(states), {"list": []})
    assert run.outcome == ("Failed", "States.Runtime")


# catchers


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"Error": "Boom", "Cause": "why"}),
        ({"ResultPath": "$.error"}, {"order": 7, "error": {"Error": "Boom", "Cause": "why"}}),
        ({"ResultPath": None}, {"order": 7}),
    ],
)
def test_a_catcher_places_the_error(lab: Make, fields: Any, expected: Any) -> None:
    states = {"A": task(Catch=[catch("Boom", **fields)]), "Caught": passing()}
    run = lab({"A": boom("Boom", "why")}).finish(machine(states), {"order": 7})
    assert run.outcome == ("Succeeded", expected)
    assert run.types[-4:] == ["TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


def test_the_first_catcher_that_matches_is_taken(lab: Make) -> None:
    catchers = [catch("Other", next="No"), catch("Boom", "Bang", next="Yes"), catch("States.ALL", next="No")]
    run = lab({"A": boom()}).finish(machine({"A": task(Catch=catchers), "Yes": passing(), "No": passing()}))
    assert run.path == ["A", "Yes"]


def test_an_error_that_nobody_catches_fails_the_execution(lab: Make) -> None:
    run = lab({"A": boom("Boom", "why")}).finish(machine({"A": task(Catch=[catch("Other")]), "Caught": passing()}))
    assert run.outcome == ("Failed", "Boom")
    assert run.context.cause == "why"
    assert run.types[-1] == "ExecutionFailed"


def test_a_caught_state_may_be_entered_again(lab: Make) -> None:
    states = {"A": task(Catch=[catch("Boom", next="B")]), "B": passing("A")}
    run = lab({"A": [boom(), boom(), "fine"]}).finish(machine(states))
    assert run.path == ["A", "B", "A", "B", "A"]


# of states with children


@pytest.mark.covers("A7.40")
@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_a_state_with_children_is_tried_again_as_a_whole(lab: Make, kind: str) -> None:
    inner = machine({"Good": task("Bad"), "Bad": task()})
    retriers = [retry("Boom", MaxAttempts=2, IntervalSeconds=5, BackoffRate=1)]
    state = parallel(inner, Retry=retriers) if kind == "Parallel" else map_over(inner, Retry=retriers)
    run = lab({"Bad": [boom(), boom(), "fine"]}).finish(machine({"All": state}), [1])
    assert run.outcome == ("Succeeded", ["fine"])
    assert run.calls == [("Good", 0), ("Bad", 0), ("Good", 5), ("Bad", 5), ("Good", 10), ("Bad", 10)]


def test_an_error_passes_out_of_children_under_its_own_name(lab: Make) -> None:
    inner = machine({"Deep": map_over(machine({"Work": task()}))})
    states = {"All": parallel(inner, Catch=[catch("Boom")]), "Caught": passing()}
    run = lab({"Work": boom("Boom", "deep down")}).finish(machine(states), [1])
    assert run.outcome == ("Succeeded", {"Error": "Boom", "Cause": "deep down"})
    assert run.path == ["All", "Deep", "Work", "Caught"]
