"""Distributed Map: child executions under a map run (ASL A12.59, A12.61, A12.63)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.map_run_support import children, distributed, over, run_of
from engine.support import Lab, boom, catch, machine, map_over, parallel, passing, retry, task
from stepwell.asl.json import loads
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.storage.contexts import MapChildContext, MapRunContext, VisibilityContext
from stepwell.testing.simulation import HANGS

Make = Callable[..., Lab]


@pytest.mark.covers("A12.59")
def test_items_are_child_executions_and_the_parent_holds_only_its_map_run(lab: Make) -> None:
    done = lab().finish(over(), [1, 2, 3])
    assert done.outcome == ("Succeeded", [1, 2, 3])
    assert done.types[1:-1] == [
        "MapStateEntered",
        "MapStateStarted",
        "MapRunStarted",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
    ]
    assert [event["previousEventId"] for event in done.events] == [0, 0, 2, 3, 4, 5, 4, 7]
    assert done.events[2]["mapStateStartedEventDetails"] == {"length": 3}
    for child, item in zip(children(done), [1, 2, 3], strict=True):
        result = done.result(child.id)
        assert result is not None
        assert [event["type"] for event in result["events"]] == [
            "ExecutionStarted",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded",
        ]
        assert loads(child.input) == loads(child.output) == item


@pytest.mark.covers("A12.59")
@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_children_are_of_the_execution_type_that_the_processor_says(lab: Make, type: str) -> None:
    done = lab().finish(machine({"M": distributed(machine({"P": passing()}), type=type)}), [1])
    assert [child.type for child in children(done)] == [type]


@pytest.mark.covers("A12.59")
def test_map_run_and_children_are_named_after_workflow_and_label(lab: Make) -> None:
    done = lab().finish(over({"P": passing(Parameters={"c.$": "$$"})}, Label="Lot"), [7])
    (details,) = [event["mapRunStartedEventDetails"] for event in done.events if event["type"] == "MapRunStarted"]
    assert details["mapRunArn"].startswith("arn:aws:states:us-east-1:000000000000:mapRun:w/Lot:")
    context = loads(children(done)[0].output)["c"]
    assert context["StateMachine"]["Name"] == "w/Lot"
    assert ":execution:w/Lot:" in context["Execution"]["Id"]
    assert context["Execution"]["Input"] == 7
    assert "Map" not in context


@pytest.mark.covers("A12.57")
def test_the_item_selector_reads_the_states_input_and_the_item(lab: Make) -> None:
    names = ("Index", "Value", "Source")
    selector = {"all.$": "$.n", **{f"{name}.$": f"$$.Map.Item.{name}" for name in names}}
    done = lab().finish(over(ItemsPath="$.items", ItemSelector=selector), {"n": 9, "items": ["a", "b"]})
    assert done.outcome[1] == [
        {"all": 9, "Index": 0, "Value": "a", "Source": "STATE_DATA"},
        {"all": 9, "Index": 1, "Value": "b", "Source": "STATE_DATA"},
    ]


@pytest.mark.covers("A12.56", "A12.57")
@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_the_members_of_an_object_have_keys(lab: Make, mode: str) -> None:
    processor = {**machine({"P": passing()}), "ProcessorConfig": {"Mode": mode}}
    if mode == "DISTRIBUTED":
        processor["ProcessorConfig"]["ExecutionType"] = "STANDARD"
    selector = {"is": "{% $states.context.Map.Item.Key & '=' & $string($states.context.Map.Item.Value) %}"}
    state = map_over(processor, Items={"a": 1, "b": 2}, ItemSelector=selector)
    done = lab().finish({**machine({"M": state}), "QueryLanguage": "JSONata"})
    assert done.outcome == ("Succeeded", [{"is": "a=1"}, {"is": "b=2"}])


@pytest.mark.covers("A5.29", "A12.59")
def test_children_see_no_variables_of_their_parent(lab: Make) -> None:
    states = {
        "A": passing("M", Assign={"outer": 1}),
        "M": distributed(machine({"P": passing(Parameters={"v.$": "$outer"})})),
    }
    done = lab().finish(machine(states), [1])
    assert done.outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    assert children(done)[0].error == "States.Runtime"


@pytest.mark.covers("A12.59")
def test_results_are_in_the_order_of_the_items_whatever_ends_first(lab: Make) -> None:
    done = lab().finish(over({"W": {"Type": "Wait", "SecondsPath": "$", "End": True}}), [3, 1, 2])
    assert done.outcome == ("Succeeded", [3, 1, 2])


@pytest.mark.covers("A12.59")
def test_no_more_children_run_at_a_time_than_max_concurrency(lab: Make) -> None:
    resting = lab({"T": HANGS}).begin(over({"T": task()}, MaxConcurrency=2), [1, 2, 3, 4, 5])
    assert len(children(resting)) == 2
    resting.answers["T"] = [{}]
    resting.ask_again()
    assert resting.finish().outcome == ("Succeeded", [{}] * 5)


def test_an_empty_map_run_succeeds(lab: Make) -> None:
    assert lab().finish(over(), []).outcome == ("Succeeded", [])


@pytest.mark.covers("A12.59")
def test_map_runs_nest(lab: Make) -> None:
    inner = distributed(machine({"P": passing()}), Label="Inner")
    done = lab().finish(over({"I": inner}), [[1, 2], [3], []])
    assert done.outcome == ("Succeeded", [[1, 2], [3], []])
    assert len(children(done)) == 3 + 3


@pytest.mark.covers("A12.63", "A6 States.ExceedToleratedFailureThreshold")
def test_a_failed_child_fails_the_run_and_its_siblings_are_stopped(lab: Make) -> None:
    states = {"C": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}], "Default": "T"}}
    states |= {"F": {"Type": "Fail", "Error": "Boom", "Cause": "why"}, "T": task()}
    done = lab({"T": HANGS}).finish(over(states), [0, 1, 2])
    cause = "The specified tolerated failure threshold was exceeded"
    assert done.outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    assert done.context.cause == cause
    assert done.types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    failed = next(event for event in done.events if event["type"] == "MapRunFailed")
    assert failed["mapRunFailedEventDetails"] == {"error": "States.ExceedToleratedFailureThreshold", "cause": cause}
    assert [event["previousEventId"] for event in done.events[-3:]] == [event["id"] - 1 for event in done.events[-3:]]
    assert [child.status for child in children(done)] == ["Canceled", "Failed", "Canceled"]
    run = run_of(done)
    assert (run.status, run.failed, run.aborted, run.running) == ("Failed", 1, 2, 0)


@pytest.mark.covers("A12.63", "A6.32b")
def test_a_runtime_error_ends_only_its_child(lab: Make) -> None:
    done = lab().finish(over({"P": passing(InputPath="$.x")}, ToleratedFailureCount=1), [{"x": 1}, {}, {"x": 3}])
    assert done.outcome == ("Succeeded", [1, 3])


@pytest.mark.covers("A12.63")
@pytest.mark.parametrize(
    ("limits", "failures", "status"),
    [
        ({}, 1, "Failed"),
        ({"ToleratedFailureCount": 2}, 2, "Succeeded"),
        ({"ToleratedFailureCount": 2}, 3, "Failed"),
        ({"ToleratedFailurePercentage": 50}, 5, "Succeeded"),
        ({"ToleratedFailurePercentage": 50}, 6, "Failed"),
        ({"ToleratedFailureCount": 9, "ToleratedFailurePercentage": 10}, 2, "Failed"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 90}, 2, "Failed"),
        ({"ToleratedFailureCount": 0}, 1, "Failed"),
        ({"ToleratedFailurePercentage": 0}, 1, "Failed"),
        ({"ToleratedFailurePercentage": 100}, 10, "Succeeded"),
    ],
)
def test_either_limit_of_failures_fails_the_run(lab: Make, limits: Any, failures: int, status: str) -> None:
    items = [{"x": 1}] * (10 - failures) + [{}] * failures
    done = lab().finish(over({"P": passing(InputPath="$.x")}, **limits), items)
    assert done.outcome[0] == status
    if status == "Succeeded":
        assert done.outcome[1] == [1] * (10 - failures)


@pytest.mark.covers("A7.40", "A12.59")
def test_a_retry_begins_a_new_map_run_over_all_items(lab: Make) -> None:
    again = retry("States.ALL", IntervalSeconds=5, MaxAttempts=1)
    work = lab({"T": [boom(), {}]}).finish(over({"T": task()}, Retry=[again], MaxConcurrency=1), [1, 2])
    assert work.outcome == ("Succeeded", [{}, {}])
    arns = {e["mapRunStartedEventDetails"]["mapRunArn"] for e in work.events if e["type"] == "MapRunStarted"}
    assert len(arns) == 2
    assert [run.status for run in work.partition.storage.scan(MapRunContext, work.id)] == ["Failed", "Succeeded"]
    assert [second for _, second in work.calls] == [0, 5, 5]


@pytest.mark.covers("A12.59", "A7.41", "A6 States.ExceedToleratedFailureThreshold")
def test_a_failed_map_run_is_caught(lab: Make) -> None:
    states = {
        "M": distributed(
            machine({"F": {"Type": "Fail"}}), "P", Catch=[catch("States.ExceedToleratedFailureThreshold")]
        ),
        "P": passing(),
        "Caught": passing(),
    }
    done = lab().finish(machine(states), [1])
    assert done.path == ["M", "Caught"]
    assert done.types[4:7] == ["MapRunFailed", "MapStateFailed", "MapStateExited"]


def test_an_item_selector_that_fails_fails_the_run(lab: Make) -> None:
    done = lab().finish(over(ItemSelector={"v.$": "$$.Map.Item.Value.x"}), [{"x": 1}, {}])
    assert done.outcome == ("Failed", "States.Runtime")
    assert [child.status for child in children(done)] == ["Canceled"]


@pytest.mark.covers("A12.59")
def test_stopping_the_parent_stops_its_children(lab: Make) -> None:
    inner = distributed(machine({"T": task()}), Label="Inner")
    work = lab({"T": HANGS}).begin(over({"I": inner}), [[1, 2], [3]])
    work.run_down = True  # type: ignore[attr-defined]
    work.stop("Stop", "please")
    assert work.outcome[0] == "Canceled"
    assert work.types[-2:] == ["MapRunAborted", "ExecutionAborted"]
    assert {child.status for child in children(work)} == {"Canceled"}
    assert run_of(work).status == "Canceled"
    assert work.tasks == []


@pytest.mark.covers("A12.59", "A1.3")
def test_a_limit_of_time_stops_the_children_too(lab: Make) -> None:
    work = lab({"T": HANGS}).finish({**over({"T": task()}), "TimeoutSeconds": 9}, [1, 2])
    assert work.context.timed_out
    assert {child.status for child in children(work)} == {"Canceled"}


@pytest.mark.covers("A11.54", "A12.59")
def test_a_failing_sibling_aborts_the_map_run(lab: Make) -> None:
    branches = (over({"T": task()}), machine({"W": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": {"Type": "Fail"}}))
    work = lab({"T": HANGS}).finish(machine({"Both": parallel(*branches)}), [1, 2])
    assert work.outcome[0] == "Failed"
    assert "MapRunAborted" in work.types
    assert {child.status for child in children(work)} == {"Canceled"}


@pytest.mark.covers("A12.59")
def test_a_runtime_error_beside_it_aborts_the_map_run(lab: Make) -> None:
    wait = {"Type": "Wait", "Seconds": 1, "Next": "X"}
    branches = (over({"T": task()}), machine({"W": wait, "X": passing(InputPath="$.no")}))
    work = lab({"T": HANGS}).finish(machine({"Both": parallel(*branches)}), [1, 2])
    assert work.outcome == ("Failed", "States.Runtime")
    assert {child.status for child in children(work)} == {"Canceled"}


def test_a_child_that_a_user_stops_is_aborted_and_does_not_count_as_failed(lab: Make) -> None:
    work = lab({"T": HANGS}).begin(over({"T": task()}), [1, 2])
    first = children(work)[0]
    work.partition.submit(r.CancelExecutionCommand(first.id, None, None))
    work.settle()
    assert (run_of(work).aborted, run_of(work).failed) == (1, 0)
    work.answers["T"] = ["done"]
    assert work.finish().outcome == ("Succeeded", ["done"])


@pytest.mark.covers("A12.61")
def test_batches_hold_so_many_items_and_the_batch_input(lab: Make) -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"of.$": "$.n"}}
    done = lab().finish(over(ItemsPath="$.items", ItemBatcher=batcher), {"n": 1, "items": [1, 2, 3, 4, 5]})
    assert done.outcome[1] == [{"BatchInput": {"of": 1}, "Items": items} for items in ([1, 2], [3, 4], [5])]
    run = run_of(done)
    assert (run.succeeded, run.succeeded_items) == (3, 5)


@pytest.mark.covers("A12.61")
def test_batches_hold_so_many_bytes(lab: Make) -> None:
    items = ["x" * 10] * 5
    done = lab().finish(over(ItemBatcher={"MaxInputBytesPerBatch": 40}), items)
    assert [len(batch["Items"]) for batch in done.outcome[1]] == [2, 2, 1]
    assert all(len(child.input) <= 40 for child in children(done))


@pytest.mark.covers("A12.61", "A12.63")
def test_all_items_of_a_failed_batch_have_failed(lab: Make) -> None:
    states = {"P": passing(InputPath="$.Items[0].x")}
    items = [{"x": 1}, {}, {}, {}]
    fields = {"ItemBatcher": {"MaxItemsPerBatch": 2}}
    assert lab().finish(over(states, ToleratedFailureCount=1, **fields), items).outcome[0] == "Failed"
    assert lab().finish(over(states, ToleratedFailureCount=2, **fields), items).outcome == ("Succeeded", [1])


@pytest.mark.covers("A12.59")
@pytest.mark.parametrize(
    "limits",
    [
        Limits(),
        Limits(turn_records=3, turn_messages=2, batch_records=5),
        Limits(turn_messages=1),
        Limits(batch_records=1),
        Limits(live_executions=1),
    ],
)
def test_however_short_turns_and_batches_are_the_result_is_the_same(lab: Make, limits: Limits) -> None:
    inner = distributed(machine({"P": passing()}), Label="Inner", MaxConcurrency=3)
    done = lab(limits=limits).finish(over({"I": inner}), [list(range(n)) for n in range(8)])
    assert done.outcome == ("Succeeded", [list(range(n)) for n in range(8)])


def test_a_map_run_leaves_only_its_own_row_and_its_children(lab: Make) -> None:
    done = lab().finish(over(), [1, 2])
    storage = done.partition.storage
    assert storage.scan(MapChildContext) == []
    assert storage.scan(VisibilityContext, "w")[0].execution_id == done.id
    assert len(storage.scan(VisibilityContext)) == 3


@pytest.mark.covers("A12.64")
def test_limits_of_a_running_map_run_are_changed(lab: Make) -> None:
    work = lab({"T": HANGS}).begin(over({"T": task()}, MaxConcurrency=1), [1, 2, 3])
    assert len(children(work)) == 1
    work.answer(r.UpdateMapRunCommand(run_of(work).id, 2, None, None))
    assert len(children(work)) == 2
    work.answer(r.UpdateMapRunCommand(run_of(work).id, None, 1, 40.0))
    run = run_of(work)
    assert (run.max_concurrency, run.tolerated_count, run.tolerated_percentage) == (2, 1, 40.0)
    work.answers["T"] = [boom(), "ok"]
    work.ask_again()
    assert work.finish().outcome == ("Succeeded", ["ok", "ok"])


@pytest.mark.covers("A12.62", "A12.63")
def test_a_breach_stops_the_children_before_the_results_are_written(lab: Make) -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}
    states = {"C": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}], "Default": "T"}}
    states |= {"F": {"Type": "Fail", "Error": "Boom"}, "T": task()}
    work = lab({"T": HANGS, "M": {}}).begin(over(states, ResultWriter=writer), [0, 1, 2, 3])
    assert [task.resource for task in work.tasks] == ["stepwell:writeResults"]
    assert (run_of(work).running, run_of(work).aborted) == (0, 3)
    assert work.finish().outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    assert run_of(work).results_written


@pytest.mark.covers("A12.62")
def test_a_result_may_be_bounded(lab: Make) -> None:
    done = lab(limits=Limits(map_result_bytes=20)).finish(over(), ["0123456789"])
    assert done.outcome == ("Succeeded", ["0123456789"])
    done = lab(limits=Limits(map_result_bytes=20)).finish(over(), ["0123456789"] * 2)
    assert done.outcome == ("Failed", "States.DataLimitExceeded")
