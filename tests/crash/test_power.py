"""Power cuts, for all files: log, storage, FOLLOWS, FENCE, partitions, backups and restores (promises 1, 6 and 8).

A process is recorded (``lossy_disk``); at drawn moments a drawn state of its disk is opened, and held against what the
process had been notified of by then. Some of those openings are recorded as well, and cut again.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.leader import HANDLERS, MACHINE, new_input
from crash.lossy_disk import Cut, build, record
from crash.model import Model
from crash.power_worker import KINDS, leader_after_a_cut
from stepwell import Executor, FencedError, StorageError

CUTS = int(os.environ.get("STEPWELL_POWER_CUTS", "80"))
RUN = 10
"""So many cuts of one recorded run."""
AGAIN = 0.3
"""The share of cuts after which the opening is recorded, and cut too."""
Notes = list[list[str]]


@pytest.fixture(scope="session")
def lossy_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that records."""
    return build(tmp_path_factory.mktemp("preload"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(max(1, CUTS // len(KINDS) // RUN)))
def test_a_power_cut_loses_nothing_that_was_confirmed(tmp_path: Path, lossy_disk: Path, kind: str, seed: int) -> None:
    chance = random.Random(f"{kind} {seed}")
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = record(lossy_disk, folder, worker(kind, folder, seed))
    for number, cut in enumerate(disk.cuts(chance, RUN)):
        how, notes = cut.write(folder), heard(cut)
        if chance.random() < AGAIN:
            second = next(record(lossy_disk, folder, worker(kind, folder, seed + 500, "again")).cuts(chance, 1))
            how += f"; then after {second.number} of {len(second.disk)}, {second.write(folder)}"
            notes += heard(second)
        try:
            CHECKS[kind](folder, notes)
        except BaseException as error:
            error.add_note(f"{kind} {seed}: cut {number}, after record {cut.number} of {len(disk)}, {how}")
            raise


@pytest.mark.parametrize("what", ["files", "folders"])
def test_a_disk_whose_syncs_do_nothing_is_noticed(tmp_path: Path, lossy_disk: Path, what: str) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = record(lossy_disk, folder, worker("executor", folder, 0))
    disk.lies_about = what
    lost = 0
    for cut in disk.cuts(random.Random(what), RUN):
        cut.write(folder)
        try:
            after_executors(folder, heard(cut))
        except (AssertionError, StorageError):
            lost += 1
    assert lost, f"no cut showed that the syncs of {what} did nothing"


def worker(kind: str, folder: Path, seed: int, *again: str) -> list[str]:
    return [sys.executable, "-m", "crash.power_worker", kind, str(folder), str(seed), *again]


def heard(cut: Cut) -> Notes:
    return [json.loads(note) for note in cut.notes]


def model_of(notes: Notes) -> Model:
    model = Model()
    model.add_lines(notes)
    return model


def after_executors(left: Path, notes: Notes, partitions: int = 1) -> None:
    with Executor(left / "a", handlers=HANDLERS, partitions=partitions) as executor:
        goes_on(executor, model_of(notes))


def after_partitions(left: Path, notes: Notes) -> None:
    after_executors(left, notes, partitions=2)


def goes_on(executor: Executor, model: Model) -> None:
    executor.deploy("w", MACHINE)
    executor.start("w", new_input(-1), "n-1")
    model.check(executor)


def after_a_promotion(left: Path, notes: Notes) -> None:
    if ["PROMOTED"] in notes:
        with pytest.raises(FencedError):
            Executor(left / "a")
    leader, name = leader_after_a_cut(left)
    with leader:
        if name == "a" and (left / "b").exists():
            check_no_leader(left / "b")
        goes_on(leader, model_of(notes))


def check_no_leader(folder: Path) -> None:
    """Whoever follows a leader that works is no leader; before it says whom it follows, it has nothing."""
    try:
        executor = Executor(folder)
    except StorageError as error:
        if "open it with Follower" not in str(error):
            raise
        return
    with executor:
        assert executor.list() == []


def after_backups(left: Path, notes: Notes) -> None:
    after_executors(left, notes)
    made = {note[1]: number for number, note in enumerate(notes) if note[0] == "BACKING UP"}
    whole = {note[-1] for note in notes if note[0] in ("BACKED UP", "RESTORED")}
    assert all((left / name).exists() for name in whole)
    places = {**{name: name for name in made}, "restored": "backup1"}
    for name, of in places.items():
        if (left / name).exists():
            with Executor(left / name, handlers=HANDLERS) as executor:
                goes_on(executor, model_of(notes[: made[of]]))


CHECKS: dict[str, Callable[[Path, Notes], None]] = {
    "executor": after_executors,
    "follower": after_a_promotion,
    "backup": after_backups,
    "partitions": after_partitions,
}
