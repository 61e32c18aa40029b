"""Parallel and Map through the engine: order, limits, failure of one and the end of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.support import HANGS, Lab, boom, catch, machine, map_over, parallel, passing, task
from stepwell.engine.limits import Limits
from stepwell.engine.storage.contexts import (
    ActivityContext,
    BranchContext,
    ItemsContext,
    IterationContext,
    TimerContext,
)

Make = Callable[..., Lab]


def slow(seconds: int) -> Any:
    """A state that takes so long."""
    return {"Type": "Wait", "Seconds": seconds, "End": True}


def events(run: Lab, type: str) -> list[dict[str, Any]]:
    return [event for event in run.events if event["type"] == type]


def leftovers(run: Lab) -> list[Any]:
    """Rows of states, children, items, tasks and timers: none once an execution has ended."""
    storage = run.partition.storage
    kinds = (ActivityContext, BranchContext, IterationContext, ItemsContext, TimerContext)
    return [row for kind in kinds for row in storage.scan(kind)] + run.tasks


# Parallel


@pytest.mark.covers("A11.54")
def test_outputs_stand_in_the_order_of_branches_whichever_ends_first(lab: Make) -> None:
    branches = [
        machine({f"W{n}": {"Type": "Wait", "Seconds": seconds, "Next": f"P{n}"}, f"P{n}": passing(Result=n)})
        for n, seconds in enumerate([3, 1, 2])
    ]
    run = lab().finish(machine({"All": parallel(*branches)}))
    assert run.outcome == ("Succeeded", [0, 1, 2])
    assert leftovers(run) == []


@pytest.mark.covers("A11.54")
def test_every_branch_gets_the_same_input_and_changes_only_its_own(lab: Make) -> None:
    branches = [machine({f"P{n}": passing(Result=n, ResultPath="$.mine")}) for n in range(3)]
    run = lab().finish(machine({"All": parallel(*branches)}), {"a": 1})
    assert run.outcome == ("Succeeded", [{"a": 1, "mine": n} for n in range(3)])


def test_branches_run_side_by_side(lab: Make) -> None:
    run = lab().finish(machine({"All": parallel(*(machine({f"W{n}": slow(60)}) for n in range(5)))}))
    assert (run.clock.now() - run.began) // 1_000_000 == 60


@pytest.mark.covers("A11.54")
def test_the_first_branch_that_fails_ends_the_others(lab: Make) -> None:
    branches = [
        machine({"Waits": slow(3600)}),
        machine({"Works": task()}),
        machine({"Before": {"Type": "Wait", "Seconds": 5, "Next": "Fails"}, "Fails": {"Type": "Fail", "Error": "No"}}),
    ]
    run = lab({"Works": HANGS}).finish(machine({"All": parallel(*branches)}))
    assert run.outcome == ("Failed", "No")
    assert (run.clock.now() - run.began) // 1_000_000 == 5
    assert sorted(type for type in run.types if type.endswith("Aborted")) == ["TaskStateAborted", "WaitStateAborted"]
    assert run.types[-2:] == ["ParallelStateFailed", "ExecutionFailed"]
    assert leftovers(run) == []


def test_a_caught_failure_goes_on_and_late_results_of_the_others_are_refused(lab: Make) -> None:
    branches = [machine({"Works": task()}), machine({"Fails": {"Type": "Fail", "Error": "No"}})]
    states = {"All": parallel(*branches, Catch=[catch("No")]), "Caught": task()}
    run = lab({"Works": HANGS, "Caught": HANGS}).begin(machine(states))
    open_tasks = [run.partition.state.executions[run.id].activities[task.activity_id].state.name for task in run.tasks]
    assert open_tasks == ["Caught"]


@pytest.mark.covers("A6.32b")
def test_a_runtime_error_in_a_branch_ends_the_execution(lab: Make) -> None:
    branches = [machine({"Bad": passing(InputPath="$.missing")}), machine({"Waits": slow(60)})]
    states = {"All": parallel(*branches, Catch=[catch("States.ALL")]), "Caught": passing()}
    run = lab().finish(machine(states))
    assert run.outcome == ("Failed", "States.Runtime")
    assert "ParallelStateFailed" not in run.types
    assert leftovers(run) == []


def test_branches_in_branches(lab: Make) -> None:
    def nested(depth: int, path: str) -> Any:
        if depth == 0:
            return machine({f"P{path}": passing(Result=path)})
        return machine({f"All{path}": parallel(*(nested(depth - 1, f"{path}{n}") for n in range(3)))})

    run = lab().finish(nested(3, ""))
    assert run.outcome == (
        "Succeeded",
        [[[f"{a}{b}{c}" for c in range(3)] for b in range(3)] for a in range(3)],
    )


def test_variables_of_branches_are_their_own(lab: Make) -> None:
    branches = [
        machine(
            {f"Set{n}": passing(f"Get{n}", Assign={"x": n}), f"Get{n}": passing(Parameters={"x.$": "$x", "o.$": "$o"})}
        )
        for n in range(2)
    ]
    run = lab().finish(machine({"Outer": passing("All", Assign={"o": "outer"}), "All": parallel(*branches)}))
    assert run.outcome == ("Succeeded", [{"x": 0, "o": "outer"}, {"x": 1, "o": "outer"}])


# Map


@pytest.mark.covers("A12.56")
def test_results_stand_in_the_order_of_items_whichever_ends_first(lab: Make) -> None:
    inner = machine({"W": {"Type": "Wait", "SecondsPath": "$", "Next": "P"}, "P": passing()})
    run = lab().finish(machine({"Each": map_over(inner)}), [5, 1, 4, 2, 3])
    assert run.outcome == ("Succeeded", [5, 1, 4, 2, 3])
    done = [event["mapIterationSucceededEventDetails"]["index"] for event in events(run, "MapIterationSucceeded")]
    assert done == [1, 3, 4, 2, 0]
    assert leftovers(run) == []


@pytest.mark.covers("A12.56")
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_no_more_than_max_concurrency_run_at_once(lab: Make, limit: int) -> None:
    inner = machine({"W": slow(10)})
    run = lab().finish(machine({"Each": map_over(inner, MaxConcurrency=limit)}), list(range(7)))
    assert run.outcome == ("Succeeded", list(range(7)))
    running = most = 0
    for type in run.types:
        running += (type == "MapIterationStarted") - (type == "MapIterationSucceeded")
        most = max(most, running)
    assert most == limit
    assert (run.clock.now() - run.began) // 1_000_000 == 10 * -(-7 // limit)


@pytest.mark.covers("A12.56")
def test_one_at_a_time_is_in_order(lab: Make) -> None:
    run = lab().finish(machine({"Each": map_over(machine({"T": task()}), MaxConcurrency=1)}), list(range(10)))
    assert run.inputs == list(range(10))


@pytest.mark.covers("A12.58")
def test_an_empty_list_is_done_at_once(lab: Make) -> None:
    run = lab().finish(machine({"Each": map_over(machine({"T": task()}))}), [])
    assert run.outcome == ("Succeeded", [])
    assert run.types == [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        "MapStateSucceeded",
        "MapStateExited",
        "ExecutionSucceeded",
    ]


@pytest.mark.covers("A12.56", "A12.58")
def test_an_iteration_that_fails_ends_the_others_and_begins_no_more(lab: Make) -> None:
    inner = machine(
        {
            "Check": {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "Fails"}],
                "Default": "Waits",
            },
            "Fails": {"Type": "Fail", "Error": "No"},
            "Waits": slow(60),
        }
    )
    run = lab().finish(machine({"Each": map_over(inner, MaxConcurrency=2)}), [0, 1, 2, 3])
    assert run.outcome == ("Failed", "No")
    indexes = {
        type: [event[f"mapIteration{type}EventDetails"]["index"] for event in events(run, f"MapIteration{type}")]
        for type in ("Started", "Failed", "Aborted")
    }
    assert indexes == {"Started": [0, 1], "Failed": [1], "Aborted": [0]}
    assert leftovers(run) == []


@pytest.mark.covers("A12.57")
def test_an_item_selector_sees_the_item_and_the_state_s_input(lab: Make) -> None:
    selector = {"n.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "all.$": "$.name"}
    inner = machine({"P": passing()})
    run = lab().finish(
        machine({"Each": map_over(inner, ItemsPath="$.list", ItemSelector=selector)}), {"name": "x", "list": ["a", "b"]}
    )
    assert run.outcome == ("Succeeded", [{"n": "a", "at": 0, "all": "x"}, {"n": "b", "at": 1, "all": "x"}])


@pytest.mark.parametrize("input", [1, "text", None, True])
def test_what_is_no_list_is_a_runtime_error(lab: Make, input: Any) -> None:
    run = lab().finish(machine({"Each": map_over(machine({"P": passing()}), ItemsPath="$.x")}), {"x": input})
    assert run.outcome == ("Failed", "States.Runtime")
    assert leftovers(run) == []


def test_many_items_are_walked_over_several_batches(lab: Make) -> None:
    """A turn ends when it is long; what is left over is on the log and goes on in the next one."""
    inner = machine({"A": passing("B"), "B": task("C"), "C": passing()})
    run = lab(limits=Limits(turn_records=64)).finish(machine({"Each": map_over(inner)}), list(range(300)))
    assert run.outcome == ("Succeeded", [{}] * 300)
    assert len(run.calls) == 300
    assert leftovers(run) == []


def test_a_stopped_execution_leaves_nothing_running(lab: Make) -> None:
    inner = machine({"Work": task()})
    definition = machine({"All": parallel(machine({"Each": map_over(inner)}), machine({"Waits": slow(3600)}))})
    run = lab({"Work": HANGS}).begin(definition, [1, 2, 3])
    assert len(run.tasks) == 3
    run.stop("Enough", "said so")
    assert run.outcome == ("Canceled", "Enough")
    assert leftovers(run) == []
    assert run.types[-1] == "ExecutionAborted"


def test_an_error_of_a_branch_may_be_caught_within_it(lab: Make) -> None:
    inner = machine({"Work": task(Catch=[catch("Boom", next="Mended")]), "Mended": passing(Result="mended")})
    run = lab({"Work": [boom(), "fine", boom()]}).finish(
        machine({"Each": map_over(inner, MaxConcurrency=1)}), [1, 2, 3]
    )
    assert run.outcome == ("Succeeded", ["mended", "fine", "mended"])
