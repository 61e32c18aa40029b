"""A log that lost its last records, however well it ends: its storage is further on, and nobody takes it for whole."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.leader import in_a_process
from stepwell import Executor, Follower, Limits, _core
from stepwell.errors import CorruptionError, StorageError

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
LONG = 60.0
SMALL = Limits(log_bytes=8192)


def run(executor: Executor, count: int) -> set[str]:
    """Run executions to their ends; their ids."""
    executor.deploy("w", PASS)
    executions = [executor.start("w", number) for number in range(count)]
    return {execution.wait(LONG).id for execution in executions}


def ids_in(executor: Executor) -> set[str]:
    return {execution.id for execution in executor.list(limit=100_000)}


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "log").glob("*.log"))


def length_of(segment: Path) -> int:
    """Without the zeros that its writer writes into."""
    return len(segment.read_bytes().rstrip(b"\0"))


def cut(folder: Path) -> None:
    last = segments(folder)[-1]
    os.truncate(last, length_of(last) * 3 // 5)


def zero(folder: Path) -> None:
    last = segments(folder)[-1]
    length = length_of(last)
    last.write_bytes(last.read_bytes()[: length * 2 // 5] + bytes(length * 3 // 5))


def remove(folder: Path) -> None:
    for segment in segments(folder)[len(segments(folder)) // 2 :]:
        segment.unlink()


def lead_and_die(folder: Path) -> None:
    """Put storage on disk, and end as a process does that is killed."""
    executor = Executor(folder, limits=SMALL)
    run(executor, 60)
    executor.backup(folder.with_name("backup"))  # which flushes storage
    os._exit(0)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(place.relative_to(folder)): place.read_bytes() for place in folder.rglob("*") if place.is_file()}


def nothing_is_taken_over(a: Path, b: Path) -> None:
    """A follower of the cut log says so; the leader is not ended."""
    follower = Follower(a, b)
    for question in (follower.wait_level, follower.lag):
        with pytest.raises(CorruptionError, match="the storage beside it is at position"):
            question()
    with pytest.raises(CorruptionError, match="are missing"):
        follower.take_over()
    assert not (a / "log" / "FENCE").exists()


@pytest.mark.parametrize("end", ["closed", "killed"])
@pytest.mark.parametrize("lose", [cut, zero, remove])
def test_a_log_whose_end_is_gone_is_not_taken_over(tmp_path: Path, lose: Callable[[Path], None], end: str) -> None:
    a, b, whole = tmp_path / "a", tmp_path / "b", tmp_path / "whole"
    with Executor(a, limits=SMALL) as leader:
        run(leader, 10)
        with Follower(a, b) as follower:
            assert follower.wait_level(LONG)
        ids = run(leader, 60)
    if end == "killed":
        in_a_process(lead_and_die, a)
    last = _core.log_verify(a)["last"]
    shutil.copytree(a / "log", whole)
    lose(a)
    with pytest.raises(CorruptionError, match=f"the storage beside it is at position {last}"):
        _core.log_verify(a)
    for data in (b, tmp_path / "new"):
        nothing_is_taken_over(a, data)
    with pytest.raises(CorruptionError):
        Executor(a)
    lost = tmp_path / "lost"
    shutil.copytree(a, lost)
    follower = Follower(lost, tmp_path / "some")
    follower.promote(accept_loss=True).close()
    assert follower.loss is not None
    assert follower.loss.first <= follower.loss.last == last  # pyright: ignore[reportOptionalOperand]
    for segment in segments(a):
        segment.unlink()
    for segment in whole.glob("*.log"):
        shutil.copy(segment, a / "log")
    with Follower(a, b).promote() as promoted:
        assert ids_in(promoted) >= ids


def test_an_end_that_is_lost_while_a_follower_pauses_is_reported(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a) as leader:
        follower = Follower(a, b)
        run(leader, 10)
        assert follower.wait_level(LONG)
        follower.pause()
        run(leader, 50)
    cut(a)
    with pytest.raises(CorruptionError, match="are missing"):
        follower.lag()
    with pytest.raises(CorruptionError, match="are missing"):
        follower.promote()
    assert not (a / "log" / "FENCE").exists()


def test_each_partition_is_held_against_its_own_storage(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a, partitions=2) as leader:
        ids = run(leader, 60)
    cut(a / "p1")
    with Follower(a / "p0", b / "p0") as sound:
        assert sound.wait_level(LONG)
        assert ids > {view.id for view in sound.list()} > set()
    nothing_is_taken_over(a / "p1", b / "p1")


def test_a_promoted_follower_s_log_is_held_against_its_storage_too(tmp_path: Path) -> None:
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    with Executor(a) as leader:
        run(leader, 10)
    with Follower(a, b).promote() as promoted:
        run(promoted, 50)
    cut(b)
    nothing_is_taken_over(b, c)


def test_a_log_of_a_copy_that_went_on_separately_is_not_followed_beside_this_storage(tmp_path: Path) -> None:
    a, copy = tmp_path / "a", tmp_path / "copy"
    with Executor(a) as leader:
        run(leader, 10)
    shutil.copytree(a, copy)
    for folder, count in ((a, 20), (copy, 40)):
        with Executor(folder) as executor:
            run(executor, count)
    shutil.rmtree(a / "log")
    shutil.copytree(copy / "log", a / "log")
    with pytest.raises(CorruptionError, match="went on separately"):
        _core.log_verify(a)
    follower = Follower(a, tmp_path / "b")
    with pytest.raises(CorruptionError, match="went on separately"):
        follower.wait_level()
    with pytest.raises(CorruptionError, match="went on separately"):
        follower.promote()
    assert not (a / "log" / "FENCE").exists()


def test_a_leader_whose_storage_is_gone_or_damaged_is_taken_over_from_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = tmp_path / "a"
    with Executor(a) as leader:
        ids = run(leader, 20)
    gone, damaged = tmp_path / "gone", tmp_path / "damaged"
    for folder in (gone, damaged):
        shutil.copytree(a, folder)
    shutil.rmtree(gone / "storage")
    (damaged / "storage" / (damaged / "storage" / "CURRENT").read_text().strip()).write_bytes(b"no list of files")
    for folder in (gone, damaged):
        with Follower(folder, tmp_path / f"of {folder.name}").promote() as promoted:
            assert ids_in(promoted) == ids
    warnings = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    (warning,) = [each for each in warnings if "nobody can tell" in each]
    assert str(damaged) in warning


def test_looking_at_storage_changes_nothing_there(tmp_path: Path) -> None:
    a = tmp_path / "a"
    with Executor(a) as leader:
        run(leader, 20)
    before = contents(a)
    _core.log_verify(a)
    with Follower(a, tmp_path / "b") as follower:
        assert follower.wait_level(LONG)
    after = contents(a)
    marks = {name for name in after if name.endswith(".follower")}
    assert {name: bytes for name, bytes in after.items() if name not in marks} == before


def test_a_leader_that_goes_on_is_not_taken_for_cut(tmp_path: Path) -> None:
    """Its storage is flushed, and its files replaced, between any two looks."""
    a, b = tmp_path / "a", tmp_path / "b"
    over = threading.Event()
    problems: list[StorageError] = []

    def ask(question: Callable[[], object]) -> None:
        while not over.is_set() and not problems:
            try:
                question()
            except StorageError as error:
                problems.append(error)

    with Executor(a, limits=Limits(log_bytes=2048)) as leader:
        follower = Follower(a, b)
        asking = [
            threading.Thread(target=ask, args=(question,))
            for question in (follower.lag, lambda: follower.wait_level(LONG), lambda: _core.log_verify(a))
        ]
        for thread in asking:
            thread.start()
        ids = run(leader, 400)
        over.set()
        for thread in asking:
            thread.join()
        assert not problems
        with follower.promote() as promoted:
            assert ids_in(promoted) == ids
