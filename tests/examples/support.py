"""Support for tests of the examples: each runs as a process of its own, is killed and is started again."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PATIENCE = 60.0
"""After so many seconds a test stops waiting: it only guards against a hang."""

Found = TypeVar("Found")


def new_random() -> random.Random:
    """What moments are drawn with. The seed is printed, and ``STEPWELL_EXAMPLES_SEED`` repeats it."""
    seed = int(os.environ.get("STEPWELL_EXAMPLES_SEED") or random.randrange(1 << 32))
    print(f"STEPWELL_EXAMPLES_SEED={seed}")
    return random.Random(seed)


def until(find: Callable[[], Found | None], what: str) -> Found:
    """What ``find`` returns, once it is neither None nor False."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.02)
    raise AssertionError(f"after {PATIENCE:g} s: {what}")


def free_port() -> int:
    """A port that nobody listens at: for a server that comes back at the same one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def asked(url: str, body: Any = None, method: str | None = None, seconds: float = PATIENCE) -> tuple[int, bytes]:
    """The status and the body of the answer to a request, whose own body is JSON; POST if it has one."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in an SQLite file, which a program may be writing."""
    db = sqlite3.connect(database, timeout=PATIENCE)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


class Program:
    """A program that runs, with what it has printed."""

    def __init__(self, *command: object, cwd: Path, **variables: object) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_")}
        environment |= {name: str(value) for name, value in variables.items()}
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=cwd,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            self.lines.extend(line.rstrip("\n") for line in iter(stream.readline, ""))

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return "\n".join(self.lines)

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def said(self, beginning: str) -> str:
        """The rest of the first line that begins so, once it is there."""

        def find() -> str | None:
            found = next((line for line in self.lines if line.startswith(beginning)), None)
            assert found is not None or self.runs, f"it ended without {beginning!r}:\n{self.ended().output}"
            return found

        return until(find, f"{self.process.args} has not said {beginning!r}").removeprefix(beginning)

    def send(self, number: signal.Signals) -> Program:
        """Send a signal, and wait for the end."""
        self.process.send_signal(number)
        return self.ended()

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def ended(self) -> Program:
        """Itself, once it has ended and all of its output was read."""
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return self


@contextmanager
def programs() -> Iterator[Callable[..., Program]]:
    """Start programs; those that still run at the end are killed."""
    started: list[Program] = []

    def start(*command: object, cwd: Path, **variables: object) -> Program:
        started.append(Program(*command, cwd=cwd, **variables))
        return started[-1]

    try:
        yield start
    finally:
        for program in started:
            with suppress(ProcessLookupError):  # with the processes that it has started
                os.killpg(program.process.pid, signal.SIGKILL)
            program.ended()


class Killed(threading.Thread):
    """Starts a program again and again: it is killed at drawn moments after its beginning, but for the last time.

    ``current`` is the one that runs.
    """

    def __init__(
        self, start: Callable[[], Program], begun: str, random: random.Random, kills: int, most: float
    ) -> None:
        super().__init__(daemon=True)
        self._start, self._begun = start, begun
        self._moments = [random.uniform(0, most) for _ in range(kills)]
        self.current = start()
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            for moment in self._moments:
                self.current.said(self._begun)
                time.sleep(moment)
                self.current.kill()
                self.current = self._start()
        except BaseException as error:
            self.failure = error

    def last(self) -> Program:
        """The program that is killed no more."""
        self.join(PATIENCE)
        assert self.failure is None, self.failure
        return self.current
