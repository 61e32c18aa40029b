"""Data and order through the engine: inputs, results, variables, choices, and the shape of a history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.support import Lab, boom, machine, passing, task
from stepwell.asl.json import loads
from stepwell.engine.limits import Limits
from stepwell.engine.storage.contexts import ExecutionContext

Make = Callable[..., Lab]


def test_a_task_s_paths_shape_what_goes_in_and_what_comes_out(lab: Make) -> None:
    state = task(
        InputPath="$.order",
        Parameters={"id.$": "$.id", "fixed": [1]},
        ResultSelector={"total.$": "$.sum"},
        ResultPath="$.result",
        OutputPath="$.result",
    )
    run = lab({"A": {"sum": 9, "noise": 0}}).finish(machine({"A": state}), {"order": {"id": 7}})
    assert run.inputs == [{"id": 7, "fixed": [1]}]
    assert run.outcome == ("Succeeded", {"total": 9})


def test_a_result_path_keeps_the_raw_input(lab: Make) -> None:
    run = lab({"A": 1}).finish(machine({"A": task(InputPath="$.x", ResultPath="$.r")}), {"x": {"y": 2}, "z": 3})
    assert run.outcome == ("Succeeded", {"x": {"y": 2}, "z": 3, "r": 1})


def test_jsonata_shapes_arguments_and_output(lab: Make) -> None:
    state = task(Arguments={"n": "{% $states.input.n + 1 %}"}, Output="{% $states.result.m * $states.input.n %}")
    run = lab({"A": lambda input: {"m": input["n"] * 10}}).finish(
        machine({"A": state}, QueryLanguage="JSONata"), {"n": 4}
    )
    assert run.inputs == [{"n": 5}]
    assert run.outcome == ("Succeeded", 200)


@pytest.mark.covers("A5.26", "A5.27")
def test_variables_are_seen_from_the_next_state_on(lab: Make) -> None:
    states = {
        "A": passing("B", Assign={"x": 1, "y": 2}),
        "B": passing("C", Assign={"x.$": "$y", "y.$": "$x"}),
        "C": passing(Parameters={"x.$": "$x", "y.$": "$y"}),
    }
    assert lab().finish(machine(states)).outcome == ("Succeeded", {"x": 2, "y": 1})


@pytest.mark.covers("A5.32")
def test_the_history_tells_variables_as_text(lab: Make) -> None:
    run = lab().finish(machine({"A": passing(Assign={"text": "a", "list": [1]})}))
    exited = next(event for event in run.events if event["type"] == "PassStateExited")
    assert exited["stateExitedEventDetails"]["assignedVariables"] == {"text": '"a"', "list": "[1]"}


@pytest.mark.parametrize(("n", "path"), [(1, ["C", "Low"]), (5, ["C", "Mid", "Low"]), (9, ["C", "F"])])
def test_a_choice_chooses_the_way(lab: Make, n: int, path: list[str]) -> None:
    choices = [
        {"Variable": "$.n", "NumericLessThan": 3, "Next": "Low"},
        {"And": [{"Variable": "$.n", "NumericLessThan": 7}, {"Variable": "$.n", "IsPresent": True}], "Next": "Mid"},
    ]
    states = {
        "C": {"Type": "Choice", "Choices": choices, "Default": "F"},
        "Low": {"Type": "Succeed"},
        "Mid": passing("Low"),
        "F": {"Type": "Fail", "ErrorPath": "States.Format('No{}', $.n)", "CausePath": "$.why"},
    }
    run = lab().finish(machine(states), {"n": n, "why": "too many"})
    assert run.path == path
    if n == 9:
        assert (run.context.error, run.context.cause) == ("No9", "too many")


def test_a_choice_without_a_way_is_a_runtime_error(lab: Make) -> None:
    choices = [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Low"}]
    states = {"C": {"Type": "Choice", "Choices": choices}, "Low": {"Type": "Succeed"}}
    assert lab().finish(machine(states), {"n": 9}).outcome == ("Failed", "States.Runtime")


def test_numbers_pass_through_unchanged(lab: Make) -> None:
    value = {"big": 2**63 - 1, "small": -(2**63), "half": 0.5, "whole": 3.0, "tiny": 5e-324, "text": "ß\u2028😀"}
    run = lab({"A": lambda input: input}).finish(machine({"P": passing("A"), "A": task()}), value)
    assert run.outcome == ("Succeeded", value)


def test_an_input_of_a_megabyte_passes_through(lab: Make) -> None:
    value = {"text": "x" * 1_000_000, "list": list(range(10_000))}
    assert lab({"A": lambda input: input}).finish(machine({"A": task()}), value).outcome == ("Succeeded", value)


def test_a_loop_of_a_thousand_states_is_cut_into_turns(lab: Make) -> None:
    states = {
        "Count": passing("More", Parameters={"n.$": "States.MathAdd($.n, 1)"}),
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 500, "Next": "Count"}],
            "Default": "End",
        },
        "End": passing(),
    }
    run = lab(limits=Limits(turn_records=100)).finish(machine(states), {"n": 0})
    assert run.outcome == ("Succeeded", {"n": 500})
    assert len(run.events) == 2 + 2 * 1001


@pytest.mark.covers("A11.55")
def test_every_event_follows_one_that_was_before_it(lab: Make) -> None:
    states = {"A": task("B", Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}]), "B": passing("C"), "C": task()}
    run = lab({"A": [boom(), "fine"]}).finish(machine(states))
    assert [event["previousEventId"] for event in run.events] == [0, 0, *range(2, len(run.events))]
    details = {event["type"]: event for event in run.events}
    assert loads(details["ExecutionStarted"]["executionStartedEventDetails"]["input"]) == {}
    assert loads(details["ExecutionSucceeded"]["executionSucceededEventDetails"]["output"]) == {}
    assert details["LambdaFunctionFailed"]["lambdaFunctionFailedEventDetails"] == {"error": "Boom"}


def test_the_row_of_an_execution_tells_all_of_it(lab: Make) -> None:
    run = lab({"A": boom("Boom", "why")}).finish(machine({"A": task()}), {"n": 1})
    context: Any = run.context
    assert isinstance(context, ExecutionContext)
    assert (context.status, context.error, context.cause) == ("Failed", "Boom", "why")
    assert (context.input, context.output) == (b'{"n":1}', b"")
    assert (context.workflow_id, context.type) == ("w:1", "STANDARD")
    assert context.started_at <= context.stopped_at
    assert context.last_event == len(run.events)
