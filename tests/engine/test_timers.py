"""Timers fire once, in the order in which they are due, never early; memory holds only the next of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.support import SECOND, Lab, machine, passing, task
from stepwell import Executor
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.state.timers import WAIT, TimerQueue
from stepwell.engine.storage.contexts import TimerContext
from stepwell.testing.simulation import HANGS

MakeLab = Callable[..., Lab]
UNTIL = machine({"W": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}})


# the queue


class Rows:
    """What storage has, and the queue over it."""

    def __init__(self, window: int) -> None:
        self.rows: set[tuple[int, int, str]] = set()
        self.queue = TimerQueue(self._scan, window)
        self.queue.load()

    def _scan(self, limit: int) -> list[TimerContext]:
        return [TimerContext(target, kind, due, "e") for due, kind, target in sorted(self.rows)[:limit]]

    def add(self, due: int, target: str) -> None:
        self.rows.add((due, WAIT, target))
        self.queue.add(due, WAIT, target, "e")

    def discard(self, due: int, target: str) -> None:
        self.rows.discard((due, WAIT, target))
        self.queue.discard(due, WAIT, target)

    def pop(self, now: int, limit: int = 1000) -> list[tuple[int, str]]:
        """As a partition does it: what fires leaves storage."""
        if self.queue.needs_load(now):
            self.queue.load()
        popped = self.queue.pop_due(now, limit)
        self.rows -= {timer[:3] for timer in popped}
        return [(due, target) for due, _, target, _ in popped]


def test_timers_come_in_the_order_of_their_times_and_not_before() -> None:
    rows = Rows(window=10)
    for due in (30, 10, 20):
        rows.add(due, "t")
    assert rows.queue.next_due() == 10
    assert rows.pop(9) == []
    assert rows.pop(25) == [(10, "t"), (20, "t")]
    assert rows.pop(25) == []
    assert rows.queue.next_due() == 30


def test_of_timers_due_at_one_moment_none_is_forgotten() -> None:
    rows = Rows(window=10)
    for number in range(95):
        rows.add(7, f"t{number:02}")
    popped: list[tuple[int, str]] = []
    while found := rows.pop(7, limit=8):
        popped += found
        assert len(rows.queue) <= 20
    assert len(popped) == len(set(popped)) == 95


def test_a_timer_created_beyond_the_horizon_comes_in_its_turn() -> None:
    rows = Rows(window=4)
    for due in range(100, 140, 2):
        rows.add(due, "t")
    rows.add(139, "late")
    rows.add(101, "early")
    assert [due for due, _ in rows.pop(104)] == [100, 101, 102, 104]
    fired: list[int] = []
    while (due := rows.queue.next_due()) is not None:
        fired += [due for due, _ in rows.pop(due)]
    assert fired == [*range(106, 140, 2), 139]


def test_canceled_timers_do_not_gather_in_memory() -> None:
    rows = Rows(window=10)
    for number in range(10_000):
        rows.add(1_000_000, f"t{number}")
        rows.discard(1_000_000, f"t{number}")
    assert len(rows.queue) <= 41
    assert rows.queue.next_due() is None


@settings(max_examples=300)
@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.sampled_from(["add", "add", "discard", "pop"]), st.integers(0, 12), st.integers(0, 4))),
    st.integers(1, 4),
)
def test_the_queue_fires_what_a_sorted_list_would(window: int, actions: list[tuple[str, int, int]], limit: int) -> None:
    rows, model, now = Rows(window), set[tuple[int, str]](), 0
    for action, number, target in actions:
        due, name = now + number, f"t{target}"
        if action == "add":
            rows.add(due, name)
            model.add((due, name))
        elif action == "discard":
            rows.discard(due, name)
            model.discard((due, name))
        else:
            now += number
            fired: list[tuple[int, str]] = []
            while found := rows.pop(now, limit):
                fired += found
            assert fired == sorted(timer for timer in model if timer[0] <= now)
            model -= set(fired)
        following = rows.queue.next_due()
        if model:
            assert following is not None
            assert following <= min(model)[0]  # it may look once too often, and never too late
        assert len(rows.queue) <= 4 * window + 1


# in a partition


def sleepers(lab: Lab, seconds: list[int]) -> dict[str, int]:
    """Start an execution that sleeps for each number of seconds; the number by the execution's id."""
    lab.deploy("w", UNTIL)
    ids = {lab.start("w", {"seconds": each}, number=n): each for n, each in enumerate(seconds, 1)}
    lab.settle()
    return ids


