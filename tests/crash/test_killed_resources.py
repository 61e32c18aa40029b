"""AWS's resources survive SIGKILL: what was acknowledged is there, what was asked for is there whole or not at all."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from stepwell import Executor, _core
from stepwell.engine.limits import Limits
from stepwell.engine.replay.log_replay import replay
from stepwell.engine.state.executions import Executions
from stepwell.engine.storage.storage import Storage
from stepwell.testing.replay import differences, replay_folder

from .resource_worker import STEPS

WORKER = Path(__file__).with_name("resource_worker.py")
KILLS = 5
CREATED, ALIASED, UPDATED, TAGGED, STARTED, DELETED = range(len(STEPS))


def killed(folder: Path, partitions: int, lines: int) -> dict[int, int]:
    """Kill the worker after so many acknowledged changes, or a few more; how far those of each machine had come."""
    command = [sys.executable, str(WORKER), str(folder), str(partitions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += process.stdout.readlines()
    pairs = [line.split() for line in told if line.endswith("\n")]
    return {int(number): int(step) for number, step in pairs}


@pytest.mark.parametrize("partitions", [1, 2])
def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path, partitions: int) -> None:
    chance = random.Random(partitions)
    acknowledged: dict[int, int] = {}
    for _ in range(KILLS):
        acknowledged |= killed(tmp_path / "data", partitions, chance.randint(5, 40))
    assert len(acknowledged) > KILLS
    with Executor(tmp_path / "data", partitions=partitions) as ex:
        for number, step in acknowledged.items():
            check(ex, number, step)


def check(ex: Executor, number: int, step: int) -> None:
    """Whether a machine has what was acknowledged, and of the next change all or nothing."""
    resources, name = ex.client.resources, f"m{number}"
    latest = ex.client.deployments.latest(name)
    published = [row.number for row in resources.published_versions(name)]
    if latest is None:
        assert (number % 3, step >= STARTED) == (0, True), name
        assert (published, resources.aliases(name), resources.tags(f"stateMachine:{name}")) == ([], [], [])
        return
    assert step < DELETED, name
    is_updated = latest.version == 2
    assert is_updated or step < UPDATED, name
    assert published == ([2, 1] if is_updated else [1]), name
    assert (latest.role, bool(latest.context.revision_id)) == (("role-2", True) if is_updated else ("role", False))
    assert resources.alias(name, "prod") is not None or step < ALIASED
    tags = resources.tags(f"stateMachine:{name}")
    assert tags[0] == ["n", str(number)]
    assert len(tags) == 2 or step < TAGGED
    if step >= STARTED:
        assert ex.get(workflow=name, name="one").context().qualifier == "prod:1"


def test_the_log_gives_the_same_resources(tmp_path: Path) -> None:
    killed(tmp_path / "data", 1, 30)
    copy = replay_folder(tmp_path / "data", tmp_path / "copy")
    with _core.Store.open(tmp_path / "data") as store:
        replay(store, Executions.over(Storage(store), Limits()))
        assert store.get(7, "m0", 1) is not None
        assert differences(store, copy) == []
    copy.close()
