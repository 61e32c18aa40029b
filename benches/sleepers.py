"""Executions that wait: the memory of a process with many of them, and how soon it is ready after SIGKILL.

    .venv/bin/python benches/sleepers.py                     # 100,000
    .venv/bin/python benches/sleepers.py --count 1000000
    .venv/bin/python benches/sleepers.py --kind callback     # tasks that wait for their tokens, instead of timers

One process starts them, each acknowledged, and is killed. A second one opens the folder, reports when it was ready,
starts and ends one more execution, and is killed too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
DEFINITIONS: dict[str, dict[str, Any]] = {
    "timer": {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}}},
    "callback": {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task",
                "Resource": CALLBACK,
                "Parameters": {"FunctionName": "send", "Payload.$": "$"},
                "End": True,
            }
        },
    },
}
QUICK = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
AT_ONCE = 2000
DAY = 86_400


def resident() -> int:
    """This process's memory, in bytes."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def child(folder: Path, kind: str, count: int) -> None:
    """Open the folder, start ``count`` waiting executions, report what it took, and wait to be killed."""
    from stepwell import Executor
    from stepwell.engine.host.promises import Latch

    began, used = time.perf_counter(), time.process_time()
    executor = Executor(folder, handlers={"send": lambda message: {"sent": True}})
    ready, used = time.perf_counter() - began, time.process_time() - used
    executor.deploy("sleep", DEFINITIONS[kind])
    executor.deploy("quick", QUICK)
    began = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        latches = [Latch() for _ in range(min(AT_ONCE, count - first))]
        for n, latch in enumerate(latches, first):
            document = {"n": n, "seconds": DAY + n % DAY}
            executor.submit_start("sleep", document, None, latch.deliver)
        for latch in latches:
            latch.wait(60)
    started = time.perf_counter() - began
    began = time.perf_counter()
    executor.start("quick").wait(60)
    answered = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    threads = threading.active_count()
    figures = {"ready": ready, "started": started, "answered": answered, "rss": resident(), "peak": peak, "used": used}
    print(json.dumps({**figures, "threads": threads}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--kind", choices=DEFINITIONS, default="timer")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options.child, options.kind, options.count)
    with tempfile.TemporaryDirectory(prefix="sleepers-", dir=os.environ.get("TMPDIR")) as folder:
        for count in (options.count, 0):
            command = [sys.executable, __file__, "--child", folder, "--kind", options.kind, "--count", str(count)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            measured = json.loads(done.stdout)
            rss, peak = measured["rss"] / 1e6, measured["peak"] / 1e6
            if count:
                print(f"{count:,} started in {measured['started']:.1f} s ({count / measured['started']:,.0f} a second)")
            else:
                print(f"ready {measured['ready']:.2f} s after SIGKILL, with {measured['used']:.2f} s of processor time")
            print(f"  RSS {rss:.0f} MB, at most {peak:.0f} MB; the next one took {measured['answered'] * 1000:.0f} ms")


if __name__ == "__main__":
    main()
