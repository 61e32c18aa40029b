"""explore: what goes wrong, that it is found, and that a seed does the same again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepwell.testing import ExploreFailed, TestExecution, TestExecutor, explore
from testing.support import machine, task, wait

PAY = machine(
    Pay=task("pay", Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 5}], TimeoutSeconds=60),
    Rest=wait(3600),
    Tell=task("tell"),
)


class Bank:
    def __init__(self) -> None:
        self.paid: list[str] = []

    def pays_twice(self, value: Any, ctx: Any) -> str:
        self.paid.append(ctx.task_id)
        return "paid"

    def pays_once(self, value: Any, ctx: Any) -> str:
        if ctx.execution_id not in self.paid:
            self.paid.append(ctx.execution_id)
        return "paid"


banks: list[Bank] = []


def handlers(method: str) -> Any:
    def make() -> dict[str, Any]:
        banks.append(Bank())
        return {"pay": getattr(banks[-1], method), "tell": lambda value: value}

    return make


def paid_once(execution: TestExecution) -> None:
    assert len(banks[-1].paid) == 1


def test_an_idempotent_handler_survives_everything() -> None:
    explored = explore(PAY, handlers("pays_once"), check=paid_once, seeds=100)
    assert explored.crashes > 30
    assert explored.late > 5
    assert explored.repeated > 10


def test_a_handler_that_pays_twice_is_found_and_its_seed_replays() -> None:
    with pytest.raises(ExploreFailed, match=r"seed \d+ fails, and replays with explore\(…, seed=") as failed:
        explore(PAY, handlers("pays_twice"), check=paid_once)
    seed, trace = failed.value.seed, failed.value.trace
    assert seed is not None
    assert "pay" in str(failed.value)
    for _ in range(3):
        with pytest.raises(ExploreFailed) as again:
            explore(PAY, handlers("pays_twice"), check=paid_once, seed=seed)
        assert (again.value.seed, again.value.trace) == (seed, trace)


def test_without_a_check_the_ends_are_compared() -> None:
    calls: list[int] = []

    def counts(value: Any) -> int:
        calls.append(1)
        return len(calls)

    def make() -> dict[str, Any]:
        calls.clear()
        return {"count": counts}

    with pytest.raises(ExploreFailed, match=r"it ended as .* and without disturbances as"):
        explore(machine(Count=task("count")), make)
    assert explore(machine(Count=task("count")), {"count": lambda value: 1}, seeds=20).seeds == range(20)


def test_the_order_of_branches_is_explored() -> None:
    order: list[str] = []
    branches = [{"StartAt": name, "States": {name: task("note", End=True)}} for name in "ABC"]

    def make() -> dict[str, Any]:
        order.clear()
        return {"note": lambda value, ctx: order.append(ctx.state_name)}

    def a_comes_first(execution: TestExecution) -> None:
        assert order[0] == "A"

    with pytest.raises(ExploreFailed, match=r"(?s)AssertionError.*note is called \(state [BC]"):
        explore(machine({"Type": "Parallel", "Branches": branches}), make, check=a_comes_first, crashes=0)


def test_a_script_answers_what_waits() -> None:
    activity = "arn:aws:states:us-east-1:000000000000:activity:approve"

    def approve(ex: TestExecutor, execution: TestExecution) -> None:
        execution.wait_for("Approve").complete("Approve", {"by": "ada"})

    def approved(execution: TestExecution) -> None:
        assert execution.output == {"by": "ada"}

    definition = machine(wait(5), Before=task("f"), Approve=task(activity), After=task("f"))
    explored = explore(definition, {"f": lambda value: value}, check=approved, script=approve, seeds=30)
    assert explored.crashes > 5


def test_what_fails_undisturbed_is_said() -> None:
    with pytest.raises(ExploreFailed, match="the run without any disturbance fails: UnscriptedTask") as failed:
        explore(machine(task("missing")), {})
    assert failed.value.seed is None
    fails: dict[str, Callable[[Any], Any]] = {"f": lambda value: value["missing"]}
    with pytest.raises(ExploreFailed, match=r"the run without any disturbance fails: it ended as .'Failed'"):
        explore(machine(task("f")), fails, {})
    assert explore(machine(task("f")), fails, {}, check=lambda execution: None, seeds=2).seeds == range(2)


def test_mocks_nested_executions_and_maps_are_explored() -> None:
    child = {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:child"}
    nested = task("arn:aws:states:::states:startExecution.sync:2", Parameters=child, ResultSelector={"o.$": "$.Output"})
    each = {"StartAt": "Do", "States": {"Do": task("do", Retry=[{"ErrorEquals": ["Down"]}], End=True)}}
    distributed = {
        "StartAt": "DoToo",
        "States": {"DoToo": task("do", End=True)},
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    maps = [
        {"StartAt": "Inline", "States": {"Inline": {"Type": "Map", "ItemProcessor": each, "End": True}}},
        {"StartAt": "Many", "States": {"Many": {"Type": "Map", "ItemProcessor": distributed, "End": True}}},
    ]

    def arrange(ex: TestExecutor) -> None:
        ex.deploy("child", machine(wait(10), task("do")))
        ex.mock.state("Do", index=1).fails("Down").answers(lambda value: value)
        ex.mock.resource("do").answers(lambda value: value, delay="3s")

    definition = machine({"Type": "Parallel", "Branches": maps}, nested)
    assert explore(definition, {}, [1, 2, 3], arrange=arrange, seeds=25).crashes > 5


def test_the_uuids_and_times_of_an_output_may_differ_between_seeds() -> None:
    output = "{% {'id': $uuid(), 'same': $states.input, 'at': $now()} %}"
    definition = machine(Pay=task("pay"), Made={"Type": "Pass", "QueryLanguage": "JSONata", "Output": output})
    assert explore(definition, {"pay": lambda value: value}, 1, seeds=20).crashes

    calls: list[int] = []
    with pytest.raises(ExploreFailed, match=r'"same":'):
        explore(definition, {"pay": lambda value: calls.append(1) or len(calls)}, 1, seeds=20)
