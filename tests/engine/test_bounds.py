"""Memory is bounded by configuration: whatever there is too much of waits, or is refused, and nothing is dropped."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.map_run_support import distributed_machine
from engine.support import Lab, machine, map_over, parallel, passing, task
from stepwell import Executor
from stepwell.engine.limits import Limits
from stepwell.engine.storage.contexts import HELD, QueueContext, TaskContext
from stepwell.errors import Busy, StepwellError
from stepwell.tasks.dispatch import Call
from stepwell.testing.simulation import HANGS

MakeLab = Callable[..., Lab]
PASS = machine({"A": passing()})
WAIT = machine({"W": {"Type": "Wait", "Seconds": 1000, "End": True}})
EACH = machine({"M": map_over(machine({"T": task()}))})
LIMITED = Limits(tasks=10)


# tasks in flight


class Gauge(Lab):
    """Counts the tasks that handlers have."""

    def dispatch(self, tasks: list[Call]) -> None:
        super().dispatch(tasks)
        self.most = max(getattr(self, "most", 0), len(self.partition.in_flight))


def held(lab: Lab) -> list[QueueContext]:
    return lab.partition.storage.scan(QueueContext, HELD)


def test_tasks_beyond_the_limit_are_held_back_on_the_log() -> None:
    lab = Gauge(limits=LIMITED).begin(EACH, list(range(100)))
    assert len(held(lab)) == 90
    assert sum(row.status == "Active" for row in lab.tasks) == 10
    assert sum(event["type"] == "LambdaFunctionScheduled" for event in lab.events) == 100
    assert sum(event["type"] == "LambdaFunctionStarted" for event in lab.events) == 10
    lab.finish()
    assert lab.outcome == ("Succeeded", [{}] * 100)
    assert lab.most == 10
    assert held(lab) == []
    lab.check()


def test_they_go_out_before_those_that_come_later() -> None:
    lab = Gauge(limits=LIMITED).begin(EACH, list(range(30)))
    late = lab.start("w", list(range(3)), number=2)
    lab.settle()
    lab.finish()
    context = lab.partition.executions.get(late)
    assert context is not None
    assert context.status == "Succeeded"
    assert lab.most == 10
    lab.check()


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_what_is_held_back_survives_a_restart(most: int) -> None:
    first = Gauge({"T": HANGS}, limits=LIMITED).begin(EACH, list(range(100)))
    again = Gauge(store=first.store, clock=first.clock, limits=Limits(tasks=most))
    again.id = first.id
    again.finish()
    assert again.outcome == ("Succeeded", [{}] * 100)
    assert again.most == (10 if most < 10 else 100)
    again.check()


def test_a_held_task_that_is_canceled_frees_its_place() -> None:
    lab = Gauge({"T": HANGS}, limits=LIMITED).begin(EACH, list(range(100)))
    lab.stop()
    assert held(lab) == []
    assert lab.tasks == []
    other = lab.start("w", [1], number=2)
    lab.settle()
    assert len(lab.partition.executions.get(other).tasks) == 1  # type: ignore[union-attr]
    lab.check()


def test_a_held_task_can_time_out() -> None:
    lab = Gauge({"T": HANGS}, limits=Limits(tasks=1))
    lab.begin(machine({"M": map_over(machine({"T": task(TimeoutSeconds=10)}))}), [1, 2])
    assert len(held(lab)) == 1
    lab.wait(10)
    assert lab.outcome == ("Failed", "States.Timeout")
    assert held(lab) == []
    lab.check()


def test_tasks_that_timed_out_while_nobody_answered_do_not_take_the_room_for_ever(lab: MakeLab) -> None:
    one = lab({"T": HANGS}, limits=LIMITED).begin(machine({"T": task(TimeoutSeconds=60)}))
    for number in range(2, 25):
        one.start("w", {}, number=number)
    one.settle()
    assert len(held(one)) == 14
    one.wait(59)
    late = one.start("w", {}, number=100)
    one.settle()
    one.wait(10)
    one.settle()
    assert [row.id for row in one.executions() if row.status == "Running"] == [late]
    assert held(one) == []
    assert sum(row.status == "Active" for row in one.tasks) == 1


def test_handlers_never_have_more_than_the_limit(tmp_path: Path) -> None:
    running, most, lock = 0, 0, threading.Lock()

    async def work(value: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        await asyncio.sleep(0.001)
        with lock:
            running -= 1
        return value

    with Executor(tmp_path, handlers={"work": work}, limits=LIMITED) as ex:
        ex.deploy("each", machine({"M": map_over(machine({"T": task(resource="work")}))}))
        executions = [ex.start("each", list(range(50))) for _ in range(10)]
        assert [each.wait(60).output for each in executions] == [list(range(50))] * 10
    assert most <= LIMITED.tasks


def test_open_tasks_are_read_page_by_page_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million tasks that wait for their tokens must not keep the start waiting."""
    monkeypatch.setattr("stepwell.engine.partition.in_flight.PAGES_AT_ONCE", 1)
    monkeypatch.setattr("stepwell.engine.partition.in_flight.TASK_PAGE", 7)
    first = Lab({"T": HANGS}).begin(EACH, list(range(40)))
    again = Gauge(store=first.store, clock=first.clock)
    again.id = first.id
    assert len(again.dispatched) == 7
    again.settle()
    while again.partition.in_flight.is_recovering:
        again.step()
    assert len(again.dispatched) == 40
    again.finish()
    assert again.outcome[0] == "Succeeded"
    again.check()


