"""A timer fires once and not early, after downtime at once and in due order, whatever the clock does (promise 5)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crash.machines import LAMBDA
from stepwell import Limits, _core
from stepwell.engine.state.timers import TimerQueue
from stepwell.engine.storage.contexts import ExecutionContext, TimerContext
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import HANGS, Simulation
from stepwell.testing.virtual import VirtualClock

SECOND = 1_000_000
HOUR, YEAR = 3600 * SECOND, 365 * 24 * 3600 * SECOND
START = 1_700_000_000 * SECOND
SMALL = Limits(timers=2, live_executions=1, batch_requests=3)
SLEEP = {"StartAt": "S", "States": {"S": {"Type": "Wait", "SecondsPath": "$", "End": True}}}


class WildClock(VirtualClock):
    """A clock that may be set."""

    def set(self, micros: int) -> None:
        self._now = micros

    def add(self, micros: int) -> None:
        self._now += micros


def never(*_: Any) -> Any:
    raise AssertionError("there is no task")


def sleepers(
    seconds: list[int], limits: Limits = SMALL, clock: VirtualClock | None = None
) -> tuple[Simulation, list[str]]:
    simulation = Simulation(never, clock=clock or WildClock(START), limits=limits)
    simulation.deploy("sleep", SLEEP)
    ids = [simulation.start("sleep", each, number) for number, each in enumerate(seconds, 1)]
    simulation.settle()
    return simulation, ids


def ends(simulation: Simulation) -> dict[str, int]:
    """When each ended execution ended."""
    return {row.id: row.stopped_at for row in simulation.executions() if row.status == "Succeeded"}


@settings(max_examples=60, deadline=None)
@given(seconds=st.lists(st.integers(1, 20), min_size=1, max_size=15), limits=st.sampled_from([SMALL, Limits()]))
def test_every_timer_fires_when_it_is_due(seconds: list[int], limits: Limits) -> None:
    simulation, ids = sleepers(seconds, limits)
    simulation.run()
    assert ends(simulation) == {id: START + each * SECOND for id, each in zip(ids, seconds, strict=True)}
    assert simulation.partition.storage.scan(TimerContext) == []
    simulation.close()


@settings(max_examples=60, deadline=None)
@given(
    seconds=st.lists(st.integers(1, 50), min_size=1, max_size=15),
    down=st.integers(0, 60),
    limits=st.sampled_from([SMALL, Limits()]),
)
def test_after_downtime_what_is_due_fires_at_once_and_in_due_order(
    seconds: list[int], down: int, limits: Limits
) -> None:
    simulation, ids = sleepers(seconds, limits)
    store = rebuilt(simulation.store)
    simulation.close()
    again = Simulation(never, store=store, clock=VirtualClock(START + down * SECOND), limits=limits)
    again.settle()
    due = sorted((each, id) for id, each in zip(ids, seconds, strict=True) if each <= down)
    assert ends(again).keys() == {id for _, id in due}
    assert fired(store) == [each for each, _ in due]
    again.run()  # a deadline is kept, not begun again
    assert ends(again) == {
        id: START + max(each, down if each <= down else each) * SECOND for id, each in zip(ids, seconds, strict=True)
    }
    store.close()


def fired(store: _core.Store) -> list[int]:
    """The due times of the timers that fired, in seconds from the start, in the order of the log."""
    records = [
        record
        for _, _, _, payload in store.read_log(1, 1 << 30)
        for turn in _core.split_turns(payload)
        for record in msgspec.msgpack.decode(turn)[3]
    ]
    return [(record[3] - START) // SECOND for record in records if record[0] == 20]


@pytest.mark.parametrize("jump", [-HOUR, HOUR, YEAR, -YEAR])
def test_a_clock_that_jumps(jump: int) -> None:
    clock = WildClock(START)
    simulation, ids = sleepers([10, 7200, 400 * 24 * 3600], clock=clock)
    clock.add(jump)
    simulation.settle()
    # By the clock, never early: what is due by now has fired, and nothing else.
    assert set(ends(simulation)) == {
        id for id, due in zip(ids, (10, 7200, 34_560_000), strict=True) if due * SECOND <= jump
    }
    later = [simulation.start("sleep", 5, number) for number in range(10, 15)]
    simulation.settle()
    clock.set(START)  # somebody sets it right
    more = simulation.start("sleep", 5, 20)
    simulation.run()
    assert set(ends(simulation)) == {*ids, *later, more}
    for id in [*later, more]:
        result = simulation.result(id)
        assert result is not None
        assert result["status"] == "Succeeded"
    with rebuilt(simulation.store) as again:
        assert differences(simulation.store, again) == []
    # It goes on in a new process as well, though the log has seen later times than now.
    clock.set(START)
    recovered = Simulation(never, store=simulation.store, clock=clock)
    last = recovered.start("sleep", 5, 30)
    recovered.run()
    assert last in ends(recovered)
    assert recovered.store.clock_high_water() >= simulation.store.clock_high_water()
    simulation.close()


def test_a_timeout_and_a_delayed_start_keep_their_deadlines_over_a_crash() -> None:
    machine = {
        "StartAt": "Work",
        "States": {
            "Work": {
                "Type": "Task",
                "Resource": LAMBDA,
                "TimeoutSeconds": 100,
                "Retry": [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 20, "MaxAttempts": 1}],
                "End": True,
            }
        },
    }
    simulation = Simulation(lambda *_: HANGS, clock=WildClock(START))
    simulation.deploy("work", machine)
    id = simulation.start("work", {}, start_at=START + 50 * SECOND)
    simulation.settle()
    store = simulation.store
    for now in (0, 30, 60, 149, 155, 200, 268):  # crash after crash; none of them puts off what is due
        simulation = Simulation(lambda *_: HANGS, store=store, clock=WildClock(START + now * SECOND))
        simulation.settle()
    simulation.run()
    context = simulation.partition.storage.get(ExecutionContext, id)
    assert context is not None
    assert (context.status, context.error) == ("Failed", "States.Timeout")
    # Begun at 60 s, late; its timeout of 160 s fires at 200 s, the retry of 220 s at 268 s, the last timeout in time.
    assert context.stopped_at == START + 368 * SECOND
    store.close()


def test_timers_in_memory_are_bounded_whatever_comes_and_goes() -> None:
    rows: dict[tuple[int, str], TimerContext] = {}
    queue = TimerQueue(lambda limit: [rows[key] for key in sorted(rows)[:limit]], window=10)
    queue.load()
    for number in range(5000):  # heartbeats: each is canceled by the next
        due, target = 1000 + number, f"t{number}"
        rows[due, target] = TimerContext(target, 5, due, "e")
        queue.add(due, 5, target, "e")
        if number % 100:
            rows.pop((due, target))
            queue.discard(due, 5, target)
    assert len(queue) <= 50
    given: list[int] = []
    now = 0
    while (due := queue.next_due()) is not None:
        now = max(now, due)
        if queue.needs_load(now):
            queue.load()
        for due, _, target, _ in queue.pop_due(now, 3):
            given.append(due)
            del rows[due, target]
    assert given == [1000 + number for number in range(0, 5000, 100)]
