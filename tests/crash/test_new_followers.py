"""A process that ends while it makes a new follower leaves a folder that follows, and that no executor opens as new."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crash.leader import in_a_process
from stepwell import Executor, Follower
from stepwell.engine.replication import replica
from stepwell.errors import StorageError

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
LONG = 60.0


def end_in(name: str, when: str, a: Path, b: Path) -> None:
    """Follow, and end before or after a step of it, as a process does that is killed."""
    owner: Any = replica
    *path, last = name.split(".")
    for each in path:
        owner = getattr(owner, each)
    step: Callable[..., Any] = getattr(owner, last)

    def dies(*arguments: Any, **options: Any) -> None:
        if when == "after":
            step(*arguments, **options)
        os._exit(1)

    class Store:
        open = staticmethod(dies)

    if path:
        proxy: Any = type("Core", (), {"Store": Store, "Folder": replica._core.Folder})
        replica._core = proxy
    else:
        setattr(replica, last, dies)
    Follower(a, b)
    os._exit(0)


def end_with_a_file_half_made(a: Path, b: Path) -> None:
    b.mkdir()
    (b / "FOLLOWS.new").write_bytes(b"follower ")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["write_follows", "_core.Store.open", "begin_following"])
def test_a_folder_that_was_left_half_made_is_no_executor_s(tmp_path: Path, step: str, when: str) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a) as leader:
        leader.deploy("w", PASS)
        ids = {leader.start("w", number).wait(LONG).id for number in range(5)}
        in_a_process(end_in, step, when, a, b)
        assert b.exists()
        if set(os.listdir(b)) - {"LOCK"}:
            with pytest.raises(StorageError, match="open it with Follower"):
                Executor(b)
            with pytest.raises(StorageError, match="open it with Follower"):
                Executor(b, partitions=2)
        with Follower(a, b) as follower:
            assert follower.wait_level(LONG)
            assert {view.id for view in follower.list()} == ids


def test_a_file_that_was_half_written_keeps_no_follower_off(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Executor(a) as leader:
        leader.deploy("w", PASS)
        end_with_a_file_half_made(a, b)
        with Follower(a, b) as follower:
            assert follower.wait_level(LONG)
