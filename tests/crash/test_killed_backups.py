"""A process killed within a backup or a restore: its source stays whole; where the copy goes is a whole one or none."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crash.leader import begin_process
from stepwell import Executor, Limits, _core
from stepwell.errors import LockedError

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
LONG = 60.0
SMALL = Limits(log_bytes=16384)
DRAWS = 5
MAX_DRAWS = 40
"""How often to try until one is cut short: each time that it was not, it is killed earlier the next time."""


def fill(folder: Path, **options: Any) -> set[str]:
    """Run executions in a folder; their ids."""
    with Executor(folder, limits=SMALL, **options) as executor:
        executor.deploy("w", PASS)
        executions = [executor.start("w", "x" * 500) for _ in range(150)]
        return {execution.wait(LONG).id for execution in executions}


def ids_in(folder: Path, **options: Any) -> set[str]:
    with opened(folder, options) as executor:
        return {execution.id for execution in executor.list(limit=100_000)}


def opened(folder: Path, options: dict[str, Any]) -> Executor:
    """Open a folder. Partitions of a process that was killed have it until they notice."""
    deadline = time.monotonic() + LONG
    while True:
        try:
            return Executor(folder, limits=SMALL, **options)
        except LockedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def back_up(data: Path, place: Path, options: dict[str, Any], began: Path) -> None:
    """Copy a folder that this process has open."""
    with Executor(data, limits=SMALL, **options) as executor:
        began.touch()
        executor.backup(place)


def copy_files(data: Path, place: Path, _: dict[str, Any], began: Path) -> None:
    """Copy a folder that nobody has open."""
    from stepwell.engine.host.backup import copy

    began.touch()
    copy(data, place)


def restore(backup: Path, data: Path, _: dict[str, Any], began: Path) -> None:
    """Make a data folder of a backup."""
    began.touch()
    Executor.restore(backup, data)


def seconds_of(body: Callable[..., None], source: Path, place: Path, options: dict[str, Any]) -> float:
    """How long it takes when nobody kills it, from when it begins."""
    began = place.with_name("began")
    process = begin_process(body, source, place, options, began)
    while not began.exists():
        time.sleep(0.001)
    start = time.monotonic()
    process.join()
    took = time.monotonic() - start
    shutil.rmtree(place)
    began.unlink()
    return took


@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("body", [back_up, copy_files, restore])
def test_a_copy_that_was_cut_short_leaves_all_or_nothing(
    tmp_path: Path, body: Callable[..., None], partitions: int
) -> None:
    chance = random.Random(f"{body.__name__} {partitions}")
    options: dict[str, Any] = {} if partitions == 1 else {"partitions": partitions}
    source, place, began = tmp_path / "source", tmp_path / "place", tmp_path / "began"
    ids = fill(source, **options)
    takes = latest = seconds_of(body, source, place, options)
    draws = cut_short = 0
    while draws < DRAWS or (not cut_short and draws < MAX_DRAWS):
        draws += 1
        process = begin_process(body, source, place, options, began)
        while not began.exists():
            assert process.is_alive() or began.exists()
            time.sleep(0.001)
        process.join(latest * chance.random())
        process.kill()
        process.join()
        began.unlink()
        if place.exists():
            assert ids_in(place, **options) == ids
            shutil.rmtree(place)
            latest /= 2
        else:
            cut_short += 1
            latest = takes
        for partition in [source] if partitions == 1 else [source / "p0", source / "p1"]:
            _core.log_verify(partition)
        assert ids_in(source, **options) == ids
    assert cut_short, "nothing was killed in time"
    body(source, place, options, began)
    assert ids_in(place, **options) == ids
    assert sorted(each.name for each in tmp_path.iterdir()) == ["began", "place", "source"], "nothing is left over"
