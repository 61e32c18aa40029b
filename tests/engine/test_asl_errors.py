"""The table of errors, where no other test of the engine shows a row (ASL A6): who can catch what; what is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.support import LAMBDA, Lab, boom, catch, machine, parallel, passing, retry, task
from stepwell.testing import scripted_run

Make = Callable[..., Lab]
FAIL = {"Type": "Fail", "Error": "FailureType", "Cause": "why"}
QUERY = "States.QueryEvaluationError"


@pytest.mark.covers("A6 States.BranchFailed")
@pytest.mark.parametrize("name", ["FailureType", "States.ALL", "States.TaskFailed"])
def test_a_branch_s_failure_is_caught_under_the_branch_s_own_error(lab: Make, name: str) -> None:
    states = {"Both": parallel(machine({"F": FAIL}), machine({"P": passing()}), Catch=[catch(name)])}
    run = lab().finish(machine(states | {"Caught": passing()}))
    assert run.outcome == ("Succeeded", {"Error": "FailureType", "Cause": "why"})


@pytest.mark.covers("A6 States.BranchFailed")
def test_no_failure_of_a_branch_is_called_branch_failed(lab: Make) -> None:
    states = {"Both": parallel(machine({"F": FAIL}), Catch=[catch("States.BranchFailed")]), "Caught": passing()}
    run = lab().finish(machine(states))
    assert run.path == ["Both", "F"]
    assert (run.outcome, run.context.cause) == (("Failed", "FailureType"), "why")


@pytest.mark.covers("A6 States.Permissions")
@pytest.mark.parametrize("name", ["States.Permissions", "States.TaskFailed", "States.ALL"])
def test_what_a_task_may_not_do_is_retried_and_caught(lab: Make, name: str) -> None:
    denied = boom("States.Permissions", "the role may not be assumed")
    states = {"A": task(Retry=[retry("States.Permissions", MaxAttempts=1)], Catch=[catch(name)]), "Caught": passing()}
    run = lab({"A": denied}).finish(machine(states))
    assert len(run.calls) == 2
    assert run.outcome[1]["Error"] == "States.Permissions"


@pytest.mark.covers("A6 States.QueryEvaluationError", "A4.24")
@pytest.mark.parametrize("name", [QUERY, "States.ALL", "States.TaskFailed"])
def test_an_expression_that_fails_is_retried_and_caught_and_each_attempt_tells_it(lab: Make, name: str) -> None:
    states = {
        "A": task(
            Arguments="{% $states.input.missing %}",
            Retry=[retry(QUERY, MaxAttempts=2, IntervalSeconds=1, BackoffRate=1)],
            Catch=[catch(name)],
        ),
        "Caught": passing(),
    }
    run = lab().finish(machine(states, QueryLanguage="JSONata"))
    assert run.calls == []  # the task is never asked for
    assert run.outcome[1]["Error"] == QUERY
    failed = [event["evaluationFailedEventDetails"] for event in run.events if event["type"] == "EvaluationFailed"]
    assert [(each["error"], each["state"], each["location"]) for each in failed] == [(QUERY, "A", "Arguments")] * 3
    assert "returned nothing (undefined)." in failed[0]["cause"]


@pytest.mark.covers("A6 States.QueryEvaluationError")
def test_an_expression_of_a_state_without_catchers_fails_the_execution(lab: Make) -> None:
    run = lab().finish(machine({"P": passing(Output="{% $states.input.missing %}")}, QueryLanguage="JSONata"))
    assert run.outcome == ("Failed", QUERY)
    assert run.types[-2:] == ["EvaluationFailed", "ExecutionFailed"]


@pytest.mark.covers("A6 States.ResultPathMatchFailure", "A3.13")
@pytest.mark.parametrize("name", ["States.ResultPathMatchFailure", "States.ALL"])
def test_a_result_that_has_no_place_in_the_input_is_caught(lab: Make, name: str) -> None:
    states = {"A": task(ResultPath="$.result", Catch=[catch(name)]), "Caught": passing()}
    run = lab({"A": {"n": 1}}).finish(machine(states), "text")
    assert run.path == ["A", "Caught"]
    assert run.outcome[1]["Error"] == "States.ResultPathMatchFailure"


@pytest.mark.covers("A6 States.ResultPathMatchFailure")
def test_a_result_that_has_no_place_fails_the_execution_where_nobody_catches_it(lab: Make) -> None:
    run = lab({"A": {"n": 1}}).finish(machine({"A": task(ResultPath="$.a.b")}), {"a": 5})
    assert run.outcome == ("Failed", "States.ResultPathMatchFailure")


@pytest.mark.covers("A7.42")
@pytest.mark.parametrize(
    ("state", "before"),
    [
        (task(Catch=[catch("Boom")]), "LambdaFunctionFailed"),
        (parallel(machine({"W": task()}), Catch=[catch("Boom")]), "ParallelStateFailed"),
    ],
)
def test_a_caught_state_is_left_with_the_error_as_its_output(lab: Make, state: Any, before: str) -> None:
    work = "A" if state["Type"] == "Task" else "W"
    run = lab({work: boom("Boom", "why")}).finish(machine({"A": state, "Caught": passing()}), {"order": 7})
    failed, exited, entered = run.events[-5:-2]
    assert failed["type"] == before
    assert exited["type"] == f"{state['Type']}StateExited"
    output = '{"Error":"Boom","Cause":"why"}'
    assert (exited["stateExitedEventDetails"]["name"], exited["stateExitedEventDetails"]["output"]) == ("A", output)
    assert entered["type"] == "PassStateEntered"
    assert entered["stateEnteredEventDetails"]["input"] == output
    assert [exited["previousEventId"], entered["previousEventId"]] == [failed["id"], exited["id"]]


@pytest.mark.covers("A6 States.TaskFailed", "A6 States.Timeout")
@pytest.mark.parametrize(("name", "status"), [("States.TaskFailed", "FAILED"), ("States.Timeout", "SUCCEEDED")])
def test_a_scripted_timeout_is_a_timeout(name: str, status: str) -> None:
    definition = machine({"A": task(Catch=[catch(name)]), "Caught": passing()})
    assert scripted_run(definition, {}, [{"resource": LAMBDA, "outcome": "timedout"}])["status"] == status
