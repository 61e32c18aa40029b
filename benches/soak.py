"""A steady load with retention: memory and disk must not grow (docs/reliability.md, promise 10).

    .venv/bin/python benches/soak.py                       # 60 seconds, as CI runs it
    .venv/bin/python benches/soak.py --seconds 3600 --rate 500

Executions with tasks, retries, maps and waits are started at a fixed rate; each is deleted ``--retention`` seconds
after its end. A line every few seconds shows memory and disk. The exit code is 1 if the last third of the run has more
than the third before it, beyond ``--tolerance`` and the allowance for caches.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from stepwell import Executor, TaskError
from stepwell.engine.host.promises import Latch
from stepwell.engine.limits import Limits

MIB = 1 << 20
ALLOWANCE = {"rss": 24 * MIB, "disk": 8 * MIB}
"""What does not count as growth in a short run: caches and buffers fill, and the number of segments varies by one."""
DEFINITIONS: dict[str, dict[str, Any]] = {
    "chain": {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Next": "B"},
            "B": {
                "Type": "Task",
                "Resource": "flaky",
                "Retry": [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 5}],
                "Next": "C",
            },
            "C": {"Type": "Task", "Resource": "echo", "End": True},
        },
    },
    "map": {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": {
                    "StartAt": "T",
                    "States": {"T": {"Type": "Task", "Resource": "echo", "End": True}},
                },
                "End": True,
            }
        },
    },
    "wait": {
        "StartAt": "W",
        "States": {
            "W": {"Type": "Wait", "Seconds": 3, "Next": "P"},
            "P": {"Type": "Parallel", "Branches": [], "End": True},
        },
    },
}
DEFINITIONS["wait"]["States"]["P"]["Branches"] = [
    {"StartAt": f"T{n}", "States": {f"T{n}": {"Type": "Task", "Resource": "echo", "End": True}}} for n in range(2)
]


class Sample(NamedTuple):
    """What was measured, so many seconds after the start."""

    seconds: float
    started: int
    executions: int
    rss: int
    log: int
    storage: int

    @property
    def disk(self) -> int:
        return self.log + self.storage

    def __str__(self) -> str:
        return (
            f"{self.seconds:8.0f} s  {self.started:>10,} started  {self.executions:>8,} kept  "
            f"RSS {self.rss / MIB:7.1f} MiB  log {self.log / MIB:7.1f} MiB  storage {self.storage / MIB:7.1f} MiB"
        )


def flaky(value: Any) -> Any:
    if random.random() < 0.05:
        raise TaskError("Flaky", "one in twenty")
    return value


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder; files may appear and vanish meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def resident() -> int:
    """The process's memory, in bytes."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Soak:
    """One run."""

    def __init__(self, executor: Executor, folder: Path, rate: float) -> None:
        self._executor, self._folder, self._rate = executor, folder, rate
        self._names = list(DEFINITIONS)
        self._began = time.monotonic()
        self.started = 0
        self.left_out = 0

    def load(self, seconds: float) -> None:
        """Start executions at the fixed rate; each group of them is acknowledged before the next."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            wanted = int((now - self._began) * self._rate) - self.started - self.left_out
            most = int(self._rate / 2) + 1  # a longer delay is not caught up on: that would be another load
            self.left_out += max(0, wanted - most)
            self._start(min(max(wanted, 0), most))
            time.sleep(0.005)

    def _start(self, count: int) -> None:
        latches: list[Latch] = []
        for _ in range(count):
            latch = Latch()
            latches.append(latch)
            document = {"order": self.started, "items": list(range(5)), "note": "x" * 200}
            name = f"n{self.started}" if self.started % 2 else None
            workflow = self._names[self.started % len(self._names)]
            self._executor.submit_start(workflow, document, name, latch.deliver)
            self.started += 1
        for latch in latches:
            latch.wait(60)

    def sample(self) -> Sample:
        """Measure the process and its folder."""
        executions = len(self._executor.list(limit=1_000_000))
        sizes = size_of(self._folder / "log"), size_of(self._folder / "storage")
        return Sample(time.monotonic() - self._began, self.started, executions, resident(), *sizes)


def grew(samples: list[Sample], what: str, tolerance: float) -> bool:
    """Whether the maximum of the last third exceeds that of the third before it."""
    third = len(samples) // 3
    before = max(getattr(sample, what) for sample in samples[third : 2 * third])
    after = max(getattr(sample, what) for sample in samples[2 * third :])
    print(f"{what}: at most {before / MIB:.1f} MiB in the second third, {after / MIB:.1f} MiB in the last")
    return after > before * (1 + tolerance) + ALLOWANCE[what]


def run(options: argparse.Namespace, folder: Path) -> int:
    """Run the load, and compare."""
    limits = Limits(retention=options.retention, log_bytes=int(options.log_mib * MIB))
    handlers = {"echo": lambda value: value, "flaky": flaky}
    samples: list[Sample] = []
    with Executor(folder, handlers=handlers, limits=limits) as executor:
        for name, definition in DEFINITIONS.items():
            executor.deploy(name, definition)
        soak = Soak(executor, folder, options.rate)
        while not samples or samples[-1].seconds < options.seconds:
            soak.load(min(options.every, options.seconds))
            samples.append(soak.sample())
            print(samples[-1], flush=True)
        if soak.left_out:
            print(f"{soak.left_out:,} executions were left out: the machine did not keep up")
    grown = [what for what in ("rss", "disk") if grew(samples, what, options.tolerance)]
    return int(bool(grown))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=200, help="executions started a second")
    parser.add_argument("--retention", type=float, default=5, help="seconds that an ended execution is kept")
    parser.add_argument("--every", type=float, default=3, help="seconds between two looks")
    parser.add_argument("--log-mib", type=float, default=4, help="after so much log storage is flushed")
    parser.add_argument("--tolerance", type=float, default=0.15, help="how much more the last third may have")
    parser.add_argument("--folder", type=Path, help="where (default: a temporary folder)")
    options = parser.parse_args()
    if options.folder is not None:
        return run(options, options.folder)
    with tempfile.TemporaryDirectory(prefix="soak-", dir=os.environ.get("TMPDIR")) as folder:
        return run(options, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
