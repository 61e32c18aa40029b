"""Metrics for Prometheus of an embedded executor, and of a follower."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from stepwell import AsyncExecutor, Executor, Follower
from stepwell.engine.partition.events import Event
from stepwell.errors import InvalidInput
from stepwell.prometheus import MOST_LABELS, OTHER, Labels, export, export_follower, status_of

SECONDS = 60
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


def until(registry: CollectorRegistry, sample: str, value: float, **labels: str) -> None:
    deadline = time.monotonic() + SECONDS
    while registry.get_sample_value(sample, labels) != value:
        assert time.monotonic() < deadline, generate_latest(registry).decode()
        time.sleep(0.02)


@pytest.mark.parametrize("partitions", [1, 2])
def test_an_executor_has_metrics_until_they_are_removed(tmp_path: Path, partitions: int) -> None:
    registry = CollectorRegistry()
    with Executor(tmp_path / "data", partitions=partitions) as executor:
        executor.deploy("machine", MACHINE)
        stop = export(executor, registry)
        for _ in range(3):
            executor.start("machine").wait(SECONDS)
        until(registry, "stepwell_executions_ended_total", 3, workflow="machine", status="succeeded")
        assert registry.get_sample_value("stepwell_transitions_total") == 3
        for partition in map(str, range(partitions)):
            assert registry.get_sample_value("stepwell_log_bytes", {"partition": partition})
            assert registry.get_sample_value("stepwell_inbox", {"partition": partition}) is not None
        stop()
        assert generate_latest(registry) == b""
        export(executor, registry)  # it can be begun again


def test_an_engine_that_is_closed_is_down() -> None:
    registry = CollectorRegistry()
    with Executor() as executor:
        export(executor, registry)
        assert registry.get_sample_value("stepwell_up") == 1
        assert registry.get_sample_value("stepwell_log_bytes", {"partition": "0"}) is None  # it has no files
    assert registry.get_sample_value("stepwell_up") == 0
    assert registry.get_sample_value("stepwell_executions_open") is None


def test_an_async_executor_has_metrics() -> None:
    async def main() -> None:
        registry = CollectorRegistry()
        async with AsyncExecutor() as executor:
            await executor.deploy("machine", MACHINE)
            export(executor, registry)
            await (await executor.start("machine")).wait(SECONDS)
            await asyncio.to_thread(
                until, registry, "stepwell_executions_ended_total", 1, workflow="machine", status="succeeded"
            )

    asyncio.run(main())


def test_a_connected_executor_has_none_and_leaves_nothing_behind(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with Executor(tmp_path / "data"), Executor(tmp_path / "data", connect=True) as connected:
        with pytest.raises(InvalidInput):
            export(connected, registry)
        assert generate_latest(registry) == b""


def test_a_follower_tells_its_lag(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with Executor(tmp_path / "data") as leader:
        leader.deploy("machine", MACHINE)
        with Follower(tmp_path / "data", tmp_path / "copy") as follower:
            stop = export_follower(follower, registry)
            until(registry, "stepwell_follower_behind_records", 0)
            assert registry.get_sample_value("stepwell_follower_leader_alive") == 1
            assert registry.get_sample_value("stepwell_follower_up") == 1
        assert registry.get_sample_value("stepwell_follower_up") == 0
        stop()
        assert generate_latest(registry) == b""


def test_the_number_of_labels_is_bounded() -> None:
    labels = Labels()
    names = [labels.of(f"workflow-{number}") for number in range(MOST_LABELS * 2)]
    assert names[:MOST_LABELS] == [f"workflow-{number}" for number in range(MOST_LABELS)]
    assert set(names[MOST_LABELS:]) == {OTHER}
    assert labels.of("workflow-0") == "workflow-0"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "Succeeded"}, "succeeded"),
        ({"status": "Failed"}, "failed"),
        ({"status": "Failed", "timed_out": True}, "timed_out"),
        ({"status": "Canceled"}, "aborted"),
    ],
)
def test_statuses_are_aws_s(fields: dict[str, Any], status: str) -> None:
    assert status_of(Event("execution_ended", "id", "machine", 1, 0, **fields)) == status
