"""What the tests of partitions share: definitions, and the processes of an executor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from engine.support import machine, task
from stepwell import Executor, ItemFiles
from stepwell.engine.host.processes.host import MultiProcessHost

WORK = machine({"Work": task(resource="work")})
LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})


PLACES = (1, 4, "nodes")
"""Where the same tests run: in one partition, in four, and at three nodes of a cluster."""
PLACE_NAMES = ("1 partition", "4 partitions", "3 nodes")


@contextmanager
def opened(place: object, folder: Path) -> Iterator[Executor]:
    """An executor over so many partitions, or what looks like one over the nodes of a cluster.

    The buckets of result writers are in ``files`` of the folder.
    """
    files = folder / "files"
    files.mkdir()
    handlers = {"work": work}
    if isinstance(place, int):
        with Executor(folder / "data", handlers=handlers, partitions=place, item_files=ItemFiles(s3=files)) as executor:
            yield executor
        return
    pytest.importorskip("nats")
    from cluster.every_node import every_node

    with every_node(folder, handlers, files) as nodes:
        yield cast("Executor", nodes)


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


def until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
