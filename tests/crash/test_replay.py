"""Replay: after any execution, its log alone gives the same storage, byte for byte (RELIABILITY, promise 4)."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crash.machines import Worker, documents, machines
from crash.support import assert_nothing_left_over
from stepwell import Executor, Limits, _core
from stepwell.engine.log import records as r
from stepwell.engine.partition.partition import Partition
from stepwell.testing.replay import differences, rebuilt, replay_folder
from stepwell.testing.simulation import Simulation
from stepwell.testing.virtual import VirtualClock

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.timeout(900)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(
    machines=st.lists(machines(depth=1), min_size=1, max_size=3),
    inputs=st.lists(documents, min_size=1, max_size=3),
    seed=st.integers(0, 1000),
    limits=st.sampled_from([Limits(), Limits(turn_records=9, live_executions=1, timers=1, batch_requests=2)]),
)
def test_many_executions_side_by_side_with_stops_deletions_and_names(
    machines: list[dict[str, Any]], inputs: list[Any], seed: int, limits: Limits
) -> None:
    chance = random.Random(seed)
    simulation = Simulation(Worker(seed), limits=limits)
    ids: list[str] = []
    for index, machine in enumerate(machines):
        simulation.deploy(f"w{index}", machine)
        for input in inputs:
            later = simulation.clock.now() + 5_000_000 if chance.random() < 0.3 else 0
            number = len(ids) + 1
            ids.append(simulation.start(f"w{index}", input, number, start_at=later, idempotent=chance.random() < 0.5))
    for id in ids:
        simulation.step()
        if chance.random() < 0.4:
            simulation.partition.submit(r.CancelExecutionCommand(id, "Stopped", "by a user"))
        if chance.random() < 0.2:
            simulation.partition.submit(r.DeleteExecutionCommand(id))
    simulation.run()
    for id in ids:
        if chance.random() < 0.3:
            simulation.partition.submit(r.DeleteExecutionCommand(id))
    simulation.settle()
    with rebuilt(simulation.store) as again:
        assert differences(simulation.store, again) == []
    assert_nothing_left_over(simulation.store)
    simulation.close()


@pytest.mark.parametrize("restarts", [1, 3])
def test_a_folder_is_rebuilt_from_its_log_alone(tmp_path: Path, restarts: int) -> None:
    work(tmp_path / "data", restarts)
    with replay_folder(tmp_path / "data", tmp_path / "copy") as again, _core.Store.open(tmp_path / "data") as store:
        assert store.applied() == store.tail() > 0
        assert differences(store, again) == []


def test_storage_that_lags_behind_catches_up_by_replay(tmp_path: Path) -> None:
    data = tmp_path / "data"
    work(data, 1)
    shutil.copytree(data / "storage", tmp_path / "storage")
    work(data, 1)
    shutil.rmtree(data / "storage")
    shutil.copytree(tmp_path / "storage", data / "storage")
    with replay_folder(data, tmp_path / "copy") as again, _core.Store.open(data) as store:
        assert store.applied() < store.tail()
        Partition(store, VirtualClock(), NoHandlers()).recover()
        assert store.applied() == store.tail()
        assert differences(store, again) == []


class NoHandlers:
    """Takes no tasks."""

    def dispatch(self, tasks: list[Any]) -> None: ...

    def queued(self, queue: str) -> None: ...


WORK = {"Type": "Task", "Resource": "work", "TimeoutSeconds": 60, "End": True}
EACH = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "MaxConcurrency": 2,
    "ItemProcessor": {"StartAt": "One", "States": {"One": WORK}},
    "End": True,
}
BRANCHES = [{"StartAt": "Work", "States": {"Work": WORK}}, {"StartAt": "Each", "States": {"Each": EACH}}]
MACHINE = {"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "Branches": BRANCHES, "End": True}}}


def work(data: Path, restarts: int) -> None:
    """Opens the folder some times; each time one batch of executions ends and some are left asleep."""
    for number in range(restarts):
        with Executor(
            data, handlers={"work": lambda input: {"items": [input] if isinstance(input, int) else []}}
        ) as ex:
            ex.deploy("machine", MACHINE)
            ex.deploy("sleep", {"StartAt": "S", "States": {"S": {"Type": "Wait", "Seconds": 9999, "End": True}}})
            started = [ex.start("machine", {"items": [1, 2, 3]}) for _ in range(5)]
            ex.start("sleep", {}, f"sleeper-{number}")
            ex.stop(ex.start("sleep").id, "Stopped")
            ex.start("machine", {"items": []}, delay=9999)
            for execution in started:
                assert execution.wait(60).status == "Succeeded"
            ex.delete(started[0].id)