def ends(lab: Lab, ids: dict[str, int]) -> list[tuple[int, int, int]]:
    """The seconds slept for, until the end, and the order of the ends, in this order."""
    rows = sorted((row for row in lab.executions() if row.id in ids), key=lambda row: row.timestamp)
    slept = [(ids[row.id], (row.stopped_at - row.started_at) // SECOND, row.last_event) for row in rows]
    return sorted(slept)


@pytest.mark.parametrize("window", [1, 7, 10_000])
def test_many_more_sleepers_than_memory_holds_timers_for(lab: MakeLab, window: int) -> None:
    one = lab(limits=Limits(timers=window, live_executions=20))
    ids = sleepers(one, [1 + (n * 7919) % 500 for n in range(1000)])
    assert len(one.partition.state.timers) <= 4 * window + 1
    while (due := one.partition.state.timers.next_due()) is not None:
        one.clock.advance_to(due)
        one.settle()
    assert all(seconds == slept for seconds, slept, _ in ends(one, ids))
    one.id = next(iter(ids))


def test_after_downtime_all_that_was_due_fires_at_once_in_order() -> None:
    first = Lab(limits=Limits(timers=10))
    ids = sleepers(first, [(n * 37) % 100 + 1 for n in range(100)])
    first.clock.advance_to(first.clock.now() + 1000 * SECOND)
    again = Lab(store=first.store, clock=first.clock, limits=Limits(timers=10, batch_requests=7))
    ended: list[int] = []
    again.partition.services.on_ended = lambda execution: ended.append(ids[execution.id])
    again.settle()
    assert ended == sorted(ids.values())
    assert again.partition.state.timers.next_due() is None
    assert all(slept == 1000 for _, slept, _ in ends(again, ids))
    again.id = next(iter(ids))
    again.check()


def test_a_timer_that_was_canceled_wakes_nobody(lab: MakeLab) -> None:
    one = lab({"T": HANGS}).begin(machine({"T": task(TimeoutSeconds=100)}))
    (open_task,) = one.tasks
    one.answer(r.CompleteTaskCommand(open_task.id, open_task.resource, None, 0, 0), {})
    assert one.partition.storage.scan(TimerContext) == []
    assert one.partition.state.timers.next_due() is None
    one.wait(200)
    assert one.context.status == "Succeeded"


def test_a_trigger_that_comes_twice_fires_once(lab: MakeLab) -> None:
    one = lab().begin(UNTIL, {"seconds": 10})
    (timer,) = one.partition.storage.scan(TimerContext)
    one.wait(10)
    one.partition.state.timers.add(timer.due, timer.kind, timer.target, timer.execution_id)
    one.settle()
    assert one.types.count("WaitStateExited") == 1


def test_many_due_timers_do_not_keep_the_inbox_waiting() -> None:
    lab = Lab(limits=Limits(batch_requests=10))
    sleepers(lab, [10] * 500)
    lab.clock.advance_to(lab.clock.now() + 11 * SECOND)
    answers: list[Any] = []
    lab.start("w", {"seconds": 1}, number=1000, reply=lambda *answer: answers.append(answer))
    lab.step()
    assert len(answers) == 1
    running = sum(row.status == "Running" for row in lab.executions())
    assert running > 450
    lab.run()
    lab.id = lab.executions()[0].id
    lab.check()


# in an executor


NAPS = """
import os, signal, sys
from stepwell import Executor
ex = Executor(sys.argv[1])
ex.deploy("nap", {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}}})
for n in range(300):
    print(ex.start("nap", {"seconds": 1 + n % 3}).id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_timers_that_came_due_while_the_process_was_dead_fire_when_it_is_back(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", NAPS, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=False)
    ids = killed.stdout.split()
    assert len(ids) == 300
    time.sleep(3.1)
    with Executor(tmp_path) as ex:
        contexts = [ex.get(id).wait(60).context() for id in ids]
        assert {context.status for context in contexts} == {"Succeeded"}
        for context in contexts:
            events = ex.history(context.id)
            assert [event["type"] for event in events].count("WaitStateExited") == 1
            assert events[-1]["timestamp"] - events[0]["timestamp"] >= 1


def test_a_timer_is_never_early() -> None:
    with Executor() as ex:
        ex.deploy("nap", machine({"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": passing()}))
        executions = [ex.start("nap") for _ in range(20)]
        for execution in executions:
            context = execution.wait(60).context()
            assert context.stopped_at - context.started_at >= SECOND
