"""Ended executions are deleted: when their retention has passed, or when somebody says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.map_run_support import distributed_machine
from engine.support import SECOND, Lab, boom, machine, passing, task
from stepwell import Executor
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.processors.executions import CHUNK, SHORT_HISTORY
from stepwell.engine.replay.redrive import redrive_command
from stepwell.engine.storage.contexts import (
    ExecutionContext,
    IdempotencyContext,
    MapRunContext,
    TimerContext,
    VisibilityContext,
)
from stepwell.errors import ExecutionAlreadyExists, ExecutionNotFound, ExecutionRunning, InvalidInput
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.virtual import VirtualClock

DAY = 86_400
PASS = machine({"A": passing()})
WAIT = machine({"W": {"Type": "Wait", "Seconds": 1000, "End": True}})
MakeLab = Callable[..., Lab]


@pytest.fixture
def lab() -> Iterator[MakeLab]:
    """Labs whose replay is checked at the end; unlike others' theirs may have no execution any more."""
    labs: list[Lab] = []

    def make(answers: dict[str, Any] | None = None, **options: Any) -> Lab:
        labs.append(Lab(answers, **options))
        return labs[-1]

    yield make
    for each in labs:
        again = rebuilt(each.store)
        assert differences(each.store, again) == []
        again.close()
        each.close()


def work(one: Lab) -> Lab:
    """Answer open tasks, while no time passes."""
    while one.answer_a_task():
        one.settle()
    return one


def leftovers(lab: Lab) -> list[Any]:
    """Every row that an execution can leave."""
    scan = lab.partition.storage.scan
    kinds = (ExecutionContext, VisibilityContext, IdempotencyContext, TimerContext, MapRunContext)
    return [row for kind in kinds for row in scan(kind, limit=100_000)] + lab.partition.storage.history(lab.id)


# retention


def test_an_ended_execution_is_deleted_when_its_retention_has_passed(lab: MakeLab) -> None:
    one = lab(limits=Limits(retention=DAY)).begin(PASS)
    assert one.context.delete_at == one.context.stopped_at + DAY * SECOND
    one.wait(DAY - 1)
    assert one.context.status == "Succeeded"
    one.wait(1)
    assert leftovers(one) == []
    assert one.partition.state.executions == {}


@pytest.mark.parametrize("ending", ["failed", "canceled", "timed out"])
def test_it_does_not_matter_how_it_ended(lab: MakeLab, ending: str) -> None:
    definitions = {
        "failed": machine({"F": {"Type": "Fail"}}),
        "canceled": WAIT,
        "timed out": machine({"W": {"Type": "Wait", "Seconds": 1000, "End": True}}, TimeoutSeconds=10),
    }
    one = lab(limits=Limits(retention=60)).begin(definitions[ending])
    if ending == "canceled":
        one.stop()
    one.wait(10)
    assert one.context.status in ("Failed", "Canceled")
    one.wait(60)
    assert leftovers(one) == []


def test_the_retention_counts_from_the_end_not_from_the_start(lab: MakeLab) -> None:
    one = lab(limits=Limits(retention=60)).begin(WAIT)
    one.wait(1059)
    assert one.context.status == "Succeeded"
    one.wait(1)
    assert leftovers(one) == []


def test_without_a_retention_it_stays(lab: MakeLab) -> None:
    one = lab().begin(PASS)
    assert one.context.delete_at == 0
    one.wait(10_000 * DAY)
    assert one.context.status == "Succeeded"


def test_a_redriven_execution_is_kept_until_it_has_ended_again(lab: MakeLab) -> None:
    one = work(lab({"T": [boom(), {"ok": True}]}, limits=Limits(retention=60)).begin(machine({"T": task()})))
    one.wait(59)
    one.redrive()
    assert one.context.delete_at == 0
    work(one)
    one.wait(59)
    assert one.context.status == "Succeeded"
    one.wait(1)
    assert leftovers(one) == []


def test_children_of_a_map_run_go_with_their_parent(lab: MakeLab) -> None:
    one = lab(limits=Limits(retention=60)).begin(distributed_machine(PASS), list(range(3 * CHUNK)))
    children = [row for row in one.executions() if row.parent_iteration_id]
    assert len(children) == 3 * CHUNK
    assert {row.delete_at for row in children} == {0}
    one.wait(60)
    assert leftovers(one) == []


def test_children_of_children_go_too(lab: MakeLab) -> None:
    one = lab().begin(distributed_machine(distributed_machine(PASS), name="Outer"), [[1, 2], [3], []])
    assert len(one.executions()) == 1 + 3 + 3
    one.answer(r.DeleteExecutionCommand(one.id))
    assert leftovers(one) == []


# deletion


def test_a_running_execution_cannot_be_deleted(lab: MakeLab) -> None:
    one = lab().begin(WAIT)
    (answer,) = one.answer(r.DeleteExecutionCommand(one.id))
    assert isinstance(answer[1], Rejected)
    assert one.context.status == "Running"


def test_a_short_execution_is_gone_at_once_and_its_timer_with_it(lab: MakeLab) -> None:
    one = lab(limits=Limits(retention=60)).begin(PASS)
    one.answer(r.DeleteExecutionCommand(one.id))
    assert leftovers(one) == []
    one.wait(100)