# the inbox


def test_a_full_inbox_is_busy_and_takes_in_again_when_there_is_room() -> None:
    lab = Lab(limits=Limits(inbox=3))
    lab.deploy("w", PASS)
    for number in range(3):
        lab.start("w", {}, number=number)
    with pytest.raises(Busy, match="3 commands"):
        lab.start("w", {}, number=3)
    lab.settle()
    lab.start("w", {}, number=3)
    lab.settle()
    assert [row.status for row in lab.executions()] == ["Succeeded"] * 4
    lab.close()


LARGE = "x" * 10_000


def test_an_inbox_full_of_documents_is_busy_and_takes_in_again_when_there_is_room() -> None:
    lab = Lab(limits=Limits(inbox_bytes=25_000))
    lab.deploy("w", PASS)
    for number in range(2):
        lab.start("w", LARGE, number=number)
    with pytest.raises(Busy, match=r"documents of 20004 bytes"):
        lab.start("w", LARGE, number=2)
    lab.start("w", "small", number=3)
    lab.settle()
    lab.start("w", LARGE * 10, number=4)  # alone it may be as large as it likes
    with pytest.raises(Busy):
        lab.start("w", LARGE, number=5)
    lab.settle()
    lab.start("w", LARGE, number=5)
    lab.settle()
    assert [row.status for row in lab.executions()] == ["Succeeded"] * 5
    lab.close()


def test_large_answers_of_handlers_are_taken_and_counted() -> None:
    lab = Lab({"T": LARGE}, limits=Limits(inbox_bytes=1)).begin(EACH, [1, 2, 3])
    lab.run()
    assert lab.outcome == ("Succeeded", [LARGE] * 3)
    lab.start("w", LARGE, number=2)
    lab.check()


def test_answers_of_handlers_are_taken_though_the_inbox_is_full() -> None:
    lab = Lab(limits=Limits(inbox=1)).begin(EACH, [1, 2, 3])
    lab.start("w", [], number=2)
    lab.run()
    assert lab.outcome[0] == "Succeeded"
    lab.check()


def test_a_start_waits_for_capacity_as_long_as_it_may(tmp_path: Path) -> None:
    with Executor(tmp_path, limits=Limits(inbox=1)) as ex:
        ex.deploy("w", PASS)
        stopped, go_on = threading.Event(), threading.Event()

        def hold(*answer: object) -> None:
            stopped.set()
            go_on.wait(60)

        ex.submit_start("w", {}, None, hold)  # its answer comes in the engine's own thread
        assert stopped.wait(60)
        ex.submit_start("w", {}, None, lambda *answer: None)
        with pytest.raises(Busy, match="the inbox holds 1 commands"):
            ex.start("w", timeout=0.05)
        threading.Timer(0.1, go_on.set).start()
        assert ex.start("w", timeout=10).wait(60).status == "Succeeded"


# executions in memory


def test_executions_that_rest_leave_memory_and_wake_again() -> None:
    lab = Lab(limits=Limits(live_executions=100))
    lab.deploy("w", WAIT)
    for number in range(1, 1001):
        lab.start("w", {"n": number}, number=number)
        if number % 50 == 0:
            lab.settle()
            assert len(lab.partition.state.executions) <= 100 + 50
    assert len(lab.partition.storage.scan(TaskContext)) == 0
    lab.run()
    rows = lab.executions()
    assert len(rows) == 1000
    assert {row.status for row in rows} == {"Succeeded"}
    lab.close()


