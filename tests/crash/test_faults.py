"""Faults of the machine: the engine stops with a clear error, and has lost nothing acknowledged (promises 1 and 7)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell import Executor, LockedError, StorageError
from stepwell.testing.torture import journal

HERE = Path(__file__).parent
SECONDS = 60.0


@pytest.fixture(scope="session")
def failing_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that lets a process's disk fail on demand."""
    library = tmp_path_factory.mktemp("preload") / "failing_disk.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "failing_disk.c", "-ldl"],
        check=True,
        capture_output=True,
    )
    return library


class Work:
    """A process that starts executions in a folder, on a disk that fails when it is told to."""

    def __init__(self, folder: Path, *how: str, preload: Path | None = None) -> None:
        self.folder, self._order = folder, folder.parent / "order"
        environment = dict(os.environ)
        if preload is not None:
            environment |= {
                "LD_PRELOAD": str(preload),
                "FAILING_DISK": str(self._order),
                "FAILING_FOLDER": f"{folder}/",
            }
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", folder, journal_of(folder), *how],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def progress(self, steps: int = 2) -> None:
        """Wait until some more executions have ended."""
        assert self.process.stdout is not None
        for _ in range(steps):
            assert self.process.stdout.readline() == "progress\n"

    def fail(self, order: str) -> None:
        """From now on calls fail."""
        partly = self._order.with_suffix(".new")
        partly.write_text(order)
        partly.rename(self._order)

    def mend(self) -> None:
        """From now on they do not."""
        self._order.unlink(missing_ok=True)

    def stop(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def end(self) -> dict[str, Any]:
        """The error that ended it."""
        output, _ = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 3, output[-2000:]
        return json.loads(output.splitlines()[-1])


def journal_of(folder: Path) -> Path:
    """Where the process notes what was acknowledged: not on the disk that fails."""
    return folder.parents[1] / "journal"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "data"


@pytest.fixture
def works() -> Iterator[list[Work]]:
    works: list[Work] = []
    yield works
    for work in works:
        work.stop()


def assert_nothing_is_lost(folder: Path) -> None:
    """Everything acknowledged is there and ends right, and there is room for more."""
    acknowledged = {line["id"]: line["n"] for line in journal.read(journal_of(folder))}
    assert len(acknowledged) >= 20
    with Executor(folder, handlers={"work": lambda given: given}) as executor:
        for id, number in acknowledged.items():
            execution = executor.get(id).wait(SECONDS)
            assert (execution.status, execution.output["n"]) == ("Succeeded", number)
        assert executor.start("work", {"n": 0}).wait(SECONDS).status == "Succeeded"


@pytest.mark.parametrize("order", ["sync EIO", "once sync EIO", "write EIO", "write ENOSPC", "once write ENOSPC"])
def test_a_failing_disk_stops_the_engine_and_loses_nothing(
    folder: Path, works: list[Work], failing_disk: Path, order: str
) -> None:
    works.append(work := Work(folder, preload=failing_disk))
    work.progress()
    work.fail(order)
    reported = work.end()
    assert reported["error"] == "PoisonedError"
    assert ("No space left" if "ENOSPC" in order else "Input/output error") in reported["text"]
    assert_nothing_is_lost(folder)


def test_a_disk_that_fails_while_a_folder_is_opened(folder: Path, works: list[Work], failing_disk: Path) -> None:
    for order in ("open EMFILE", "sync EIO", "write ENOSPC"):
        works.append(work := Work(folder, preload=failing_disk))
        work.fail(order)
        reported = work.end()
        assert reported["error"] in ("StorageError", "PoisonedError"), reported
        assert str(folder) in reported["text"]
        work.mend()
    works.append(work := Work(folder))
    work.progress()
    work.stop()
    assert_nothing_is_lost(folder)


def test_files_that_may_not_grow(folder: Path, works: list[Work]) -> None:
    works.append(work := Work(folder, "small-files"))
    reported = work.end()
    assert reported["error"] == "PoisonedError"
    assert "File too large" in reported["text"]
    assert_nothing_is_lost(folder)


def test_too_few_file_descriptors(folder: Path, works: list[Work]) -> None:
    works.append(work := Work(folder, "few-files"))
    reported = work.end()
    assert reported["error"] == "StorageError"
    assert "Too many open files" in reported["text"]


def test_a_second_process_is_refused_at_once_and_the_first_goes_on(folder: Path, works: list[Work]) -> None:
    works.append(work := Work(folder))
    work.progress()
    for _ in range(3):
        with pytest.raises(LockedError, match="in use"):
            Executor(folder)
        work.progress()
    work.stop()
    assert_nothing_is_lost(folder)


def test_a_folder_that_may_only_be_read(works: list[Work]) -> None:
    with tempfile.TemporaryDirectory() as place:  # pytest's own folders are closed to others than their owner
        Path(place).chmod(0o755)
        folder = Path(place) / "disk" / "data"
        with Executor(folder) as executor:
            executor.deploy("pass", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
        everything = [folder.parent, folder, *folder.rglob("*")]
        before = {path: path.stat().st_mtime_ns for path in everything}
        for path in everything:
            path.chmod(0o555 if path.is_dir() else 0o444)
        works.append(work := Work(folder, "as-nobody"))  # root may write everywhere
        reported = work.end()
        assert reported["error"] == "StorageError"
        assert "Permission denied" in reported["text"]
        assert str(folder) in reported["text"]
        assert {path: path.stat().st_mtime_ns for path in [folder.parent, folder, *folder.rglob("*")]} == before
        for path in everything:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    with pytest.raises(StorageError, match="file"):
        Executor(file)
    with pytest.raises(StorageError):
        Executor(file / "below")


def test_a_small_disk_that_is_full_works_again_once_there_is_room(tmp_path: Path, works: list[Work]) -> None:
    """A real file system of a few MiB, where the machine lets us mount one; the same is tested above without."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], capture_output=True).returncode
    ):
        return
    try:
        folder = disk / "data"
        (disk / "ballast").write_bytes(bytes(6_000_000))
        works.append(work := Work(folder))
        reported = work.end()
        assert reported["error"] == "PoisonedError", reported
        assert "No space left" in reported["text"]
        (disk / "ballast").unlink()
        assert_nothing_is_lost(folder)
    finally:
        subprocess.run(["umount", disk], check=True)