def test_a_long_execution_is_deleting_until_storage_has_it(lab: MakeLab) -> None:
    states = {f"S{n}": passing(f"S{n + 1}") for n in range(SHORT_HISTORY // 2)}
    one = lab(limits=Limits(retention=60)).begin(machine({**states, f"S{SHORT_HISTORY // 2}": passing()}))
    assert one.context.last_event > SHORT_HISTORY
    one.partition.submit(r.DeleteExecutionCommand(one.id))
    one.step()
    assert one.context.status == "Deleting"
    (listed,) = one.partition.storage.scan(VisibilityContext, "w")
    assert listed.status == "Deleting"
    assert one.events[-1]["type"] == "ExecutionSucceeded"
    one.settle()
    assert leftovers(one) == []


def test_children_are_deleted_step_by_step_and_others_go_on_meanwhile(lab: MakeLab) -> None:
    one = lab().begin(distributed_machine(PASS), list(range(4 * CHUNK)))
    one.partition.submit(r.DeleteExecutionCommand(one.id))
    one.step()
    for chunk in range(4):
        assert one.context.status == "Deleting"
        assert len(one.executions()) == 1 + (4 - chunk) * CHUNK + (chunk == 3)
        if chunk == 2:
            other = one.start("w", [], number=2)
        one.step()
    one.settle()
    (left,) = one.executions()
    assert (left.id, left.status) == (other, "Succeeded")


def test_a_second_deletion_changes_nothing(lab: MakeLab) -> None:
    one = lab().begin(distributed_machine(PASS), list(range(2 * CHUNK)))
    for _ in range(3):
        one.partition.submit(r.DeleteExecutionCommand(one.id))
        one.step()
    one.settle()
    assert leftovers(one) == []
    (answer,) = one.answer(r.DeleteExecutionCommand(one.id))
    assert isinstance(answer[1], Rejected)


def test_whoever_comes_before_storage_knows_finds_nothing_to_change(lab: MakeLab) -> None:
    """Commands of one moment, in one batch or the next: the row that storage still has must not come back to life."""
    one = lab({"T": boom()}).finish(machine({"T": task()}))
    workflow = one.partition.state.workflows.get("w:1")
    redrive = redrive_command(one.partition.storage, workflow, one.context)
    answers: list[Any] = []
    for command in (r.DeleteExecutionCommand(one.id), redrive, r.DeleteExecutionCommand(one.id)):
        one.partition.submit(command, reply=lambda *answer: answers.append(answer))
        one.partition.step()  # committed, and not yet released
    one.settle()
    assert [type(error) for _, error in answers] == [type(None), Rejected, Rejected]
    assert leftovers(one) == []


# the API


def test_a_workflow_has_its_own_retention() -> None:
    with Executor(limits=Limits(retention=1000)) as ex:
        ex.deploy("short", PASS, retention=0.3)
        ex.deploy("long", PASS)
        short, long = ex.start("short").wait(), ex.start("long").wait()
        gone(ex, short.id)
        context = ex.context(long.id)
        assert context.delete_at == context.stopped_at + 1000 * SECOND


def gone(ex: Executor, id: str) -> None:
    """Wait until there is no such execution."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            ex.context(id)
        except ExecutionNotFound:
            return
        time.sleep(0.005)
    raise AssertionError(f"{id} is still there")


def test_another_retention_is_no_other_version() -> None:
    with Executor() as ex:
        first = ex.deploy("w", PASS)
        again = ex.deploy("w", PASS, retention=0.3)
        assert (first.id, again.id) == ("w:1", "w:1")
        assert again.context.created_at == first.context.created_at
        gone(ex, ex.start("w").wait().id)
        ex.deploy("w", PASS)
        assert ex.context(ex.start("w").wait().id).delete_at == 0


def test_the_retention_of_a_workflow_outlives_the_process(tmp_path: Any) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("w", PASS, retention=0.3)
        id = ex.start("w").wait().id
    with Executor(tmp_path) as ex:
        gone(ex, id)
        gone(ex, ex.start("w").wait().id)


@pytest.mark.parametrize("retention", [-1, float("nan"), float("inf"), True, "1", 1e12])
def test_a_retention_is_a_number_of_seconds(retention: Any) -> None:
    with Executor() as ex, pytest.raises(InvalidInput, match="retention"):
        ex.deploy("w", PASS, retention=retention)


def test_deletion_frees_the_name() -> None:
    with Executor() as ex:
        ex.deploy("w", PASS)
        ex.deploy("wait", WAIT)
        first = ex.start("w", {"n": 1}, "order-7").wait()
        with pytest.raises(ExecutionAlreadyExists):
            ex.start("w", {"n": 2}, "order-7")
        ex.delete(first.id)
        second = ex.start("w", {"n": 2}, "order-7").wait()
        assert second.id != first.id
        assert second.input == {"n": 2}
        assert ex.list("w") == [second]
        with pytest.raises(ExecutionNotFound):
            ex.delete(first.id)
        with pytest.raises(ExecutionRunning):
            ex.delete(ex.start("wait").id)


# crashes


@pytest.mark.parametrize("live", [1, 20_000])
def test_a_deletion_goes_on_after_a_crash_at_any_batch(live: int) -> None:
    """Whatever the log has of it, all of the execution is gone in the end, and nothing else."""
    limits = Limits(retention=60, live_executions=live, turn_records=7)
    whole = Lab(limits=limits).begin(distributed_machine(PASS), list(range(12)))
    other = whole.start("w", [1], number=2)
    whole.wait(60)
    assert leftovers(whole) == []
    batches = len(whole.store.read_log(1, 1 << 30))
    for until in range(2, batches):
        store = rebuilt(whole.store, until)
        again = Lab(store=store, clock=VirtualClock(whole.clock.now()), limits=limits)
        again.id = whole.id
        again.settle()
        again.wait(120)
        assert leftovers(again) == []
        assert again.partition.storage.get(ExecutionContext, other) is None
        replayed = rebuilt(store)
        assert differences(store, replayed) == []
        replayed.close()
        again.close()
    whole.close()