def test_large_executions_that_rest_leave_memory_sooner() -> None:
    lab = Lab(limits=Limits(live_bytes=1_000_000))
    lab.deploy("w", WAIT)
    state = lab.partition.state
    for number in range(1, 31):
        lab.start("w", "x" * 100_000, number=number)
        lab.start("w", "small", number=number + 100)
        lab.settle()
        assert state.weight == sum(state.weights.values()) <= 1_000_000
    live = [len(each.input.text) for each in state.executions.values()]
    assert 7 <= sum(size > 1000 for size in live) <= 9
    assert sum(size < 1000 for size in live) == 30
    lab.run()
    assert {row.status for row in lab.executions()} == {"Succeeded"}
    assert state.executions == {}
    state.reweigh()
    assert (state.weights, state.weight) == ({}, 0)
    lab.close()


def test_names_and_owners_of_tasks_do_not_stay_behind() -> None:
    lab = Lab(limits=Limits(live_executions=10))
    lab.deploy("w", machine({"T": task()}))
    for number in range(1, 201):
        lab.start("w", {}, number=number, idempotent=True)
        lab.settle()
    state = lab.partition.state
    assert len(state.executions) <= 11
    assert len(state.names) <= 11
    assert len(state.task_owners) <= 11
    lab.run()
    assert (len(state.names), len(state.task_owners)) == (0, 0)
    lab.close()


# documents


TWICE = {"a.$": "$.text", "b.$": "$.text"}
TOO_LARGE = {
    "an output": machine({"A": passing(Parameters=TWICE)}),
    "a task's input": machine({"A": task(Parameters=TWICE)}),
    "a task's output": machine({"T": task()}),
    "an iteration's input": machine({"M": map_over(PASS, ItemsPath="$.items", ItemSelector=TWICE)}),
    "a child's input": distributed_machine(PASS, ItemsPath="$.items", ItemSelector=TWICE),
    "the outputs of branches": machine({"P": parallel(PASS, machine({"B": passing()}))}),
    "a variable": machine({"A": passing(Assign=TWICE)}),
}


@pytest.mark.parametrize("definition", TOO_LARGE.values(), ids=TOO_LARGE)
def test_an_execution_that_makes_too_large_a_document_fails_alone(lab: MakeLab, definition: dict[str, Any]) -> None:
    one = lab({"T": "x" * 1500}, limits=Limits(document_bytes=1500))
    one.finish(definition, {"text": "x" * 1000, "items": [1]})
    assert one.outcome == ("Failed", "States.DataLimitExceeded")
    assert "1500 is the most" in (one.context.cause or "")
    other = one.start("w", {"text": "y", "items": []}, number=2)
    one.answers["T"] = ["small"]
    one.run()
    assert one.result(other)["status"] == "Succeeded"  # type: ignore[index]


@pytest.mark.parametrize("depth", [20, 21])
def test_documents_have_a_depth(lab: MakeLab, depth: int) -> None:
    value: Any = "x" * 300
    for _ in range(depth):
        value = [value]
    one = lab({"T": [value]}, limits=Limits(document_depth=20)).finish(machine({"T": task()}))
    assert one.outcome[0] == ("Succeeded" if depth == 20 else "Failed")
    if depth == 21:
        assert one.outcome[1] == "States.Runtime"
        assert "nested 21 deep; 20 is the most" in (one.context.cause or "")


def test_an_input_that_is_too_large_starts_nothing(tmp_path: Path) -> None:
    with Executor(tmp_path, limits=Limits(document_bytes=1000)) as ex:
        ex.deploy("w", PASS)
        with pytest.raises(StepwellError, match="1000 is the most"):
            ex.start("w", "x" * 1000)
        assert ex.list() == []
        assert ex.start("w", "x" * 990).wait().status == "Succeeded"


# histories


def test_a_history_of_100_000_events_is_never_in_memory_at_once(tmp_path: Path) -> None:
    definition = machine({"M": map_over(machine({"A": passing("B"), "B": passing()}))})
    with Executor(tmp_path) as ex:
        ex.deploy("w", definition)
        execution = ex.start("w", [{"text": "x" * 100}] * 17_000).wait(60)
        seen = 0
        tracemalloc.start()
        try:
            while page := execution.history(limit=500, after=seen):
                assert [event["id"] for event in page] == list(range(seen + 1, seen + len(page) + 1))
                seen += len(page)
            assert tracemalloc.get_traced_memory()[1] < 32 << 20
        finally:
            tracemalloc.stop()
        assert seen > 100_000
