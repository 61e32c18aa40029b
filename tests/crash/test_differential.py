"""A run that is crashed and recovered comes to the same end, by the same way, as one that is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crash.machines import Worker, documents, machines
from crash.support import assert_sound
from stepwell.engine.limits import Limits
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import Simulation, time_of
from stepwell.testing.virtual import VirtualClock

LIMITS = st.sampled_from(
    [
        Limits(),
        Limits(turn_records=1),
        Limits(turn_records=5),
        Limits(turn_records=12, live_executions=1),
        Limits(turn_records=7, live_executions=1, batch_requests=1),
    ]
)
"""Timers due at the same moment have no order among them: they are read together here, so that they keep one."""
EXAMPLES = 300


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(machine=machines(), input=documents, seed=st.integers(0, 1000), limits=LIMITS, data=st.data())
@pytest.mark.timeout(900)
def test_a_crash_at_any_batch_changes_nothing(
    machine: dict[str, Any], input: Any, seed: int, limits: Limits, data: st.DataObject
) -> None:
    whole = Simulation(Worker(seed), limits=limits)
    whole.deploy("w", machine)
    id = whole.start("w", input)
    whole.run()
    expected = whole.result(id)
    assert expected is not None
    assert_sound(expected)

    batches = whole.store.read_log(1, 1 << 40)
    until = data.draw(st.integers(1, len(batches)), label="batches before the crash")
    crashed = Simulation(
        Worker(seed),
        store=rebuilt(whole.store, until),
        clock=VirtualClock(time_of(batches[until - 1][3])),
        limits=limits,
    )
    if crashed.result(id) is None:
        crashed.start("w", input)
    crashed.run()
    assert_same(crashed.result(id), expected)
    for simulation in (whole, crashed):
        again = rebuilt(simulation.store)
        assert differences(simulation.store, again) == []
        again.close()
        simulation.close()


def assert_same(found: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    """The same end, and the same history."""
    assert found is not None
    for index, (ours, theirs) in enumerate(zip(found["events"], expected["events"], strict=False), 1):
        assert ours == theirs, f"event {index}: {ours} instead of {theirs}"
    assert found == expected
