"""Log and storage are of one store, and a follower goes on with its leader or the leader's successor only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crash.folder_support import LONG, PASS, close, contents, fill
from stepwell import Executor, Follower, _core
from stepwell.engine.host.backup import copy
from stepwell.errors import CorruptionError, FencedError, StorageError


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
    executor.start("w", 1).wait(60)
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
    outcomes = sorted(follower.communicate("go\n", timeout=2 * LONG)[0].strip() for follower in followers)
    assert outcomes == ["FencedError", "promoted"]


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
