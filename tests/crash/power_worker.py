"""A process whose disk is recorded: it works in a folder, notes what was confirmed, and ends.

``power_worker.py KIND FOLDER SEED``. Its notes go into the trace (``lossy_note``), one JSON line each.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
from pathlib import Path
from typing import Any

from crash.leader import HANDLERS, MACHINE, new_input
from stepwell import Executor, FencedError, Follower, StorageError
from stepwell.engine.host.backup import restore
from stepwell.engine.limits import Limits

LIMITS = Limits(log_bytes=40_000)
"""Limits with many flushes of storage and truncations of the log."""


def note(*words: Any) -> None:
    """Note something that was confirmed."""
    line = json.dumps(words).encode()
    ctypes.CDLL(None).lossy_note(line, len(line))


class Load:
    """Starts executions and notes them."""

    def __init__(self, executor: Executor, first: int) -> None:
        self._executor, self._number = executor, first
        self._running: list[Any] = []

    def start(self, count: int) -> None:
        for _ in range(count):
            execution = self._executor.start("w", new_input(self._number), f"n{self._number}")
            note("STARTED", execution.id, str(self._number))
            self._number += 1
            self._running.append(execution)
            for ended in [each for each in self._running if each.status == "Succeeded"]:
                note("ENDED", ended.id, ended.context().output.decode())
                self._running.remove(ended)

    def end(self) -> None:
        for execution in self._running:
            execution.wait(60)
            note("ENDED", execution.id, execution.context().output.decode())


def _open(folder: Path, partitions: int = 1) -> Executor:
    executor = Executor(folder, handlers=HANDLERS, limits=LIMITS, partitions=partitions)
    executor.deploy("w", MACHINE)
    return executor


def executor(folder: Path, chance: random.Random, first: int, partitions: int = 1) -> None:
    """An executor that is opened several times, and closed or not."""
    for life in range(3):
        opened = _open(folder / "a", partitions)
        load = Load(opened, first + life * 1000)
        load.start(chance.randrange(1, 20))
        if chance.random() < 0.3:
            load.end()
        opened.close()


def partitions(folder: Path, chance: random.Random, first: int) -> None:
    """The same with partitions in processes."""
    executor(folder, chance, first, partitions=2)


def follower(folder: Path, chance: random.Random, first: int) -> None:
    """A leader, a follower that is promoted while the leader works, and the new leader's work."""
    leader = _open(folder / "a")
    load = Load(leader, first)
    load.start(chance.randrange(8))
    followed = Follower(folder / "a", folder / "b")
    load.start(chance.randrange(1, 12))
    if chance.random() < 0.5:
        followed.wait_level(30)
        followed.close()
        load.start(chance.randrange(5))
        followed = Follower(folder / "a", folder / "b")
    promoted = followed.promote(handlers=HANDLERS, limits=LIMITS)
    note("PROMOTED")
    Load(promoted, first + 1000).start(chance.randrange(1, 12))
    promoted.close()
    leader.close()


def backup(folder: Path, chance: random.Random, first: int) -> None:
    """Backups of a working executor, and a restored one."""
    opened = _open(folder / "a")
    load = Load(opened, first)
    for number in range(3):
        load.start(chance.randrange(1, 10))
        note("BACKING UP", f"backup{number}")
        opened.backup(folder / f"backup{number}")
        note("BACKED UP", f"backup{number}")
    load.start(chance.randrange(5))
    opened.close()
    restore(folder / "backup1", folder / "restored")
    note("RESTORED", "backup1", "restored")


def leader_after_a_cut(folder: Path) -> tuple[Executor, str]:
    """The leader, and the name of its folder: ``a``, or its follower ``b``, whose promotion is finished if needed."""
    try:
        return Executor(folder / "a", handlers=HANDLERS, limits=LIMITS), "a"
    except FencedError:
        pass
    try:
        return Follower(folder / "a", folder / "b").promote(handlers=HANDLERS, limits=LIMITS), "b"
    except StorageError as error:
        if "took over" not in str(error):
            raise
        return Executor(folder / "b", handlers=HANDLERS, limits=LIMITS), "b"


def reopen(folder: Path, kind: str, chance: random.Random, first: int) -> None:
    """What a program does after a cut: it opens what is there and continues."""
    opened = leader_after_a_cut(folder)[0] if kind == "follower" else _open(folder / "a", 1 + (kind == "partitions"))
    opened.deploy("w", MACHINE)
    Load(opened, first).start(chance.randrange(6))
    opened.close()


KINDS = {"executor": executor, "follower": follower, "backup": backup, "partitions": partitions}


def main() -> None:
    kind, folder, seed, *again = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
    chance, first = random.Random(f"{kind} {seed} {again}"), int(seed) * 100_000
    if again:
        reopen(folder, kind, chance, first)
    else:
        KINDS[kind](folder, chance, first)


if __name__ == "__main__":
    main()
