"""Where the time of a step goes: one partition in one thread, without its loop, 64 executions at a time.

    .venv/bin/python benches/profile_partition.py tasks 20000        # or: passes 50000

Only the thread that writes the log runs beside it, so the times are the partition's own, in processor time of its
thread: other work on the machine hardly changes them. A second run is sampled every millisecond of processor time;
samples are counted by function, and by part of the engine.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from stepwell import _core
from stepwell.asl.json import dumps
from stepwell.engine.log import records as r
from stepwell.engine.log.document import of_value
from stepwell.engine.partition.partition import Partition
from stepwell.engine.wall_clock import SystemClock
from stepwell.tasks.dispatch import Call

AT_ONCE, STEPS = 64, 10
STATES = {"tasks": {"Type": "Task", "Resource": "echo"}, "passes": {"Type": "Pass"}}
ORDER = {"order": 7, "name": "abc"}
EVERY_SECONDS = 0.001
PARTS = [
    ("appliers/", "appliers: events into live executions and rows"),
    ("state/execution.py", "appliers: events into live executions and rows"),
    ("storage/", "appliers: events into live executions and rows"),
    ("processors/", "processors: commands into records"),
    ("partition/services.py", "processors: commands into records"),
    ("partition/numbering.py", "processors: commands into records"),
    ("state/turn.py", "turns: processing, encoding, rows"),
    ("partition/processing.py", "turns: processing, encoding, rows"),
    ("log/document.py", "documents: JSON"),
    ("log/", "turns: processing, encoding, rows"),
    ("asl/json.py", "documents: JSON"),
    ("asl/", "the language"),
    ("profile_partition.py", "this script, in place of handlers and clients"),
]
LOOP = "the loop: requests, batches, effects"


class Load:
    """The partition, with handlers and clients that answer at once."""

    def __init__(self, machine: str, store: _core.Store) -> None:
        self.store, self.calls = store, list[Call]()
        self.partition = Partition(store, SystemClock(), self)
        self.partition.recover()
        states: dict[str, Any] = {f"S{n}": {**STATES[machine], "Next": f"S{n + 1}"} for n in range(STEPS)}
        states[f"S{STEPS - 1}"] = {**STATES[machine], "End": True}
        text = dumps({"StartAt": "S0", "States": states})
        self.partition.submit(r.PutWorkflowCommand("w", 1, text, "STANDARD"))
        self.turn()
        self.started = self.ended = 0
        self.partition.services.on_ended = self.end

    def dispatch(self, tasks: list[Call]) -> None:
        self.calls += tasks

    def queued(self, queue: str) -> None:
        """Does nothing: there are no workers."""

    def end(self, execution: object) -> None:
        self.ended += 1

    def start(self) -> None:
        self.started += 1
        id = _core.execution_id("default", "default", "1234567", (1_700_000_000 << 32) + self.started)
        command = r.StartExecutionCommand(id, "w:1", None, f"n{self.started}")
        self.partition.submit(command, of_value(ORDER), lambda result, error: None)

    def turn(self) -> None:
        """Process one batch, and run its effects when it is durable."""
        self.partition.step()
        self.store.wait_applied(self.store.tail(), None)
        self.partition.release(self.store.applied())

    def run(self, count: int) -> None:
        """Run so many executions from start to end, ``AT_ONCE`` of them at a time."""
        goal = self.ended + count
        first = self.started
        while self.ended < goal:
            while self.started - self.ended < AT_ONCE and self.started - first < count:
                self.start()
            calls, self.calls = self.calls, []
            self.partition.answer(
                [(r.CompleteTaskCommand(c.id, c.resource, None, 0, 0), of_value(ORDER)) for c in calls]
            )
            self.turn()


def part_of(path: str) -> str:
    """What a file of Stepwell's is for."""
    inside = path.partition("stepwell/engine/")[2] or path.partition("stepwell/")[2] or Path(path).name
    return next((part for begin, part in PARTS if inside.startswith(begin)), LOOP)


def sampled(load: Load, count: int) -> tuple[Counter[str], Counter[str]]:
    """Samples by part and by function."""
    parts, places = Counter[str](), Counter[str]()

    def sample(_: int, frame: FrameType | None) -> None:
        # A sample taken while this thread waits for the disk belongs to the thread that writes the log.
        if frame is not None and frame.f_code is not Load.turn.__code__:
            code = frame.f_code
            parts[part_of(code.co_filename)] += 1
            places[f"{code.co_qualname} ({Path(code.co_filename).name})"] += 1

    signal.signal(signal.SIGVTALRM, sample)
    signal.setitimer(signal.ITIMER_VIRTUAL, EVERY_SECONDS, EVERY_SECONDS)
    try:
        load.run(count)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return parts, places


def main() -> None:
    machine, count = sys.argv[1], int(sys.argv[2]) // STEPS
    with tempfile.TemporaryDirectory(prefix="profile-") as folder, _core.Store.open(Path(folder) / "data") as store:
        load = Load(machine, store)
        load.run(count // 10)
        before = time.thread_time()
        load.run(count)
        each = (time.thread_time() - before) / count / STEPS * 1e6
        print(f"{machine}: {each:.1f} µs of the partition's thread a step")
        parts, places = sampled(load, count)
    total = parts.total()
    print(f"  {total} samples: a share of 10 % is good to ±{200 * (0.09 / total) ** 0.5:.1f} %")
    for part, samples in parts.most_common():
        print(f"  {samples / total:4.0%} {each * samples / total:5.1f} µs  {part}")
    print("  functions:")
    for place, samples in places.most_common(20):
        print(f"  {samples / total:4.0%} {each * samples / total:5.1f} µs  {place}")


if __name__ == "__main__":
    main()
