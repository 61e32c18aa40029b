"""What a folder is: nothing is written into, confirmed by or taken over from another one than was opened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell import Executor, Follower, _core
from stepwell.engine.host.backup import copy
from stepwell.errors import CorruptionError, FencedError, LockedError, PoisonedError, StepwellError, StorageError
from stepwell.testing.replay import rows

LONG = 30.0
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def fill(data: Path, count: int, name: str = "w") -> list[str]:
    """An executor's folder with so many executions that have ended."""
    with Executor(data) as executor:
        executor.deploy(name, PASS)
        return [executor.start(name, n).wait(LONG).id for n in range(count)]


def ids(data: Path) -> set[str]:
    with Executor(data) as executor:
        return {execution.id for execution in executor.list(limit=1_000_000)}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Load:
    """Starts executions until that fails, and knows which were confirmed."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.confirmed: list[str] = []
        self.error: StepwellError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                self.confirmed.append(self.executor.start("w", 1).id)
        except StepwellError as error:
            self.error = error

    def wait_for(self, more: int) -> None:
        wanted, deadline = len(self.confirmed) + more, time.monotonic() + LONG
        while len(self.confirmed) < wanted:
            assert self.error is None, self.error
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def join(self) -> StepwellError:
        """The error that ended it."""
        self._thread.join(LONG)
        assert self.error is not None, "the load still goes on"
        return self.error


def close(executor: Executor) -> None:
    """Close an executor that has failed, which it has told before."""
    executor.close()


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
    executor.storage._store.flush()  # type: ignore[attr-defined]  # pyright: ignore
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


# which store it is


def test_storage_of_one_store_beside_the_log_of_another_is_refused_and_left_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        fill(tmp_path / name, 5)
    for parts in (("storage", "log"), ("log", "storage")):
        mixed = tmp_path / f"mixed {parts[0]}"
        shutil.copytree(tmp_path / "a" / parts[0], mixed / parts[0])
        shutil.copytree(tmp_path / "b" / parts[1], mixed / parts[1])
        before = contents(mixed / "log")
        for use in (Executor, _core.log_repair, lambda place: copy(place, tmp_path / "copied")):
            with pytest.raises(StorageError, match="and should be of store"):
                use(mixed)
        assert {name: text for name, text in contents(mixed / "log").items() if name != "LOCK"} == {
            name: text for name, text in before.items() if name != "LOCK"
        }


def test_a_segment_of_another_store_is_damage(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with _core.Store.open(tmp_path / name, segment_bytes=2000) as store:
            for n in range(20):
                store.wait_applied(store.commit([("", 0, 1, b"x" * 400)], b"\x90", n))
    segments = sorted(path.name for path in (tmp_path / "a" / "log").glob("*.log"))
    assert segments == sorted(path.name for path in (tmp_path / "b" / "log").glob("*.log"))
    shutil.copyfile(tmp_path / "b" / "log" / segments[1], tmp_path / "a" / "log" / segments[1])
    with _core.Store.open(tmp_path / "a") as store, pytest.raises(StorageError, match="a frame of another store"):
        store.read_log(1, 1 << 30)
    report = _core.log_repair(tmp_path / "a")
    assert report["last"] == 20  # storage has all of it


def test_a_follower_does_not_go_on_with_a_restored_backup_of_its_leader(tmp_path: Path) -> None:
    executor = Executor(tmp_path / "a")
    executor.deploy("w", PASS)
    copy(tmp_path / "a", tmp_path / "backup")
    started = [executor.start("w", n).wait(LONG).id for n in range(5)]
    with Follower(tmp_path / "a", tmp_path / "b") as follower:
        assert follower.wait_level(LONG)
    executor.close()
    shutil.rmtree(tmp_path / "a")
    Executor.restore(tmp_path / "backup", tmp_path / "a")
    with pytest.raises(StorageError, match="is no copy of"):
        Follower(tmp_path / "a", tmp_path / "b")
    with Follower(tmp_path / "a", tmp_path / "c") as follower:
        assert follower.wait_level(LONG)
        assert follower.list() == []
    assert len(started) == 5


def test_a_backup_says_whose_copy_it_is_and_begins_a_follower_of_that(tmp_path: Path) -> None:
    with Executor(tmp_path / "a") as executor:
        executor.deploy("w", PASS)
        first = executor.start("w", 1).wait(LONG).id
        (position,) = executor.backup(tmp_path / "inside")
        (outside,) = copy(tmp_path / "a", tmp_path / "outside")
        (again,) = copy(tmp_path / "outside", tmp_path / "again")
        (store,) = _core.Folder.open(tmp_path / "a").stores()
        assert (outside.of, again.of) == (store, outside.store)
        assert _core.Folder.open(tmp_path / "inside").origins() == [("copied", store, position)]
        assert _core.Folder.open(tmp_path / "again").origins() == [
            ("copied", outside.store, again.position),
            ("copied", store, outside.position),
        ]
        second = executor.start("w", 2).wait(LONG).id
        for name in ("inside", "outside", "again"):
            with Follower(tmp_path / "a", tmp_path / name) as follower:
                assert follower.wait_level(LONG)
                assert {execution.id for execution in follower.list()} == {first, second}
    fill(tmp_path / "used", 1)
    copy(tmp_path / "used", tmp_path / "changed")
    fill(tmp_path / "changed", 2)
    with pytest.raises(StorageError, match="is no copy of"):
        Follower(tmp_path / "used", tmp_path / "changed")
    shutil.copytree(tmp_path / "used", tmp_path / "files")
    with pytest.raises(StorageError, match="or a copy of its files"):
        Follower(tmp_path / "used", tmp_path / "files")


def test_a_promoted_store_is_a_new_one_that_remembers_whom_it_followed(tmp_path: Path) -> None:
    executor = Executor(tmp_path / "a")
    executor.deploy("w", PASS)
    fast, slow, later = (Follower(tmp_path / "a", tmp_path / name) for name in ("fast", "slow", "later"))
    executor.start("w", 1).wait(LONG)
    assert all(follower.wait_level(LONG) for follower in (fast, slow, later))
    (of,) = _core.Folder.open(tmp_path / "a").stores()
    with fast.promote() as promoted:
        origins = _core.Folder.open(tmp_path / "fast").origins()
        assert [origin[:2] for origin in origins] == [("followed", of)]
        assert _core.Folder.open(tmp_path / "fast").stores() != [of]
        for follower in (slow, later):
            with pytest.raises(FencedError, match="fast took over"):
                follower.promote()
        promoted.start("w", 2).wait(LONG)
        with Follower(tmp_path / "fast", tmp_path / "slow") as again:  # what it has, the new leader has
            assert again.wait_level(LONG)
            assert len(again.list()) == 2
            third = again.promote()
        third.start("w", 3).wait(LONG)
        with Follower(tmp_path / "slow", tmp_path / "later") as again:  # over two leaders
            assert again.wait_level(LONG)
            assert len(again.list()) == 3
        third.close()
    close(executor)


UNSHARED = """
import sys, subprocess
from stepwell import Follower
follower = Follower("/mnt/leader", "/mnt/copy")
assert follower.wait_level(30)
print("level", flush=True)
sys.stdin.readline()
try:
    executor = follower.promote()
    executor.start("w", 1).wait(30)
    print("promoted", flush=True)
    executor.close()
