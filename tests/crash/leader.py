"""A leader in a process of its own, under load, which reports what was confirmed; it can be killed and paused.

It writes each line to a pipe in one piece: whatever happens to the process, a line there was confirmed.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from stepwell import Executor, Follower, Limits, StepwellError

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["stepwell", "crash.leader"])

MACHINE = {
    "StartAt": "Work",
    "States": {
        "Work": {"Type": "Task", "Resource": "work", "ResultPath": "$.work", "Next": "Sleep"},
        "Sleep": {"Type": "Wait", "TimestampPath": "$.until", "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "ResultPath": "$.both",
            "End": True,
            "Branches": [
                {"StartAt": "L", "States": {"L": {"Type": "Task", "Resource": "work", "End": True}}},
                {"StartAt": "R", "States": {"R": {"Type": "Pass", "End": True}}},
            ],
        },
    },
}
SLEEP_SECONDS = 0.03


def work(input: Any) -> str:
    """Never returns the same result twice, so that a result that is recorded again is noticed."""
    return uuid.uuid4().hex


HANDLERS = {"work": work}


def new_input(number: int, seconds: float = SLEEP_SECONDS) -> dict[str, Any]:
    """An execution's input, which names the moment until which it waits."""
    until = datetime.fromtimestamp(time.time() + seconds, UTC)
    return {"n": number, "until": until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


class Leader:
    """A child process with an executor over ``data``; ``first`` is the number of its first execution.

    ``log_bytes`` is how much log it keeps: the less, the more segments it begins, and removes behind its followers.
    """

    def __init__(self, data: Path, first: int = 0, threads: int = 2, log_bytes: int | None = None) -> None:
        reading, writing = os.pipe()
        self._reading = reading
        self._text = b""
        self.process = _processes.Process(
            target=_lead, args=(data, _Pipe(writing), first, threads, log_bytes), daemon=True
        )
        self.process.start()
        os.close(writing)

    def lines(self, timeout: float = 0.0) -> Iterator[list[str]]:
        """The lines since the last call, each as its words; waits ``timeout`` for the first one."""
        while select.select([self._reading], [], [], timeout)[0]:
            piece = os.read(self._reading, 1 << 16)
            if not piece:
                return
            *whole, self._text = (self._text + piece).split(b"\n")
            yield from (line.decode().split(" ", 2) for line in whole)
            timeout = 0.0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def kill(self) -> list[list[str]]:
        """Kill it; the lines until then."""
        self.process.kill()
        self.process.join()
        lines = list(self.lines())
        os.close(self._reading)
        return lines


class _Pipe:
    """The writing end of a pipe, which can be sent to a child."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> Any:
        from multiprocessing.reduction import DupFd

        return _opened, (DupFd(self.descriptor),)

    def send(self, *words: str) -> None:
        os.write(self.descriptor, " ".join(words).replace("\n", " ").encode() + b"\n")


def _opened(duplicate: Any) -> _Pipe:
    return _Pipe(duplicate.detach())


def _lead(data: Path, pipe: _Pipe, first: int, threads: int, log_bytes: int | None) -> None:
    import logging

    logging.disable(logging.CRITICAL)
    limits = None if log_bytes is None else Limits(log_bytes=log_bytes)
    executor = Executor(data, handlers=HANDLERS, limits=limits)
    executor.deploy("w", MACHINE)
    pipe.send("READY")
    for index in range(threads):
        threading.Thread(target=_load, args=(executor, pipe, first + index, threads)).start()


def _load(executor: Executor, pipe: _Pipe, number: int, step: int) -> None:
    watched: list[Any] = []
    while True:
        try:
            execution = executor.start("w", new_input(number), f"n{number}")
            pipe.send("STARTED", execution.id, str(number))
            watched.append(execution)
            if watched[0].status == "Succeeded":
                ended = watched.pop(0)
                pipe.send("ENDED", ended.id, ended.context().output.decode())
        except StepwellError as error:
            pipe.send("ERROR", type(error).__name__, str(error))
            time.sleep(0.02)
        number += step
        time.sleep(0.002)


def kill_a_follower(source: Path, data: Path, seconds: float) -> None:
    """Follow in a process of its own, and kill that after some time."""
    process = _processes.Process(target=_follow, args=(source, data), daemon=True)
    process.start()
    process.join(seconds)
    process.kill()
    process.join()


def begin_process(body: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Call ``body`` in a process of its own."""
    process = _processes.Process(target=body, args=arguments, daemon=True)
    process.start()
    return process


def in_a_process(body: Callable[..., None], *arguments: Any) -> None:
    """Call ``body`` in a process of its own, and wait until that ends in any way."""
    begin_process(body, *arguments).join()


def _follow(source: Path, data: Path) -> None:
    with Follower(source, data):
        threading.Event().wait()
