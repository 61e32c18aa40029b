"""Catch, line by line (ASL A7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.error_support import CAUGHT, caught_by, fails
from engine.support import Definition, Lab, boom, catch, machine, map_over, parallel, passing, retry, task
from stepwell import InvalidDefinition
from stepwell.asl.definition import compile_definition

Labs = Callable[..., Lab]


@pytest.mark.covers("A7.41")
def test_retry_comes_before_catch(lab: Labs) -> None:
    state = task(Retry=[retry("Boom", MaxAttempts=2)], Catch=[catch("Boom")])
    run = lab({"S": boom()}).finish(machine({"S": state, "Caught": CAUGHT}))
    assert len(run.calls) == 3
    assert run.path == ["S", "Caught"]


ERROR_OUTPUT = {"Error": "Boom", "Cause": "why"}


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("catcher", "state", "output"),
    [
        ({}, {}, ERROR_OUTPUT),
        ({"ResultPath": "$"}, {}, ERROR_OUTPUT),
        ({"ResultPath": "$.e"}, {}, {"a": {"b": 1}, "e": ERROR_OUTPUT}),
        ({"ResultPath": "$.e.f"}, {"InputPath": "$.a"}, {"a": {"b": 1}, "e": {"f": ERROR_OUTPUT}}),
        ({"ResultPath": None}, {"InputPath": "$.a"}, {"a": {"b": 1}}),
        ({}, {"OutputPath": "$.nothing"}, ERROR_OUTPUT),
        ({}, {"ResultPath": "$.x"}, ERROR_OUTPUT),
    ],
)
def test_where_the_error_output_goes(lab: Labs, catcher: Definition, state: Definition, output: Any) -> None:
    definition = machine({"S": task(Catch=[catch("Boom", **catcher)], **state), "Caught": CAUGHT})
    assert lab({"S": boom("Boom", "why")}).finish(definition, {"a": {"b": 1}}).outcome == ("Succeeded", output)


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("catcher", "output"),
    [
        ({}, ERROR_OUTPUT),
        ({"Output": "{% $states.errorOutput.Error %}"}, "Boom"),
        ({"Output": {"in": "{% $states.input.a %}", "e": "{% $states.errorOutput.Cause %}"}}, {"in": 1, "e": "why"}),
    ],
)
def test_where_the_error_output_goes_in_jsonata(lab: Labs, catcher: Definition, output: Any) -> None:
    states = {"S": task(Catch=[catch("Boom", **catcher)]), "Caught": CAUGHT}
    run = lab({"S": boom("Boom", "why")}).finish(machine(states, QueryLanguage="JSONata"), {"a": 1})
    assert run.outcome == ("Succeeded", output)


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("error", "cause", "output"),
    [
        ("Boom", None, {"Error": "Boom", "Cause": None}),
        (None, "why", {"Error": None, "Cause": "why"}),
        (None, None, {"Error": None, "Cause": None}),
        ("Boom", "why", ERROR_OUTPUT),
    ],
)
def test_the_error_output_has_what_the_fail_state_had(lab: Labs, error: Any, cause: Any, output: Any) -> None:
    run = lab().finish(caught_by(parallel(machine({"F": fails(error, cause)})), "States.ALL"))
    assert run.outcome == ("Succeeded", output)


@pytest.mark.covers("A5.30")
def test_a_catcher_assigns_and_the_state_does_not(lab: Labs) -> None:
    catcher = catch("Boom", Assign={"x.$": "$.Error"})
    states = {"S": task("Caught", Assign={"x": "state"}, Catch=[catcher]), "Caught": passing(Parameters={"x.$": "$x"})}
    assert lab({"S": boom()}).finish(machine(states)).outcome == ("Succeeded", {"x": "Boom"})


@pytest.mark.covers("A7.42")
@pytest.mark.parametrize(
    ("state", "before"),
    [
        (task(), "LambdaFunctionFailed"),
        (parallel(machine({"S": fails()})), "ParallelStateFailed"),
        (map_over(machine({"S": fails()}), ItemsPath="$"), "MapStateFailed"),
    ],
    ids=["Task", "Parallel", "Map"],
)
def test_a_caught_error_is_an_exit_with_the_error_output(lab: Labs, state: Definition, before: str) -> None:
    named = {**state, "Catch": [catch("States.ALL")]}
    run = lab({"C": boom()}).finish(machine({"C": named, "Caught": CAUGHT}), [1])
    exited = next(event for event in run.events if event.get("stateExitedEventDetails", {}).get("name") == "C")
    assert exited["type"] == f"{state['Type']}StateExited"
    assert exited["stateExitedEventDetails"]["output"] == '{"Error":"Boom","Cause":null}'
    index = run.types.index(exited["type"])
    assert before in run.types[:index]
    assert run.types[index + 1] == "PassStateEntered"


@pytest.mark.covers("A7.43")
@pytest.mark.parametrize("field", ["Retry", "Catch"])
@pytest.mark.parametrize(
    "state",
    [passing(), {"Type": "Wait", "Seconds": 1, "End": True}, {"Type": "Succeed"}, fails()],
    ids=["Pass", "Wait", "Succeed", "Fail"],
)
def test_only_task_parallel_and_map_retry_and_catch(field: str, state: Definition) -> None:
    entry = retry("States.ALL") if field == "Retry" else catch("States.ALL")
    with pytest.raises(InvalidDefinition, match=f"Field '{field}' is not supported"):
        compile_definition(machine({"S": {**state, field: [entry]}, "Caught": CAUGHT}))
