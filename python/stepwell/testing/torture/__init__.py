"""Torture: kills a process that runs a mix of workflows at random moments, and checks what is left against a journal.

The process (``child``) writes a journal of what it requested and which answers it got. ``torture`` kills it with
SIGKILL and starts it again on the same folder. A last process lets all executions end. Then ``model`` compares the
folder with the journal.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import model
from .journal import Journal

MAX_RUN_SECONDS = 0.5
"""How long a process runs at most before it is killed, counted from when the folder is open, or from the fork."""
COUNTED_FROM_FORK = 0.25
"""The share of runs whose time counts from the fork: many of them end during the opening and recovery."""
OPENING_SECONDS = 60.0
DRAIN_SECONDS = 90.0


@dataclass
class Report:
    """The result of a torture."""

    kills: int
    seed: int
    seconds: float
    counts: dict[str, int] = field(default_factory=dict[str, int])
    latest_timer: float = 0.0
    rows: int = 0
    breaches: list[str] = field(default_factory=list[str])


class TortureFailed(Exception):
    """The process did not start again, or its executions did not end."""


def torture(folder: Path, kills: int = 50, seed: int = 0, seconds: float | None = None) -> Report:
    """Kill a process ``kills`` times (or for ``seconds``), and check its work in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    chance = random.Random(seed)
    with _Forker(folder, seed) as forker:
        done = 0
        while done < kills and (seconds is None or time.monotonic() - began < seconds):
            forker.run_and_kill(done, MAX_RUN_SECONDS * chance.random() ** 1.3, chance.random() < COUNTED_FROM_FORK)
            done += 1
        forker.drain(done)
    findings = model.check(folder)
    return Report(
        done,
        seed,
        time.monotonic() - began,
        dict(findings.counts),
        findings.latest_timer,
        model.verify_store(folder / "data"),
        findings.breaches,
    )


class _Forker:
    """The process that forks the processes to be killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._journal_path, self._open_path = folder / "journal", folder / "open"
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__name__}.forker", str(folder), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> _Forker:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def run_and_kill(self, round: int, seconds: float, from_fork: bool) -> None:
        """Let a process run for some seconds, and kill it."""
        pid = int(self._order(f"live {round}"))
        if not from_fork:
            self._await_opening(round)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        killed = time.time()
        code = int(self._order("wait"))
        if code != -signal.SIGKILL:
            raise TortureFailed(f"the process of round {round} ended by itself, with exit code {code}")
        Journal(self._journal_path, round).write("life", until=killed)

    def _await_opening(self, round: int) -> None:
        deadline = time.monotonic() + OPENING_SECONDS
        while not (self._open_path.exists() and self._open_path.read_text() == str(round)):
            if time.monotonic() > deadline:
                raise TortureFailed(f"the process of round {round} did not open the folder")
            time.sleep(0.003)

    def drain(self, round: int) -> None:
        """Run a last process until all executions have ended."""
        pid = int(self._order(f"drain {round}"))
        Journal(self._journal_path, round).write("life", until=time.time() + DRAIN_SECONDS)
        code = int(self._order("wait"))
        if code != 0:
            raise TortureFailed(f"the last process ({pid}) ended with exit code {code}")

    def _order(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise TortureFailed("the process that forks the others has ended")
        return answer
