"""A folder has one owner: a second opening changes nothing, and a child process does not keep it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from crash.folder_support import LONG, PASS, Load
from stepwell import Executor, _core
from stepwell.errors import Closed, LockedError
from stepwell.testing.replay import rows


def descriptors_in(folder: Path) -> list[str]:
    """What this process has open in a folder."""
    found: list[str] = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one of the list itself
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [path for path in found if path.startswith(str(folder))]


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_closed_executor_holds_no_descriptor_of_its_folder(tmp_path: Path, partitions: int) -> None:
    executor = Executor(tmp_path / "data", partitions=partitions)
    executor.deploy("w", PASS)
    executor.start("w").wait(LONG)
    executor.close()
    assert descriptors_in(tmp_path) == []
    with pytest.raises(Closed):
        executor.start("w")


def test_a_second_opening_changes_nothing_though_the_lock_files_are_gone(tmp_path: Path) -> None:
    executor = Executor(tmp_path / "data")
    executor.deploy("w", PASS)
    load = Load(executor)
    for _ in range(20):
        load.wait_for(5)
        for lock in (tmp_path / "data").rglob("LOCK"):
            lock.unlink(missing_ok=True)
        for use in (Executor, _core.Store.open, _core.log_repair):
            with pytest.raises(LockedError):
                use(tmp_path / "data")
        with pytest.raises(LockedError):
            _core.LogStream.open(tmp_path / "data" / "log")
    load.wait_for(5)
    executor.close()
    load.join()
    with Executor(tmp_path / "data") as executor:
        assert set(load.confirmed) <= {execution.id for execution in executor.list(limit=1_000_000)}
    store = _core.Store.open(tmp_path / "data")
    assert rows(store)
    store.close()


# forks


FORKED = """
import os, sys, time
from stepwell import Executor, Follower
from stepwell.errors import Closed, StepwellError

how, partitions, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]
executor = Executor(place + "/data", partitions=partitions)
executor.deploy("w", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
follower = Follower(place + "/data", place + "/copy") if partitions == 1 else None
executor.start("w", 1).wait(60)

def use_in_child():
    for use in (lambda: executor.start("w", 2), lambda: Executor(place + "/new")):
        try:
            use()
        except StepwellError:
            pass
        else:
            raise AssertionError("it could be used in a child")
    if follower is not None:
        for use in (follower.lag, follower.promote):
            try:
                use()
            except Closed:
                pass
            else:
                raise AssertionError("it could be used in a child")
        follower.close()
    executor.close()

if how == "subprocess":
    import subprocess
    subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
else:
    child = os.fork()
    if child == 0:
        if how == "child closes":
            use_in_child()
            os._exit(7)
        os.close(1)
        time.sleep(60)
        os._exit(0)
    print("child", child, flush=True)
if how == "child closes":
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    executor.start("w", 3).wait(60)
if how == "parent dies":
    os.kill(os.getpid(), 9)
if follower is not None:
    follower.close()
executor.close()
print("closed", flush=True)
Executor(place + "/data", partitions=partitions).close()
print("opened", flush=True)
"""


@pytest.fixture
def children() -> Iterator[list[int]]:
    found: list[int] = []
    yield found
    for child in found:
        try:
            os.kill(child, 9)
        except ProcessLookupError:
            continue


@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("how", ["closes", "parent dies", "child closes", "subprocess"])
def test_a_forked_child_does_not_keep_a_folder(tmp_path: Path, how: str, partitions: int, children: list[int]) -> None:
    command = [sys.executable, "-c", FORKED, how, str(partitions), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [line.split() for line in process.stdout]
    children.extend(int(line[1]) for line in lines if line[0] == "child")
    if how == "parent dies":
        assert process.returncode == -9
    else:
        assert [line[0] for line in lines][-2:] == ["closed", "opened"]
    deadline = time.monotonic() + LONG
    while True:  # partitions' processes of a program that was killed still end
        try:
            with Executor(tmp_path / "data", partitions=partitions) as executor:
                assert len(executor.list()) == 1 + (how == "child closes")
            break
        except LockedError:
            assert partitions > 1
            assert time.monotonic() < deadline
            time.sleep(0.05)


POOLED = """
import multiprocessing, sys
from stepwell import Executor

def work(number):
    return number + 1

if __name__ == "__main__":
    method, place = sys.argv[1], sys.argv[2]
    with Executor(place) as executor:
        executor.deploy("w", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
        pool = multiprocessing.get_context(method).Pool(2)
        assert pool.map(work, range(4)) == [1, 2, 3, 4]
        executor.start("w", 1).wait(60)
    with Executor(place) as executor:
        assert len(executor.list()) == 1
        assert pool.map(work, range(4)) == [1, 2, 3, 4]
    pool.close()
    pool.join()
    print("done")
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes_does_not_keep_a_folder(tmp_path: Path, method: str) -> None:
    program = tmp_path / "pooled.py"
    program.write_text(POOLED)
    command = [sys.executable, str(program), method, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * LONG, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
