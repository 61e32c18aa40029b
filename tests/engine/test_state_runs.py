"""``execution.states``: what an execution did, as a tree of states, attempts, branches, iterations and children."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from stepwell import Executor, InvalidInput, TaskError


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **({} if "Next" in more else {"End": True}), **more}


def fails_first(times: int) -> Any:
    left = [times]

    def handler(value: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise TaskError("Boom", "not now")
        return value

    return handler


def fails(value: Any) -> Any:
    raise TaskError("Bad", "never")


RETRY = [{"ErrorEquals": ["Boom"], "MaxAttempts": 2, "IntervalSeconds": 1, "MaxDelaySeconds": 1}]


def test_attempts_inputs_outputs_and_variables_of_each_state() -> None:
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Set",
        "States": {
            "Set": {"Type": "Pass", "Assign": {"who": "Ann"}, "Output": {"total": 2}, "Next": "Charge"},
            "Charge": task("charge", Arguments={"to": "{% $who %}"}, Retry=RETRY, Output={"paid": True}),
        },
    }
    with Executor(handlers={"charge": fails_first(1)}) as ex:
        ex.deploy("m", machine)
        states = ex.start("m", {"id": 1}).wait(60).states
    assert [run.name for run in states] == ["Set", "Charge"]
    assert (states[0].type, states[0].input, states[0].output) == ("Pass", {"id": 1}, {"total": 2})
    assert (states[0].variables, states[0].assigned, states[0].next) == ({}, {"who": "Ann"}, "Charge")
    charge = states["Charge"]
    assert (charge.status, charge.variables, charge.output) == ("Succeeded", {"who": "Ann"}, {"paid": True})
    first, second = charge.attempts
    assert (first.error, first.cause, first.retrier, first.arguments) == ("Boom", "not now", 0, {"to": "Ann"})
    assert (second.failed, second.retrier, second.result) == (False, None, {"to": "Ann"})
    assert charge.duration == charge.stopped_at - charge.started_at


def test_a_map_in_a_parallel_in_a_map_and_the_children_of_a_distributed_map() -> None:
    inner = {"StartAt": "Each", "States": {"Each": task("echo")}}
    branch = {
        "StartAt": "Inner",
        "States": {"Inner": {"Type": "Map", "Items": "{% [1, 2] %}", "ItemProcessor": inner, "End": True}},
    }
    both = {"Type": "Parallel", "Branches": [branch, {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}]}
    distributed = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    child = {"StartAt": "Child", "States": {"Child": {"Type": "Pass", "End": True}}, "ProcessorConfig": distributed}
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Outer",
        "States": {
            "Outer": {
                "Type": "Map",
                "ItemProcessor": {"StartAt": "Both", "States": {"Both": {**both, "End": True}}},
                "Output": ["x", "y"],
                "Next": "Far",
            },
            "Far": {"Type": "Map", "ItemProcessor": child, "End": True},
        },
    }
    with Executor(handlers={"echo": lambda value: value}) as ex:
        ex.deploy("m", machine)
        execution = ex.start("m", [1]).wait(60)
        assert execution.status == "Succeeded", execution.cause
        inside = {"Inner": [["Each"], ["Each"]]}
        assert execution.path == [{"Outer": [[{"Both": [[inside], ["B"]]}]]}, {"Far": [["Child"], ["Child"]]}]
        states = execution.states
        assert [run.place for run in states.of("Each")] == [
            f"Outer[0]/Both[0]/Inner[{index}]/Each" for index in range(2)
        ]
        assert [run.input for run in states.of("Child")] == ["x", "y"]
        assert [level.kind for level in states["Far"].levels] == ["child", "child"]
        with pytest.raises(InvalidInput, match="ran 2 times"):
            states["Each"]
        with pytest.raises(InvalidInput, match="'Nowhere' did not run"):
            states["Nowhere"]


def test_the_rule_of_a_choice_that_several_rules_share_and_the_catcher_that_caught() -> None:
    rules = [
        {"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Go"},
        {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Go"},
        {"Variable": "$$.Execution.Name", "StringMatches": "named-*", "Next": "Go"},
    ]
    catch = [{"ErrorEquals": ["Other"], "Next": "End"}, {"ErrorEquals": ["States.ALL"], "Next": "End"}]
    machine = {
        "StartAt": "Which",
        "States": {
            "Which": {"Type": "Choice", "Choices": rules, "Default": "Go"},
            "Go": task("fails", Catch=catch),
            "End": {"Type": "Succeed"},
        },
    }
    with Executor(handlers={"fails": fails}) as ex:
        ex.deploy("m", machine)
        for number, name, rule in ((11, "a", 0), (6, "b", 1), (1, "named-c", 2), (1, "d", None)):
            states = ex.start("m", {"n": number}, name).wait(60).states
            assert states["Which"].rule == rule
            assert (states["Go"].status, states["Go"].catcher, states["Go"].error) == ("Caught", 1, "Bad")


def test_a_redriven_execution_has_the_attempts_before_and_after() -> None:
    branches = [
        {"StartAt": "Flaky", "States": {"Flaky": task("flaky")}},
        {"StartAt": "Fine", "States": {"Fine": {"Type": "Pass", "End": True}}},
    ]
    machine = {
        "StartAt": "Both",
        "States": {"Both": {"Type": "Parallel", "Branches": branches, "Next": "Last"}, "Last": {"Type": "Succeed"}},
    }
    with Executor(handlers={"flaky": fails_first(1)}) as ex:
        ex.deploy("m", machine)
        execution = ex.start("m", 1).wait(60)
        assert [run.status for run in execution.states] == ["Failed", "Failed", "Succeeded"]
        ex.redrive(execution.id).wait(60)
        assert execution.path == [{"Both": [["Flaky"], ["Fine"]]}, "Last"]
        flaky = execution.states["Flaky"]
        assert [attempt.failed for attempt in flaky.attempts] == [True, False]
        assert (flaky.status, execution.states["Both"].output) == ("Succeeded", [1, 1])


def test_an_execution_that_runs_still_and_one_that_fails_where_nothing_catches() -> None:
    started, may_end = threading.Event(), threading.Event()

    def slow(value: Any) -> Any:
        started.set()
        may_end.wait(60)
        return value

    bad = {"Type": "Pass", "Parameters": {"x.$": "$.nowhere"}, "End": True}
    levels = [{"StartAt": "Slow", "States": {"Slow": task("slow")}}, {"StartAt": "Bad", "States": {"Bad": bad}}]
    machine = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": levels, "End": True}}}
    with Executor(handlers={"slow": slow}) as ex:
        ex.deploy("slow", {"StartAt": "Slow", "States": {"Slow": task("slow")}})
        execution = ex.start("slow", 1)
        assert started.wait(60)
        run = execution.states["Slow"]
        assert (run.status, run.stopped_at, run.duration, run.output) == ("Running", None, None, None)
        ex.deploy("m", machine)
        failed = ex.start("m", {}).wait(60).states
        may_end.set()
    assert {run.name: run.status for run in failed} == {"P": "Canceled", "Slow": "Canceled", "Bad": "Failed"}
    assert failed["Bad"].error == "States.Runtime"


def test_a_history_of_many_events_is_read_whole() -> None:
    loop = {
        "QueryLanguage": "JSONata",
        "StartAt": "Count",
        "States": {
            "Count": {"Type": "Pass", "Output": "{% $states.input + 1 %}", "Next": "More"},
            "More": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input < 6000 %}", "Next": "Count"}],
                     "Default": "End"},
            "End": {"Type": "Succeed"},
        },
    }  # fmt: skip
    with Executor() as ex:
        ex.deploy("m", loop)
        states = ex.start("m", 0).wait(60).states
    assert len(states) == 12_001
    assert [run.input for run in states.of("Count")] == list(range(6000))
    assert [run.rule for run in states.of("More")] == [0] * 5999 + [None]
