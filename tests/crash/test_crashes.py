"""Crash after crash, in the midst of many executions: all of them end once, and nothing is left over."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crash.machines import Worker, documents, machines
from crash.support import assert_nothing_left_over, assert_sound
from stepwell import Limits
from stepwell.engine.log import records as r
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import Simulation

LIMITS = st.sampled_from(
    [
        Limits(),
        Limits(turn_records=1, timers=2),
        Limits(turn_records=12, live_executions=1, tasks=2),
        Limits(live_executions=1, batch_requests=1, timers=1),
        Limits(turn_records=7, timers=2, tasks=1),
    ]
)
CRASHES = 6
DOWN_SECONDS = 200


@pytest.mark.timeout(900)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(
    machines=st.lists(machines(depth=1), min_size=1, max_size=3),
    inputs=st.lists(documents, min_size=1, max_size=3),
    seed=st.integers(0, 100_000),
    limits=LIMITS,
)
def test_whatever_crashes_come_every_execution_ends_once(
    machines: list[dict[str, Any]], inputs: list[Any], seed: int, limits: Limits
) -> None:
    chance = random.Random(seed)
    wanted = [(f"w{index}", input) for index in range(len(machines)) for input in inputs]
    simulation = Simulation(Worker(seed), limits=limits)
    ids: list[str] = []
    for _ in range(CRASHES):
        ids = set_going(simulation, machines, wanted)
        live(simulation, ids, chance)
        simulation = crash(simulation, seed, limits, chance)
    ids = set_going(simulation, machines, wanted)
    simulation.run()
    for id in ids:
        result = simulation.result(id)
        assert result is not None
        assert_sound(result)
    with rebuilt(simulation.store) as again:
        assert differences(simulation.store, again) == []
    assert_nothing_left_over(simulation.store)
    simulation.close()


def set_going(simulation: Simulation, machines: list[dict[str, Any]], wanted: list[tuple[str, Any]]) -> list[str]:
    """Deploy and start what is not there yet, as a program does that learnt of no success."""
    for index, machine in enumerate(machines):
        simulation.deploy(f"w{index}", machine)
    return [
        simulation.start(workflow, input, number, idempotent=number % 2 == 0)
        for number, (workflow, input) in enumerate(wanted, 1)
    ]


def live(simulation: Simulation, ids: list[str], chance: random.Random) -> None:
    """Some of everything, in any order."""
    for _ in range(chance.randrange(40)):
        match chance.randrange(8):
            case 0 | 1 | 2 | 3:
                simulation.step()
            case 4 | 5:
                simulation.answer_a_task()
            case 6:
                due = simulation.partition.state.timers.next_due()
                if due is not None:
                    simulation.clock.advance_to(due + chance.choice((0, 0, 1_000_000)))
            case _:
                if chance.random() < 0.1:
                    simulation.partition.submit(r.CancelExecutionCommand(chance.choice(ids), "Stopped", None))


def crash(simulation: Simulation, seed: int, limits: Limits, chance: random.Random) -> Simulation:
    """What is in memory is lost, and sometimes the last batch, which nobody was notified of."""
    simulation.store.wait_applied(simulation.store.tail(), None)
    batches = simulation.store.read_log(1, 1 << 40)
    kept = len(batches) - (chance.random() < 0.3)
    store = rebuilt(simulation.store, kept)
    simulation.close()
    simulation.clock.advance_to(simulation.clock.now() + chance.randrange(2) * DOWN_SECONDS * 1_000_000)
    return Simulation(Worker(seed), store=store, clock=simulation.clock, limits=limits)
