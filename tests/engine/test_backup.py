"""Backups are made while the work goes on, and open with everything that was confirmed before them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.support import machine, map_over, passing, task
from stepwell import AsyncExecutor, Executor, Follower, _core
from stepwell.engine.host.backup import ATTEMPTS, copy
from stepwell.engine.limits import Limits
from stepwell.errors import CorruptionError, ExecutionNotFound, StorageError

ECHO = {"echo": lambda value: value}
EACH = machine({"M": map_over(machine({"T": task(resource="echo")}))})
NAP = machine({"W": {"Type": "Wait", "Seconds": 2, "Next": "P"}, "P": passing()})
QUEUE = "arn:aws:states:us-east-1:000000000000:activity:work"
SMALL_LOG = Limits(log_bytes=1 << 18)
"""Storage is flushed, and the log cut, many times in a test."""


class Load:
    """Starts executions and waits for them, until it is told to stop."""

    def __init__(self, executor: Executor) -> None:
        self.confirmed: list[str] = []
        self._executor, self._stopping = executor, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            execution = self._executor.start("each", [{"text": "x" * 100}] * 5)
            self.confirmed.append(execution.id)
            execution.wait(60)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.confirmed) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[Executor]:
    with Executor(tmp_path / "data", handlers=ECHO, limits=SMALL_LOG) as ex:
        ex.deploy("each", EACH)
        ex.deploy("nap", NAP)
        yield ex


def check(data: Path, confirmed: list[str], later: list[str], **options: Any) -> None:
    """Everything that was confirmed before the backup is there and ends; what came after is not; new work is done."""
    with Executor(data, handlers=ECHO, **options) as ex:
        for id in confirmed:
            execution = ex.get(id).wait(60)
            assert execution.status == "Succeeded"
            events = execution.history()
            assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        known = {execution.id for execution in ex.list("each", limit=100_000)}
        assert not known & set(later)
        new = ex.start("each", [1, 2]).wait(60)
        assert new.output == [1, 2]
        assert new.id not in known | set(later)


@pytest.mark.parametrize("by", ["the executor", "copying its files"])
def test_a_backup_under_load_has_all_that_was_confirmed(executor: Executor, tmp_path: Path, by: str) -> None:
    load = Load(executor)
    backups: list[tuple[Path, int, int]] = []
    for number in range(3):
        load.wait_for(100 * (number + 1))
        before = len(load.confirmed)
        path = tmp_path / f"backup {number}"
        if by == "the executor":
            (position,) = executor.backup(path)
            assert position > 0
        else:
            copy(tmp_path / "data", path)
        backups.append((path, before, len(load.confirmed) + 1))
    load.wait_for(500)
    load.stop()
    for path, before, after in backups:
        data = tmp_path / f"restored of {path.name}"
        Executor.restore(path, data)
        check(data, load.confirmed[:before], load.confirmed[after:])


def test_timers_and_open_tasks_go_on_after_a_restore(executor: Executor, tmp_path: Path) -> None:
    executor.deploy("wait", machine({"T": task(resource=QUEUE)}))
    nap, wait = executor.start("nap"), executor.start("wait", {"n": 1})
    executor.backup(tmp_path / "backup")
    handed_out = executor.get_activity_task(QUEUE, timeout=5)
    assert handed_out is not None
    executor.send_task_success(handed_out.token, {})
    assert wait.wait(60).status == "Succeeded"
    Executor.restore(tmp_path / "backup", tmp_path / "restored")
    with Executor(tmp_path / "restored") as ex:
        assert ex.get(nap.id).wait(60).status == "Succeeded"
        again = ex.get_activity_task(QUEUE, timeout=5)
        assert again is not None
        assert again.id == handed_out.id
        ex.send_task_success(again.token, {"again": True})
        assert ex.get(wait.id).wait(60).output == {"again": True}


def test_a_backup_opens_as_it_is_and_changes_nothing_in_what_it_is_of(executor: Executor, tmp_path: Path) -> None:
    first = executor.start("each", [1]).wait(60)
    executor.backup(tmp_path / "backup")
    second = executor.start("each", [2]).wait(60)
    with Executor(tmp_path / "backup", handlers=ECHO) as copied:
        assert copied.get(first.id).output == [1]
        third = copied.start("each", [3]).wait(60)
        with pytest.raises(ExecutionNotFound):
            copied.get(second.id)
    with pytest.raises(ExecutionNotFound):
        executor.get(third.id)
    assert executor.get(second.id).output == [2]


def test_several_partitions_are_backed_up_together(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2, handlers=ECHO) as ex:
        ex.deploy("each", EACH)
        ids = [ex.start("each", [n]).wait(60).id for n in range(20)]
        assert len(ex.backup(tmp_path / "backup")) == 2
        copy(tmp_path / "data", tmp_path / "copied")
        later = [ex.start("each", [n]).wait(60).id for n in range(5)]
    for backup in ("backup", "copied"):
        Executor.restore(tmp_path / backup, tmp_path / f"restored {backup}")
        check(tmp_path / f"restored {backup}", ids, later, partitions=2)


KILLED = """
import os, sys, time
from stepwell import Executor
ex = Executor(sys.argv[1], handlers={"echo": lambda value: value})
ex.deploy("each", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
for n in range(200):
    print(ex.start("each", n).id, flush=True)
print("done", flush=True)
time.sleep(60)
"""


def test_the_folder_of_a_killed_process_is_copied_with_its_log(tmp_path: Path) -> None:
    """Nothing was flushed: all of it stands on the log alone."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    ids = [line.strip() for line in iter(process.stdout.readline, "done\n")]
    copy(tmp_path / "data", tmp_path / "while it ran")
    process.kill()
    process.wait()
    process.stdout.close()
    copy(tmp_path / "data", tmp_path / "after its end")
    for name in ("while it ran", "after its end"):
        check(tmp_path / name, ids, [])


# what is refused


def test_a_place_that_is_taken_is_refused(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in ("full", "file"):
        with pytest.raises(StorageError, match="not empty"):
            executor.backup(tmp_path / place)
    (tmp_path / "empty").mkdir()
    executor.backup(tmp_path / "empty")
    with pytest.raises(StorageError, match="not empty"):
        Executor.restore(tmp_path / "empty", tmp_path / "data")
    assert (tmp_path / "full" / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "empty", "file", "full"]


def test_an_executor_in_memory_has_no_backup(tmp_path: Path) -> None:
    with Executor() as ex, pytest.raises(StorageError, match="memory"):
        ex.backup(tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["nothing there", "an empty folder", "another folder"])
def test_what_is_no_backup_is_not_restored(tmp_path: Path, what: str) -> None:
    source = tmp_path / "source"
    if what != "nothing there":
        source.mkdir()
    if what == "another folder":
        (source / "notes.txt").write_text("")
    with pytest.raises(StorageError, match="holds no executor's data"):
        Executor.restore(source, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_damaged_backup_is_refused_with_the_place(executor: Executor, tmp_path: Path) -> None:
    for n in range(50):
        executor.start("each", [n]).wait(60)
    backup = tmp_path / "backup"
    executor.backup(backup)
    table = max((backup / "storage").glob("*.sst"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 0x40
    table.unlink()  # it is a link to the executor's own
    table.write_bytes(content)
    with pytest.raises(CorruptionError):
        Executor.restore(backup, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
    assert not list(tmp_path.glob("restored.partial*"))


def test_a_backup_that_was_cut_short_is_made_anew(executor: Executor, tmp_path: Path) -> None:
    left = tmp_path / f"backup.partial-{'0' * 32}"
    (left / "copy").mkdir(parents=True)
    (left / "copy" / "half").write_text("a table")
    executor.backup(tmp_path / "backup")
    assert not left.exists()
    assert not (tmp_path / "backup" / "half").exists()


NAMES = ["backup.partial", f"backup.partial-{'0' * 32}"]
"""What a backup of the name ``backup`` might take for what an earlier attempt left."""


@pytest.mark.parametrize("name", NAMES)
def test_a_backup_touches_no_folder_beside_it(tmp_path: Path, name: str) -> None:
    with Executor(tmp_path / name, handlers=ECHO) as ex:
        ex.deploy("each", EACH)
        ids = [ex.start("each", [n]).wait(60).id for n in range(5)]
        ex.backup(tmp_path / "backup")
        ids.append(ex.start("each", [5]).wait(60).id)
    check(tmp_path / "backup", ids[:5], [])
    shutil.rmtree(tmp_path / "backup")
    copy(tmp_path / name, tmp_path / "backup")  # nobody holds it now
    check(tmp_path / name, ids, [])
    check(tmp_path / "backup", ids, [])


def test_other_files_of_a_folder_that_looks_left_stay(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / NAMES[1] / "copy").mkdir(parents=True)
    (tmp_path / NAMES[1] / "letter").write_text("mine")
    executor.backup(tmp_path / "backup")
    assert (tmp_path / NAMES[1] / "letter").read_text() == "mine"


@pytest.mark.parametrize("by", ["the executor", "files"])
def test_of_backups_to_one_place_at_a_time_one_is_made(executor: Executor, tmp_path: Path, by: str) -> None:
    ids = [executor.start("each", [n]).wait(60).id for n in range(20)]
    errors: list[StorageError] = []

    def back_up(_: int) -> int:
        try:
            if by == "the executor":
                executor.backup(tmp_path / "new" / "backup")
            else:
                copy(tmp_path / "data", tmp_path / "new" / "backup")
        except StorageError as error:
            errors.append(error)
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(back_up, range(4))) == 1
    assert not any(isinstance(error, CorruptionError) for error in errors), errors
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["backup"]
    check(tmp_path / "new" / "backup", ids, [])


@pytest.mark.parametrize("place", ["", "a\0b", 7, "n" * 300, "new/" + "n" * 300])
def test_what_is_no_path_is_refused(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for call in (
        lambda: executor.backup(place),
        lambda: Executor.restore(tmp_path / "data", place),
        lambda: Executor.restore(place, tmp_path / "restored"),
    ):
        with pytest.raises(StorageError):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("times", [ATTEMPTS + 5, None])
def test_a_folder_whose_files_change_during_each_copy_is_not_damaged(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int | None
) -> None:
    """Its executor makes a new table, and the log is cut, between the copy of storage and that of the log."""
    ids = [executor.start("each", [1]).wait(60).id]
    attempts = 0
    adopt = _core.adopt_copy

    def adopt_after_a_cut(source: _core.Folder, target: _core.Folder) -> tuple[str, str, int]:
        nonlocal attempts
        attempts += 1
        if times is None or attempts <= times:
            (tmp_path / "data" / "storage" / f"{attempts + 900_000:06}.sst").write_bytes(b"")  # as a flush does
            raise StorageError("position 7 was cut off: the log begins at 9; start from a snapshot")
        return adopt(source, target)

    monkeypatch.setattr(_core, "adopt_copy", adopt_after_a_cut)
    if times is None:
        with pytest.raises(StorageError, match="changed its files each time") as refused:
            copy(tmp_path / "data", tmp_path / "backup")
        assert not isinstance(refused.value, CorruptionError)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    else:
        copy(tmp_path / "data", tmp_path / "backup")
        check(tmp_path / "backup", ids, [])


def test_a_place_that_cannot_be_written_is_named(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="file/backup cannot be made"):
        executor.backup(tmp_path / "file" / "backup")


@pytest.mark.parametrize("place", ["a", "a/backup", "a/log/x", "link/y", "", "/", "a\0b", "."])
def test_a_copy_is_not_made_within_what_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    Executor(tmp_path / "a").close()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StorageError):
        Executor.restore("a", place)
    assert sorted(tmp_path.rglob("*")) == before
    Executor(tmp_path / "a").close()


WITHIN = ["data", "data/log", "data/storage", "other", "parts", "parts/p1", "follower", "closed", "backup", "link"]


def test_a_backup_within_a_folder_with_data_is_refused_and_leaves_nothing(executor: Executor, tmp_path: Path) -> None:
    execution = executor.start("each", [1]).wait(60)
    executor.backup(tmp_path / "backup")
    Executor(tmp_path / "closed").close()
    Executor(tmp_path / "parts", partitions=2).close()
    (tmp_path / "link").symlink_to(tmp_path / "data" / "storage")
    with Executor(tmp_path / "other"), Follower(tmp_path / "data", tmp_path / "follower"):
        for place in [tmp_path / store / below for store in WITHIN for below in ("b", "new/b")]:
            for refused in (
                partial(executor.backup, place),
                partial(copy, tmp_path / "data", place),
                partial(Executor.restore, tmp_path / "backup", place),
            ):
                with pytest.raises(StorageError, match="lies within"):
                    refused()
            assert not place.exists()
        with pytest.raises(StorageError, match="lies within"):
            asyncio.run(back_up_async(tmp_path / "async", tmp_path / "other" / "b"))
    assert not list(tmp_path.rglob("*.partial*"))
    assert not list(tmp_path.rglob("new"))
    assert executor.get(execution.id).status == "Succeeded"


async def back_up_async(data: Path, place: Path) -> None:
    async with AsyncExecutor(data) as executor:
        await executor.backup(place)


@pytest.mark.parametrize("name", ["log", "storage"])
def test_a_folder_beside_one_of_the_name_of_a_stores_part_is_a_place_for_backups(
    executor: Executor, tmp_path: Path, name: str
) -> None:
    (tmp_path / "var" / name).mkdir(parents=True)
    (tmp_path / "var" / name / "messages.log").write_text("the machine's")
    executor.backup(tmp_path / "var" / "backup")
    check(tmp_path / "var" / "backup", [], [])


@pytest.mark.parametrize("name", [b"a\nb", b"\xff"])
def test_partitions_are_backed_up_to_a_path_of_any_bytes(tmp_path: Path, name: bytes) -> None:
    backup = tmp_path / os.fsdecode(name)
    with Executor(tmp_path / "data", partitions=2, handlers=ECHO) as ex:
        ex.deploy("each", EACH)
        ids = [ex.start("each", [n]).wait(60).id for n in range(4)]
        ex.backup(backup)
    Executor.restore(backup, tmp_path / "restored")
    check(tmp_path / "restored", ids, [], partitions=2)
