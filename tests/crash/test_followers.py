"""What a follower may take over: whatever goes wrong, the leader works, or its successor has all that was confirmed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crash.leader import in_a_process
from stepwell import Executor, Follower, Limits, _core
from stepwell.engine.replay import log_replay
from stepwell.errors import CorruptionError, FencedError, StorageError

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
LONG = 60.0
SMALL = Limits(log_bytes=8192)
"""Segments of 16 KiB, so that there are many."""


def run(executor: Executor, count: int, data: str = "") -> list[str]:
    """Run executions to their ends; their ids."""
    executor.deploy("w", PASS)
    executions = [executor.start("w", {"n": number, "data": data}) for number in range(count)]
    return [execution.wait(LONG).id for execution in executions]


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "log").glob("*.log"))


def first_of(segment: Path) -> int:
    return int(segment.stem, 16)


def is_fenced(folder: Path) -> bool:
    return (folder / "log" / "FENCE").exists()


def wait_for_failure(follower: Follower) -> Exception:
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        try:
            follower.check()
        except StorageError as error:
            return error
        time.sleep(0.005)
    raise AssertionError("the follower goes on")


def damage(segment: Path, chance: random.Random) -> None:
    """Lose something of a segment that looks as if its writer had not come to it: its end, or a run of its bytes."""
    whole = segment.read_bytes()
    at = chance.randrange(100, len(whole) - 1)
    if chance.random() < 0.5:
        segment.write_bytes(whole[:at])
    else:
        end = min(len(whole), at + chance.choice([70, 512, 4096, len(whole)]))
        segment.write_bytes(whole[:at] + bytes(end - at) + whole[end:])


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("state", ["new", "level before", "behind"])
def test_damage_before_a_successor_is_reported_and_the_healthy_leader_goes_on(
    tmp_path: Path, state: str, seed: int
) -> None:
    chance = random.Random(f"{state} {seed}")
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a, limits=SMALL) as leader:
        follower = None if state == "new" else Follower(a, b)
        early = run(leader, chance.randrange(1, 20)) if state == "level before" else []
        if follower is not None:
            assert follower.wait_level(LONG)
            follower.pause()
        keeper = Follower(a, tmp_path / "keeper")  # which keeps the log from being cut
        keeper.pause()
        ids = early + run(leader, chance.randrange(40, 60), "x" * chance.choice([100, 500]))
        last = _core.FollowedLog.end_of(a)[0]
        damaged = chance.choice(segments(a)[:-1])
        damage(damaged, chance)
        follower = follower or Follower(a, b)
        follower.resume()
        if had_all_of_it(follower, last):  # what is damaged it has already
            assert early
            assert follower.wait_level(LONG)
            with follower.promote() as promoted:
                assert {each.id for each in promoted.list(limit=100_000)} == set(ids)
        else:
            for question in (follower.lag, follower.wait_level, follower.check):
                with pytest.raises(StorageError):
                    question()
            with pytest.raises(CorruptionError, match=f"{damaged.name} at byte"):
                follower.promote()
            assert not is_fenced(a)
            assert run(leader, 1)
            take_what_is_there(a, b, damaged, last, ids)
            with pytest.raises(FencedError):
                run(leader, 1)
        keeper.close()


def had_all_of_it(follower: Follower, last: int) -> bool:
    """Whether a follower comes to ``last``, and does not fail before."""
    deadline = time.monotonic() + LONG
    while follower.position < last:
        try:
            follower.check()
        except StorageError:
            return False
        assert time.monotonic() < deadline, "the follower neither fails nor goes on"
        time.sleep(0.005)
    return True


def take_what_is_there(a: Path, b: Path, damaged: Path, last: int, ids: list[str]) -> None:
    """Promote with the loss accepted: it is named, and the rest is there."""
    with Follower(a, b) as follower:
        error = wait_for_failure(follower)
        assert follower.position >= first_of(damaged) - 1
        follower.take_over(accept_loss=True)
    loss = follower.loss
    assert loss is not None
    assert f"position {loss.first}:" in str(error)
    assert loss.last is not None
    assert loss.last >= last
    with Executor(b) as promoted:
        assert {each.id for each in promoted.list(limit=100_000)} < set(ids)
        assert promoted.start("w", "on").wait(LONG).status == "Succeeded"


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_that_cannot_be_applied_is_there_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    a, b, left = tmp_path / "a", tmp_path / "b", [random.Random(seed).randrange(1, 12)]
    read = log_replay.read_batch

    def read_some(*arguments: Any) -> Any:
        left[0] -= 1
        batch = read(*arguments)
        if left[0] < 0:
            raise RuntimeError("no more")
        return batch

    with Executor(a) as leader:
        ids = run(leader, 30)
        ids += [execution for _ in range(10) for execution in run(leader, 1)]
        with monkeypatch.context() as patched:
            patched.setattr(log_replay, "read_batch", read_some)
            follower = Follower(a, b)
            error = wait_for_failure(follower)
            assert "no more" in str(error)
            with pytest.raises(StorageError, match="no more"):
                follower.promote()
        assert not is_fenced(a)
        ids += run(leader, 3)
        with Follower(a, b) as follower:
            assert follower.wait_level(LONG)
            assert {each.id for each in follower.list()} == set(ids)
        with Follower(a, b).promote() as promoted:
            assert {each.id for each in promoted.list()} == set(ids)


def test_a_failed_follower_that_can_go_on_after_all_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Executor(tmp_path / "a") as leader:
        ids = run(leader, 10)

        def broken(*_: Any) -> Any:
            raise RuntimeError("once")

        with monkeypatch.context() as patched:
            patched.setattr(log_replay, "read_batch", broken)
            follower = Follower(tmp_path / "a", tmp_path / "b")
            wait_for_failure(follower)
        with follower.promote(accept_loss=True) as promoted:
            assert follower.loss is None
            assert {each.id for each in promoted.list()} == set(ids)


class Failing:
    """A log or a store of which one call fails, ``after`` it was done or before."""

    def __init__(self, real: Any, method: str, turn: int, *, after: bool) -> None:
        self._real, self._method, self._turn, self._after = real, method, turn, after

    def __getattr__(self, name: str) -> Any:
        call: Callable[..., Any] = getattr(self._real, name)
        if name != self._method:
            return call

        def failing(*arguments: Any) -> Any:
            self._turn -= 1
            if self._turn != 0:
                return call(*arguments)
            if self._after:
                call(*arguments)
            raise StorageError("the disk is on strike")

        return failing


STEPS = [
    ("store", "begin_epoch", 1),  # the mark before the fence
    ("log", "fence", 1),
    ("log", "read", 1),  # before the fence
    ("log", "read", 2),  # behind it
    ("store", "begin_epoch", 2),
]


def break_at(follower: Follower, part: str, method: str, turn: int, *, after: bool) -> None:
    replica = follower._replica  # pyright: ignore[reportPrivateUsage]
    setattr(replica, part, Failing(getattr(replica, part), method, turn, after=after))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join(map(str, step)))
def test_what_fails_in_a_promotion_leaves_the_leader(tmp_path: Path, step: tuple[str, str, int], after: bool) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a) as leader:
        ids = run(leader, 5)
        follower = Follower(a, b)
        assert follower.wait_level(LONG)
        follower.pause()
        time.sleep(0.05)  # until its thread rests
        break_at(follower, *step, after=after)
        with pytest.raises(StorageError, match="on strike"):
            follower.promote()
        assert not is_fenced(a)
        ids += run(leader, 2)
        if step == ("store", "begin_epoch", 2) and after:  # it had an epoch of its own already
            with pytest.raises(StorageError, match="went on in epoch 1"):
                Follower(a, b)
            b = tmp_path / "c"
        with Follower(a, b).promote() as promoted:
            assert {each.id for each in promoted.list()} == set(ids)


def kill_in_promotion(source: Path, data: Path, step: tuple[str, str, int], after: bool) -> None:
    follower = Follower(source, data)
    follower.wait_level(LONG)
    follower.pause()
    time.sleep(0.05)
    part, method, turn = step
    replica = follower._replica  # pyright: ignore[reportPrivateUsage]
    failing = Failing(getattr(replica, part), method, turn, after=after)
    setattr(replica, part, failing)
    StorageError.__init__ = lambda *_: os._exit(9)  # pyright: ignore[reportAttributeAccessIssue]
    follower.take_over()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join(map(str, step)))
def test_a_follower_killed_in_its_promotion_is_promoted_when_it_comes_back(
    tmp_path: Path, step: tuple[str, str, int], after: bool
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a) as leader:
        ids = run(leader, 5)
        in_a_process(kill_in_promotion, a, b, step, after)
        if not is_fenced(a):
            ids += run(leader, 2)
        if step == ("store", "begin_epoch", 2) and after:  # only the name of its leader was left to be taken off
            with pytest.raises(StorageError, match="follows"):
                Executor(b)
            with pytest.raises(StorageError, match="open it with Executor"):
                Follower(a, b)
            promoted = Executor(b)
        else:
            promoted = Follower(a, b).promote()
        with promoted:
            assert {each.id for each in promoted.list()} == set(ids)
            assert promoted.start("w", "on").wait(LONG).status == "Succeeded"
        with pytest.raises(FencedError):
            run(leader, 1)


def test_a_follower_knows_how_far_it_is_though_the_log_was_cut_since_it_asked(tmp_path: Path) -> None:
    with Executor(tmp_path / "a", limits=SMALL) as leader:
        leader.deploy("w", PASS)
        with Follower(tmp_path / "a", tmp_path / "b") as follower:
            first = first_of(segments(tmp_path / "a")[0])
            deadline = time.monotonic() + 60
            while first_of(segments(tmp_path / "a")[0]) < first + 500:  # its marks let the log be cut
                run(leader, 10, "x" * 500)
                assert time.monotonic() < deadline
            assert follower.wait_level(60)
            assert follower.lag().records == 0
            run(leader, 1)
            assert follower.wait_level(60)