except Exception as error:
    print(type(error).__name__, flush=True)
"""


def unshared(tmp_path: Path, name: str) -> subprocess.Popen[str]:
    """A follower whose folder is /mnt/copy in a mount namespace of its own."""
    (tmp_path / name).mkdir()
    script = (
        "mount -t tmpfs none /mnt && mkdir /mnt/leader /mnt/copy"
        f" && mount --bind {tmp_path}/a /mnt/leader && mount --bind {tmp_path}/{name} /mnt/copy"
        f' && exec {sys.executable} -c "$CODE"'
    )
    command = ["unshare", "-Urm", "sh", "-c", script]
    environment = {**os.environ, "CODE": UNSHARED}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)


def test_of_two_followers_under_one_path_in_two_mount_namespaces_one_takes_over(tmp_path: Path) -> None:
    probe = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("a mount namespace of one's own is not permitted here")
    fill(tmp_path / "a", 3)
    followers = [unshared(tmp_path, name) for name in ("b", "c")]
    for follower in followers:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "level\n"
    told = sorted(follower.communicate("go\n", timeout=2 * LONG)[0].strip() for follower in followers)
    assert told == ["FencedError", "promoted"]


# who has it


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
executor.start("w", 1).wait(30)

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
    executor.start("w", 3).wait(30)
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
        executor.start("w", 1).wait(30)
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


@pytest.mark.parametrize("more", [0, 1], ids=["as_long", "longer"])
def test_the_log_of_a_copy_that_went_on_by_itself_does_not_open(tmp_path: Path, more: int) -> None:
    with Executor(tmp_path / "a") as ex:
        ex.deploy("w", PASS)
        ex.start("w", "before").wait(LONG)
    shutil.copytree(tmp_path / "a", tmp_path / "b")  # with the store's id
    for name, starts in (("a", 3), ("b", 3 + more)):
        with Executor(tmp_path / name) as ex:
            for number in range(starts):
                ex.start("w", f"{name}{number}").wait(LONG)
    shutil.copytree(tmp_path / "a" / "log", tmp_path / "a.log")
    shutil.rmtree(tmp_path / "a" / "log")
    shutil.copytree(tmp_path / "b" / "log", tmp_path / "a" / "log")
    with pytest.raises(CorruptionError, match="copies of one store that went on separately"):
        Executor(tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "log")
    shutil.move(tmp_path / "a.log", tmp_path / "a" / "log")
    with Executor(tmp_path / "a") as ex:
        assert {ex.get(execution.id).input for execution in ex.list()} == {"before", "a0", "a1", "a2"}
