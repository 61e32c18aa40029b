"""A leader that dies, or only pauses, and a follower that takes over: checked by a model that outlives both."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.leader import HANDLERS, MACHINE, Leader, kill_a_follower, new_input
from crash.model import Model, check_history
from stepwell import Executor
from stepwell.engine.api.follower import Follower
from stepwell.engine.host.backup import copy
from stepwell.errors import (
    AlreadyPromoted,
    Closed,
    CorruptionError,
    ExecutionNotFound,
    FencedError,
    LockedError,
    StorageError,
)
from stepwell.testing.replay import differences, replay_folder

KILLS = int(os.environ.get("STEPWELL_FAILOVERS", "100"))
CHAIN = 10
"""So many kills, one after the other: each leader goes on in the folder of the follower that was promoted."""
LONG = 30.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"waited {LONG} s for {what}"
        time.sleep(0.005)


def first_lines(leader: Leader) -> list[list[str]]:
    """What a leader had reported by the time it confirmed a start."""
    lines = []
    while not any(line[0] == "STARTED" for line in lines):
        more = list(leader.lines(LONG))
        assert more, "the leader reported nothing"
        lines += more
    return lines


def begin(source: Path, data: Path) -> Follower:
    """Follow a leader that cuts its log: from the beginning if that is there, else from a backup."""
    for _ in range(20):
        try:
            return Follower(source, data)
        except StorageError as error:
            if "was cut off" not in str(error):
                raise
            shutil.rmtree(data, ignore_errors=True)
            copy(source, data)
    raise AssertionError("the log is cut faster than it is followed")


@pytest.mark.parametrize("seed", range(KILLS // CHAIN))
def test_a_leader_killed_at_any_moment_is_succeeded_without_loss(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    model = Model()
    for number in range(CHAIN):
        here, there = tmp_path / str(number), tmp_path / str(number + 1)
        log_bytes = chance.choice([None, 32 << 10])
        leader = Leader(here, number * 100_000, chance.choice([1, 2, 6]), log_bytes)
        model.add_lines(first_lines(leader))
        is_late = chance.random() < 0.3  # it has all of the log still before it
        follower = None if is_late else begin(here, there)
        time.sleep(chance.uniform(0.0, 0.15))
        model.add_lines(leader.kill())
        follower = follower or begin(here, there)
        with follower.promote(handlers=HANDLERS) as executor:
            model.check(executor)
        with pytest.raises(FencedError, match=f"{there} took over"):
            Executor(here)
    assert not model.errors


@pytest.mark.parametrize("seed", range(10))
def test_a_leader_that_pauses_can_confirm_nothing_after_a_promotion(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    model = Model()
    leader = Leader(tmp_path / "a", threads=3)
    model.add_lines(first_lines(leader))
    follower = Follower(tmp_path / "a", tmp_path / "b")
    time.sleep(chance.uniform(0.0, 0.1))
    leader.signal(signal.SIGSTOP)
    with follower.promote(handlers=HANDLERS) as executor:
        before = len(executor.list(limit=1_000_000))
        leader.signal(signal.SIGCONT)
        wait_until(
            lambda: model.add_lines(list(leader.lines(0.1))) or len(model.errors) > 5, "errors of the old leader"
        )
        model.add_lines(leader.kill())
        kinds = {kind for kind, _ in model.errors}
        assert kinds == {"FencedError"}
        assert all(f"{tmp_path / 'b'} took over at epoch 1" in text for _, text in model.errors)
        # What it reported after it woke, it had confirmed before: all of it was taken over.
        assert model.check(executor) == before


def test_a_leader_that_runs_is_succeeded_as_well(tmp_path: Path) -> None:
    model = Model()
    leader = Leader(tmp_path / "a")
    model.add_lines(first_lines(leader))
    with Follower(tmp_path / "a", tmp_path / "b").promote(handlers=HANDLERS) as executor:
        wait_until(lambda: model.add_lines(list(leader.lines(0.1))) or model.errors, "an error of the old leader")
        model.add_lines(leader.kill())
        model.check(executor)


def test_a_follower_serves_reads_and_tells_its_lag(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        with Follower(tmp_path / "a", tmp_path / "b") as follower:
            ended = executor.start("w", new_input(1)).wait()
            running = executor.start("w", new_input(2, 3600))
            assert follower.wait_level(LONG)
            wait_until(lambda: follower.history(running.id)[-1]["type"] == "WaitStateEntered", "the sleep")
            assert follower.lag() == (0, 0.0)
            assert follower.get(ended.id).output == ended.output
            assert follower.history(ended.id) == ended.history()
            assert follower.context(running.id).status == "Running"
            assert [each.id for each in follower.list("w")] == [each.id for each in executor.list("w")]
            assert [each.id for each in follower.list(status="Succeeded")] == [ended.id]
            assert follower.workflow("w").context.version == 1
            with pytest.raises(ExecutionNotFound):
                follower.get(ended.id[:-16] + "0" * 16)
        with pytest.raises(Closed):
            follower.get(ended.id)


def test_a_follower_that_lags_says_so_and_catches_up(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        follower = Follower(tmp_path / "a", tmp_path / "b")
        assert follower.wait_level(LONG)
        follower.pause()
        started = [executor.start("w", new_input(number)) for number in range(50)]
        for execution in started:
            execution.wait()
        lag = follower.lag()
        assert lag.records >= 50 * 20
        assert lag.seconds > 0
        assert not follower.wait_level(0.05)
        with pytest.raises(ExecutionNotFound):
            follower.get(started[0].id)
        follower.resume()
        assert follower.wait_level(LONG)
        assert {each.id for each in follower.list(limit=1000)} == {each.id for each in started}
        follower.close()


def test_a_follower_that_is_started_again_goes_on_where_it_was(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        for number in range(3):
            executor.start("w", new_input(number)).wait()
            with Follower(tmp_path / "a", tmp_path / "b") as follower:
                assert follower.position >= number * 20
                executor.start("w", new_input(number)).wait()
                assert follower.wait_level(LONG)
                assert len(follower.list()) == 2 * number + 2
    again = replay_folder(tmp_path / "a", tmp_path / "again")
    copy = replay_folder(tmp_path / "b", tmp_path / "copy")
    assert differences(again, copy) == []
    again.close()
    copy.close()


def test_a_backup_begins_a_follower_though_the_log_was_cut(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        before = executor.start("w", new_input(1)).wait()
        executor.storage.checkpoint(str(tmp_path / "b"))
        after = executor.start("w", new_input(2)).wait()
        with Follower(tmp_path / "a", tmp_path / "b") as follower:
            assert follower.wait_level(LONG)
            assert {each.id for each in follower.list()} == {before.id, after.id}
        with Follower(tmp_path / "a", tmp_path / "b").promote(handlers=HANDLERS) as promoted:
            for execution in promoted.list():
                check_history(execution)


def test_a_folder_has_one_follower_one_leader_and_no_stranger(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        executor.start("w", new_input(1)).wait()
        with Follower(tmp_path / "a", tmp_path / "b") as follower:
            assert follower.wait_level(LONG)
            with pytest.raises(LockedError):
                Follower(tmp_path / "a", tmp_path / "b")
        with pytest.raises(StorageError, match="open it with Follower"):
            Executor(tmp_path / "b")
    with Executor(tmp_path / "c", handlers=HANDLERS) as other:
        other.deploy("w", MACHINE)
        other.deploy("v", MACHINE)
        for number in range(5):
            other.start("v", new_input(number)).wait()
    with pytest.raises(StorageError, match="is no copy of"):
        Follower(tmp_path / "c", tmp_path / "b")
    with pytest.raises(StorageError, match="no executor's folder"):
        Follower(tmp_path / "nowhere", tmp_path / "d")


def test_of_two_followers_one_takes_over_and_the_other_follows_it(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        first = executor.start("w", new_input(1)).wait()
        fast, slow = (Follower(tmp_path / "a", tmp_path / name) for name in ("fast", "slow"))
        assert slow.wait_level(LONG)
        leader = fast.promote(handlers=HANDLERS)
        with pytest.raises(FencedError, match="fast took over"):
            slow.promote()
        second = leader.start("w", new_input(2)).wait()
        with pytest.raises(FencedError, match="fast took over at epoch 1"):
            executor.start("w", new_input(3))
        with pytest.raises(FencedError, match="fast took over at epoch 1"):
            executor.check()
        with Follower(tmp_path / "fast", tmp_path / "slow") as slow:
            assert slow.wait_level(LONG)
            assert {each.id for each in slow.list()} == {first.id, second.id}
            with slow.promote(handlers=HANDLERS) as third:
                assert third.start("w", new_input(4)).wait().status == "Succeeded"
        with pytest.raises(FencedError, match="slow took over at epoch 2"):
            leader.start("w", new_input(5))
        leader.close()
    with pytest.raises(AlreadyPromoted, match=r"took over from .* before: open it with Executor"):
        Follower(tmp_path / "fast", tmp_path / "slow")
    Executor(tmp_path / "slow").close()


def test_a_damaged_log_is_taken_over_from_only_when_the_loss_is_accepted(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", handlers=HANDLERS) as executor:
        executor.deploy("w", MACHINE)
        kept = executor.start("w", new_input(1)).wait().id
        with Follower(tmp_path / "a", tmp_path / "b") as follower:
            assert follower.wait_level(LONG)
        (segment,) = (tmp_path / "a" / "log").glob("*.log")
        size = len(segment.read_bytes().rstrip(b"\0"))  # without the zeros behind it
        lost = executor.start("w", new_input(2)).wait().id
    bytes = bytearray(segment.read_bytes())
    bytes[size + 60] ^= 1
    segment.write_bytes(bytes)
    with pytest.raises(CorruptionError, match="damage in"):
        Follower(tmp_path / "a", tmp_path / "b").promote()
    assert not (tmp_path / "a" / "log" / "FENCE").exists()
    with Follower(tmp_path / "a", tmp_path / "b").promote(accept_loss=True, handlers=HANDLERS) as executor:
        assert executor.get(kept).status == "Succeeded"
        with pytest.raises(ExecutionNotFound):
            executor.get(lost)
        assert executor.start("w", new_input(3)).wait().status == "Succeeded"
    with pytest.raises(FencedError):
        Executor(tmp_path / "a")


def test_partitions_are_followed_one_by_one(tmp_path: Path) -> None:
    executor = Executor(tmp_path / "a", handlers=HANDLERS, partitions=2)
    executor.deploy("w", MACHINE)
    started = [executor.start("w", new_input(number), f"n{number}") for number in range(20)]
    with pytest.raises(StorageError, match="has 2 partitions: give each"):
        Follower(tmp_path / "a", tmp_path / "b")
    for name in ("p0", "p1"):
        Follower(tmp_path / "a" / name, tmp_path / "b" / name).take_over()
    with pytest.raises(StorageError, match="took over at epoch 1"):  # noqa: PT012 - the partition reports it that learns it first
        for number in range(20, 40):
            executor.start("w", new_input(number), f"n{number}")
    executor.close()
    with Executor(tmp_path / "b", handlers=HANDLERS, partitions=2) as executor:
        assert {each.id for each in executor.list()} >= {each.id for each in started}
        for execution in executor.list():
            check_history(execution.wait(LONG))


@pytest.mark.parametrize("partitions", [1, 2])
def test_who_was_taken_over_closes_without_an_error(tmp_path: Path, partitions: int) -> None:
    executor = Executor(tmp_path / "a", handlers=HANDLERS, partitions=partitions)
    executor.deploy("w", MACHINE)
    for number in range(20):
        executor.start("w", new_input(number), f"n{number}")
    names = [""] if partitions == 1 else [f"p{index}" for index in range(partitions)]
    for name in names:
        Follower(tmp_path / "a" / name, tmp_path / "b" / name).take_over()
    executor.close()  # at once: it may not have noticed yet, and may notice while it closes
    with Executor(tmp_path / "b", handlers=HANDLERS, partitions=partitions) as executor:
        assert len([check_history(execution.wait(LONG)) for execution in executor.list()]) == 20


@pytest.mark.parametrize("seed", range(3))
def test_a_follower_that_is_killed_goes_on_where_it_was(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    model = Model()
    leader = Leader(tmp_path / "a")
    model.add_lines(first_lines(leader))
    for _ in range(8):
        kill_a_follower(tmp_path / "a", tmp_path / "b", chance.uniform(0.05, 0.4))
    model.add_lines(leader.kill())
    with Follower(tmp_path / "a", tmp_path / "b") as follower:
        assert follower.wait_level(LONG)
    ours, theirs = (replay_folder(tmp_path / name, tmp_path / f"{name} again") for name in ("a", "b"))
    assert differences(ours, theirs) == []
    ours.close()
    theirs.close()
    with Follower(tmp_path / "a", tmp_path / "b").promote(handlers=HANDLERS) as executor:
        model.check(executor)
