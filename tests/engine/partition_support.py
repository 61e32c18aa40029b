"""What the tests of partitions share: definitions, and the processes of an executor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from engine.support import machine, task
from stepwell import Executor
from stepwell.engine.host.processes.host import MultiProcessHost

WORK = machine({"Work": task(resource="work")})
LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})


def work(value: Any) -> Any:
    """A handler whose output shows its input."""
    return {"done": value}


def pids_of(ex: Executor) -> list[int]:
    """The processes of an executor's partitions, in their order."""
    host = ex.client.host
    assert isinstance(host, MultiProcessHost)
    return [partition.pid for partition in host.partitions]


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def raises(kind: type[Exception], ask: Callable[[], Any]) -> bool:
    """Whether a call ends with such an error, now."""
    try:
        ask()
    except kind:
        return True
    return False


def until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
