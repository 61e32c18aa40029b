"""Redrive: an ended execution runs on from what failed, and keeps what succeeded (ASL A16.78)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crash.machines import Worker, documents, machines
from engine.support import Lab, boom, catch, machine, map_over, parallel, passing, retry, task
from stepwell import AsyncExecutor, Executor, NotRedrivable
from stepwell.engine.limits import Limits
from stepwell.engine.replay import redrive
from stepwell.engine.status import SUCCEEDED
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import HANGS, Simulation

pytestmark = pytest.mark.covers("A16.78")


def test_a_failed_task_is_scheduled_again_and_nothing_before_it(lab) -> None:
    run = lab({"B": [boom(), "fine"]}).finish(machine({"A": task("B"), "B": task("C"), "C": task()}))
    assert run.outcome == ("Failed", "Boom")
    run.redrive()
    run.finish()
    assert run.outcome == (SUCCEEDED, {})
    assert [state for state, _ in run.calls] == ["A", "B", "B", "C"]
    assert run.path == ["A", "B", "C"]
    after = run.types[run.types.index("ExecutionRedriven") :]
    assert after[:4] == [
        "ExecutionRedriven",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]


def test_the_row_and_the_event_count_redrives(lab) -> None:
    run = lab({"A": [boom(), boom(), "fine"]}).finish(machine({"A": task()}))
    for count in (1, 2):
        run.wait(10)
        run.redrive()
        context = run.context
        assert (context.redrive_count, context.redriven_at) == (count, run.clock.now())
        run.finish()
    redrives = [event["executionRedrivenEventDetails"] for event in run.events if event["type"] == "ExecutionRedriven"]
    assert redrives == [{"redriveCount": 1}, {"redriveCount": 2}]
    assert run.outcome == (SUCCEEDED, "fine")


def test_the_context_object_tells_of_the_redrive(lab) -> None:
    definition = machine({"A": task("B"), "B": passing(Parameters={"n.$": "$$.Execution.RedriveCount"})})
    run = lab({"A": [boom(), {}]}).finish(definition)
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, {"n": 1})


def test_only_the_branches_that_failed_or_were_aborted_run_on(lab) -> None:
    branches = (
        machine({"A": task()}),
        machine({"B1": task("B2"), "B2": task()}),
        machine({"C1": {"Type": "Wait", "Seconds": 60, "Next": "C2"}, "C2": task()}),
    )
    run = lab({"A": "a", "B2": [boom(), "b"], "C2": "c"}).finish(machine({"P": parallel(*branches)}))
    assert run.outcome == ("Failed", "Boom")
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, ["a", "b", "c"])
    assert [state for state, _ in run.calls] == ["A", "B1", "B2", "B2", "C2"]


def test_only_the_iterations_that_did_not_succeed_run_on(lab) -> None:
    answers = [boom() if item == 2 else item for item in range(5)]
    run = lab({"I": [*answers[:3], "two", 3, 4]})
    run.finish(machine({"M": map_over(machine({"I": task()}), ItemsPath="$", MaxConcurrency=1)}), list(range(5)))
    assert run.outcome == ("Failed", "Boom")
    assert len(run.calls) == 3
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [0, 1, "two", 3, 4])
    assert len(run.calls) == 6


def test_a_map_over_its_tolerated_failures_runs_all_failed_iterations_again(lab) -> None:
    state = map_over(machine({"I": task()}), ItemsPath="$", ToleratedFailureCount=1)
    run = lab({"I": [boom(), 1, boom(), "zero", "two"]}).finish(machine({"M": state}), [0, 1, 2])
    assert run.outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, ["zero", 1, "two"])


def test_nested_parallels_and_maps_keep_what_succeeded(lab) -> None:
    inner = machine({"M": map_over(machine({"I": task("J"), "J": task()}), ItemsPath="$")})
    run = lab({"I": "i", "J": ["j0", boom(), "j1"], "K": "k"})
    run.finish(machine({"P": parallel(inner, machine({"K": task()}))}), [0, 1])
    assert run.outcome == ("Failed", "Boom")
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [["j0", "j1"], "k"])
    assert [state for state, _ in run.calls].count("I") == 2
    assert [state for state, _ in run.calls].count("K") == 1


def test_counters_of_retriers_begin_anew(lab) -> None:
    definition = machine({"A": task(Retry=[retry("Boom", MaxAttempts=2, IntervalSeconds=1)])})
    run = lab({"A": [boom()] * 5 + ["fine"]}).finish(definition)
    assert run.outcome == ("Failed", "Boom")
    assert len(run.calls) == 3
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, "fine")
    assert len(run.calls) == 6


def test_variables_are_kept(lab) -> None:
    definition = machine(
        {"A": passing("B", Assign={"x": 7}), "B": task("C"), "C": passing(Parameters={"x.$": "$x"})},
    )
    run = lab({"B": [boom(), {}]}).finish(definition)
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, {"x": 7})


def test_a_stopped_execution_goes_on_with_what_it_was_at(lab) -> None:
    run = lab({"A": HANGS}).begin(machine({"A": task("B"), "B": passing()}))
    run.stop("Mine", "enough")
    assert run.outcome == ("Canceled", "Mine")
    assert run.redrive() == [(run.id, None)]
    assert run.context.error is None
    run.answers["A"] = ["fine"]
    assert run.finish().outcome == (SUCCEEDED, "fine")


def test_a_timed_out_execution_gets_its_time_anew(lab) -> None:
    wait = {"Type": "Wait", "Seconds": 8, "End": True}
    run = lab({"A": [HANGS]}).finish(machine({"A": task("B"), "B": wait}, TimeoutSeconds=10))
    assert (run.context.status, run.context.timed_out) == ("Canceled", True)
    run.wait(100)
    run.answers["A"] = [{}]
    run.redrive()
    assert run.finish().outcome[0] == SUCCEEDED
    assert not run.context.timed_out


def test_an_uncatchable_error_within_a_branch_can_be_redriven(lab) -> None:
    missing = passing(InputPath="$.missing")
    run = lab({"A": ["a"]}).finish(machine({"P": parallel(machine({"A": task()}), machine({"B": missing}))}))
    assert run.outcome == ("Failed", "States.Runtime")
    run.redrive()
    assert run.finish().outcome == ("Failed", "States.Runtime")
    assert run.types.count("ExecutionFailed") == 2


def test_a_state_whose_branches_all_succeeded_ends_anew(lab) -> None:
    state = parallel(machine({"A": task()}), ResultSelector={"x.$": "$[0].missing"})
    run = lab({"A": "a"}).finish(machine({"P": state}))
    assert run.outcome == ("Failed", "States.Runtime")
    run.redrive()
    assert run.finish().outcome == ("Failed", "States.Runtime")
    assert len(run.calls) == 1


def test_a_state_whose_data_was_too_large_runs_all_of_its_children_again(lab) -> None:
    # AWS's guide, redrive-executions: Parallel and inline Map after States.DataLimitExceeded.
    large = "x" * 200_000
    for state, children in (
        (parallel(machine({"A": task()}), machine({"B": task()})), ["A", "B"]),
        (map_over(machine({"A": task()}), ItemsPath="$.items", MaxConcurrency=1), ["A", "A"]),
    ):
        run = lab({"A": [large, large, "a", "a"], "B": [large, "b"]}, limits=Limits(profile="aws"))
        run.finish(machine({"P": state}), {"items": [1, 2]})
        assert run.outcome == ("Failed", "States.DataLimitExceeded")
        assert [name for name, _ in run.calls] == children
        run.redrive()
        run.finish()
        assert [name for name, _ in run.calls] == children * 2


def test_a_fail_state_fails_again(lab) -> None:
    run = lab().finish(machine({"F": {"Type": "Fail", "Error": "No"}}))
    run.redrive()
    assert run.finish().outcome == ("Failed", "No")


def test_what_was_caught_is_not_redriven(lab) -> None:
    definition = machine(
        {"P": parallel(machine({"A": task()}), Catch=[catch("Boom", next="B")], next="C"), "B": task("C"), "C": task()}
    )
    run = lab({"A": boom(), "C": [boom(), "fine"]}).finish(definition)
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, "fine")
    assert [state for state, _ in run.calls] == ["A", "B", "C", "C"]


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_refusals(lab, type: str) -> None:
    run = lab({"A": "fine" if type == "STANDARD" else boom()}).finish(machine({"A": task()}), type=type)
    [(result, error)] = run.redrive()
    assert result is None
    assert "redriven" in str(error)


def test_of_two_redrives_at_once_one_is_refused(lab) -> None:
    run = lab({"A": [boom(), HANGS]}).finish(machine({"A": task()}))
    from stepwell.engine.replay.redrive import redrive_command

    answers: list[Any] = []
    for _ in range(2):
        command = redrive_command(run.partition.storage, run.partition.state.workflows.get("w:1"), run.context)
        run.partition.submit(command, reply=lambda *answer: answers.append(answer))
    run.settle()
    assert [error is None for _, error in answers] == [True, False]


@pytest.mark.parametrize("steps", range(1, 60))
def test_an_execution_that_was_stopped_between_two_states_goes_on_with_the_second(steps: int) -> None:
    """Turns of one record, so that the stop comes between any two: what has succeeded is not done again."""
    branch = machine({"C": task("D"), "D": passing(Assign={"seen": 1})})
    definition = machine({"A": task("B"), "B": passing("P"), "P": parallel(branch, branch)})
    run = Lab({}, limits=Limits(turn_records=1, batch_records=2))
    run.deploy("w", definition)
    run.id = run.start("w", {"n": 1})
    for _ in range(steps):
        run.step()
    run.stop()
    run.run()
    if run.context.status != SUCCEEDED:
        exited = [event["type"] for event in run.events].count("TaskStateExited")
        run.redrive()
        run.run()
        after = run.types[run.types.index("ExecutionRedriven") :]
        assert after.count("TaskStateExited") == 3 - exited
    assert run.outcome[0] == SUCCEEDED
    assert run.types.count("TaskStateExited") == 3
    run.check()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(machine=machines(), input=documents, seed=st.integers(0, 1000), stop_after=st.integers(0, 12))
def test_any_execution_can_be_redriven(machine: dict[str, Any], input: Any, seed: int, stop_after: int) -> None:
    """Stopped or failed at any place: a redrive brings it to an end, and replay to the same storage."""
    run = Lab.__new__(Lab)
    Simulation.__init__(run, Worker(seed))
    run.deploy("w", machine)
    run.id = run.start("w", input)
    for _ in range(stop_after):
        run.step()
    run.stop()
    run.run()
    if run.context.status != SUCCEEDED:
        succeeded_before = {event["id"] for event in run.events}
        assert run.redrive()[0][1] is None
        run.run()
        assert succeeded_before < {event["id"] for event in run.events}
        assert run.context.redrive_count == 1
        assert not (run.context.cause or "").startswith("An internal error")
    events = run.events
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    again = rebuilt(run.store)
    assert differences(run.store, again) == []
    again.close()
    run.close()


def test_through_the_executor(tmp_path: Path) -> None:
    left = [1]

    def flaky(input: Any) -> str:
        if left:
            raise ValueError(left.pop())
        return "fine"

    definition = machine({"A": task("B", "flaky"), "B": passing()})
    with Executor(tmp_path, handlers={"flaky": flaky}) as ex:
        ex.deploy("w", definition)
        execution = ex.start("w").wait()
        assert execution.error == "ValueError"
        assert ex.redrive(execution.id).wait().output == "fine"
        with pytest.raises(NotRedrivable, match="Succeeded"):
            ex.redrive(execution.id)
    with Executor(tmp_path, handlers={"flaky": flaky}) as ex:
        assert ex.context(execution.id).redrive_count == 1


def test_through_the_async_executor() -> None:
    left = [1]

    async def flaky(input: Any) -> str:
        if left:
            raise ValueError(left.pop())
        return "fine"

    async def scenario() -> Any:
        async with AsyncExecutor(handlers={"flaky": flaky}) as ex:
            await ex.deploy("w", machine({"A": task(None, "flaky")}))
            execution = await (await ex.start("w")).wait()
            redriven = await (await ex.redrive(execution.id)).wait()
            return redriven.output

    assert asyncio.run(scenario()) == "fine"


def test_aws_redrives_for_14_days_and_up_to_24999_events(monkeypatch: pytest.MonkeyPatch) -> None:
    with Executor(profile="aws") as ex:
        failed = ex.run(machine({"F": {"Type": "Fail"}}))
        now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: now + (14 * 24 * 3600 + 60) * 1_000_000_000)
        with pytest.raises(NotRedrivable, match="14 days"):
            ex.redrive(failed.id)
        monkeypatch.setattr(time, "time_ns", lambda: now)
        monkeypatch.setattr(redrive, "HISTORY_EVENTS", 4)
        with pytest.raises(NotRedrivable, match="3 events"):
            ex.redrive(failed.id)
        monkeypatch.undo()
        assert ex.redrive(failed.id).wait(60).status == "Failed"


def test_a_child_of_a_map_run_is_redriven_with_its_parent() -> None:
    processor = {
        **machine({"F": {"Type": "Fail"}}),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    with Executor() as ex:
        ex.deploy("w", machine({"M": map_over(processor, ItemsPath="$")}))
        execution = ex.start("w", [1]).wait(60)
        [run] = ex.list_map_runs(execution.id)
        [child] = ex.list(map_run=run["mapRunArn"])
        with pytest.raises(NotRedrivable, match="parent"):
            ex.redrive(child.id)
        assert ex.redrive(execution.id).wait(60).status == "Failed"
        assert ex.context(child.id).redrive_count == 1
