"""A folder is the one that was opened: nothing is written into, confirmed by or taken over from another one."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.folder_support import LONG, PASS, Load, close, contents, fill, ids
from stepwell import Executor, Follower
from stepwell.engine.host.backup import copy
from stepwell.errors import FencedError, PoisonedError, StorageError

# the path is resolved once


def test_a_program_that_changes_its_directory_goes_on_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "other" / "data", 3, "theirs")
    before = contents(tmp_path / "other")
    (tmp_path / "own").mkdir()
    monkeypatch.chdir(tmp_path / "own")
    executor = Executor("data")
    executor.deploy("w", PASS)
    follower = Follower("data", "copy")
    monkeypatch.chdir(tmp_path / "other")
    load = Load(executor)
    load.wait_for(50)
    executor.client.host.partition.store.flush()  # type: ignore[attr-defined]  # pyright: ignore
    executor.backup("backup")
    shutil.rmtree("backup")
    with follower.promote() as promoted:
        assert isinstance(load.join(), FencedError)
        found = {execution.id for execution in promoted.list(limit=1_000_000)}
    assert set(load.confirmed) <= found
    close(executor)
    assert contents(tmp_path / "other") == before
    assert ids(tmp_path / "own" / "copy") == found


def test_partitions_are_started_again_in_their_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Executor("data", partitions=2) as executor:
        executor.deploy("w", PASS)
        started = {executor.start("w", n).wait(LONG).id for n in range(10)}
        monkeypatch.chdir(tmp_path / "elsewhere")
        for partition in executor.client.host.partitions:  # type: ignore[attr-defined]  # pyright: ignore
            os.kill(partition.pid, 9)
        started |= {executor.start("w", n).wait(LONG).id for n in range(10)}
        assert {execution.id for execution in executor.list()} == started
        executor.backup("backup")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["backup"]
    assert ids_of_partitions(tmp_path / "data") == ids_of_partitions(tmp_path / "elsewhere" / "backup") == started


def ids_of_partitions(data: Path) -> set[str]:
    with Executor(data, partitions=2) as executor:
        return {execution.id for execution in executor.list()}


def turn_link(place: Path, other: Path) -> None:
    (place / "link").unlink()
    (place / "link").symlink_to(other)


def move(place: Path, other: Path) -> None:
    (place / "link").resolve().rename(place / "moved")


def move_and_replace(place: Path, other: Path) -> None:
    data = (place / "link").resolve()
    data.rename(place / "moved")
    shutil.copytree(other, data)


def move_above(place: Path, other: Path) -> None:
    (place / "above").rename(place / "below")


def remove(place: Path, other: Path) -> None:
    shutil.rmtree((place / "link").resolve())


def remove_and_replace(place: Path, other: Path) -> None:
    data = (place / "link").resolve()
    shutil.rmtree(data)
    shutil.copytree(other, data)


def replace_log(place: Path, other: Path) -> None:
    data = (place / "link").resolve()
    (data / "log").rename(place / "log")
    shutil.copytree(other / "log", data / "log")


def remove_segments(place: Path, other: Path) -> None:
    for segment in (place / "link" / "log").glob("*.log"):
        segment.unlink()


def restore_backup(place: Path, other: Path) -> None:
    """Put a restored backup in the place of the folder."""
    data = (place / "link").resolve()
    copy(data, place / "backup")
    data.rename(place / "moved")
    Executor.restore(place / "backup", data)


DISPLACEMENTS: list[Callable[[Path, Path], None]] = [
    turn_link,
    move,
    move_and_replace,
    move_above,
    remove,
    remove_and_replace,
    replace_log,
    remove_segments,
    restore_backup,
]


@pytest.mark.parametrize("displace", DISPLACEMENTS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("follows", [False, True], ids=["alone", "followed"])
def test_a_leader_whose_folder_is_not_where_it_was_confirms_nothing_and_writes_nowhere_else(
    tmp_path: Path, displace: Callable[[Path, Path], None], follows: bool
) -> None:
    other, place = tmp_path / "other", tmp_path / "place"
    fill(other, 3)
    before = contents(other)
    (place / "above").mkdir(parents=True)
    (place / "link").symlink_to(place / "above" / "data")
    (place / "above" / "data").mkdir()
    executor = Executor(place / "link")
    executor.deploy("w", PASS)
    follower = Follower(place / "link", tmp_path / "copy") if follows else None
    load = Load(executor)
    load.wait_for(20)
    displace(place, other)
    error = load.join()
    assert isinstance(error, PoisonedError)
    assert "is not what was opened there" in str(error)
    assert str(place / "link") in str(error)
    close(executor)
    assert contents(other) == before
    if follower is not None:
        follower_fails(follower)


def follower_fails(follower: Follower) -> None:
    """A follower does not follow whatever is there now."""
    deadline = time.monotonic() + LONG
    with pytest.raises(StorageError, match="is not what was opened there"):  # noqa: PT012 - as soon as it has looked
        while time.monotonic() < deadline:
            follower.check()
            time.sleep(0.01)
    with pytest.raises(StorageError):
        follower.promote()
    follower.close()


def test_what_was_confirmed_before_a_folder_was_moved_is_there(tmp_path: Path) -> None:
    executor = Executor(tmp_path / "data")
    executor.deploy("w", PASS)
    load = Load(executor)
    load.wait_for(50)
    (tmp_path / "data").rename(tmp_path / "moved")
    load.join()
    close(executor)
    assert not (tmp_path / "data").exists()
    assert set(load.confirmed) <= ids(tmp_path / "moved")
