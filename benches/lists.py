"""Pages of lists and of a history, in a folder of many executions.

    .venv/bin/python benches/lists.py 1000000 [FOLDER]  # the executions; about 1.3 GB, kept and used again in FOLDER

The executions are run, not made up: of 1,000 one fails, one is stopped, one runs on, one was started by a version and
one by an alias. Each page is read cold and again; the least and the median of its reads are told, in milliseconds, and
the least processor time, which other work on the machine hardly changes. A page goes on where another one ended, deep
in the list too. The history has 25,000 events, read forwards and backwards.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from stepwell import Executor, _core
from stepwell.asl.json import dumps
from stepwell.engine.client import listings
from stepwell.engine.client.listings import Asked, Position
from stepwell.engine.log import records as r
from stepwell.engine.log.document import of_value
from stepwell.engine.partition.partition import Partition
from stepwell.engine.storage.storage import Storage
from stepwell.engine.wall_clock import SystemClock
from stepwell.tasks.dispatch import Call

PAGE, READS, AT_ONCE, ONE_OF = 100, 9, 2000, 1000
EVENTS = 25_000
FAIL, STOP, VERSION, ALIAS, RUN = range(5)
MACHINE = {
    "StartAt": "Which",
    "States": {
        "Which": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$", "NumericEquals": FAIL, "Next": "Fail"},
                {"Variable": "$", "NumericEquals": STOP, "Next": "Wait"},
                {"Variable": "$", "NumericEquals": RUN, "Next": "Wait"},
            ],
            "Default": "Done",
        },
        "Fail": {"Type": "Fail", "Error": "Asked"},
        "Wait": {"Type": "Wait", "Seconds": 1_000_000, "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}


class Maker:
    """Runs executions in a partition, without its loop."""

    def __init__(self, store: _core.Store) -> None:
        self.store = store
        self.partition = Partition(store, SystemClock(), self)
        self.partition.recover()
        self.partition.submit(r.PutWorkflowCommand("w", 1, dumps(MACHINE), "STANDARD", publish=1))
        self.partition.submit(r.PutAliasCommand("w", "prod", b"[[1,100]]"))
        self.turn()

    def dispatch(self, tasks: list[Call]) -> None:
        """Does nothing: there are no tasks."""

    def queued(self, queue: str) -> None:
        """Does nothing: there are no workers."""

    def turn(self) -> None:
        while self.partition.step():
            self.store.wait_applied(self.store.tail(), None)
            self.partition.release(self.store.applied())

    def run(self, first: int, count: int) -> None:
        stopped: list[str] = []
        for number in range(first, first + count):
            kind = number % ONE_OF
            id = _core.execution_id("default", "default", "1234567", (1_700_000_000 << 32) + number)
            qualifier = {VERSION: "1", ALIAS: "prod:1"}.get(kind, "")
            command = r.StartExecutionCommand(id, "w:1", None, f"n{number}", qualifier=qualifier)
            self.partition.submit(command, of_value(kind), lambda result, error: None)
            if kind == STOP:
                stopped.append(id)
        self.turn()
        for id in stopped:
            self.partition.submit(r.CancelExecutionCommand(id, None, None))
        self.turn()


def make(store: _core.Store, count: int) -> None:
    maker = Maker(store)
    began = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        maker.run(first, min(AT_ONCE, count - first))
    print(f"{count} executions in {time.perf_counter() - began:.0f} s")


def told(name: str, read: Callable[[], Any]) -> Any:
    times: list[float] = []
    cpu: list[float] = []
    found = None
    for _ in range(READS):
        began, used = time.perf_counter(), time.thread_time()
        found = read()
        times.append((time.perf_counter() - began) * 1000)
        cpu.append((time.thread_time() - used) * 1000)
    least = f"least {min(times):6.2f}, CPU {min(cpu):5.2f} ms"
    print(f"  {name:44} first {times[0]:7.2f}  median {statistics.median(times):6.2f}  {least}")
    return found


def lists(storage: Storage, count: int) -> None:
    asked = {
        "all": Asked("w"),
        **{status: Asked("w", status) for status in ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")},  # type: ignore[arg-type]
        "of a version": Asked("w:1"),
        "of a version, FAILED (none)": Asked("w:1", "FAILED"),
        "of an alias": Asked("w:prod"),
    }
    for name, each in asked.items():
        page = told(name, lambda each=each: listings.page(storage, each, None, PAGE))
        if page.position is not None:
            told(f"{name}, the next page", lambda each=each, at=page.position: listings.page(storage, each, at, PAGE))
    middle = deep(storage, Asked("w"), count // 2)
    told("all, half-way", lambda: listings.page(storage, Asked("w"), middle, PAGE))


def deep(storage: Storage, asked: Asked, count: int) -> Position | None:
    """The position behind so many executions."""
    position: Position | None = None
    for _ in range(count // 10_000):
        position = listings.page(storage, asked, position, 10_000).position or position
    return position


def history(folder: Path) -> None:
    """An execution of many events, page by page."""
    states: dict[str, Any] = {"P": {"Type": "Pass", "End": True}}
    loop = {"StartAt": "P", "States": states}
    per_item = 4
    items = (EVENTS - 6) // per_item
    over = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": loop, "End": True}}}
    with Executor(folder) as ex:
        ex.deploy("long", over)
        execution = ex.start("long", list(range(items))).wait(600)
        events = len(ex.history(execution.id))
        print(f"a history of {events} events, pages of {PAGE}:")
        for reverse in (False, True):
            for after in (0, events // 2, events - PAGE if not reverse else PAGE):
                name = f"{'backwards' if reverse else 'forwards'} from event {after or ('the last' if reverse else 1)}"
                told(
                    name,
                    lambda after=after, reverse=reverse: ex.history(execution.id, PAGE, reverse=reverse, after=after),
                )


def main() -> None:
    count = int(sys.argv[1])
    kept = sys.argv[2:]
    with nullcontext(kept[0]) if kept else tempfile.TemporaryDirectory(prefix="lists-") as folder:
        if not (Path(folder) / "data").exists():
            with _core.Store.open(Path(folder) / "data") as store:
                make(store, count)
        print(f"{count} executions; a page of {PAGE}:")
        with _core.Store.open(Path(folder) / "data") as store:  # from the disk, with an empty cache
            lists(Storage(store), count)
        with tempfile.TemporaryDirectory(prefix="long-") as long:
            history(Path(long))


if __name__ == "__main__":
    main()
