"""How costs grow with a history's length, a Map's items, a log's size. ``docs/performance.md`` shows the curves.

    make bench BENCH=benches/test_growth.py
    BENCH_LOG_MB=1024 make bench BENCH="benches/test_growth.py -k recovery"      # a log of a gigabyte

``test_workflows.py`` (``test_ten_tasks``) measures concurrency.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stepwell import Executor

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
LOG_MB = [4, 32, *map(int, os.environ.get("BENCH_LOG_MB", "").split())]
LOOP = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Pass", "Parameters": {"left.$": "States.MathAdd($.left, -1)"}, "Next": "Left"},
        "Left": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.left", "NumericGreaterThan": 0, "Next": "Count"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}
EVENTS_A_ROUND = 4


@pytest.mark.parametrize("events", [10, 100, 1_000, 10_000, 100_000])
def test_history(benchmark: Any, report: Any, tmp_path: Path, events: int) -> None:
    """One execution with so many events, and reading all of them."""
    rounds = max(1, events // EVENTS_A_ROUND - 1)
    with Executor(tmp_path / "data") as ex:
        ex.deploy("loop", LOOP)

        def run() -> Any:
            return ex.start("loop", {"left": rounds}).wait()

        cpu: list[float] = []

        def timed() -> Any:
            before = time.process_time()
            execution = run()
            cpu.append(time.process_time() - before)
            return execution

        execution = benchmark.pedantic(timed, rounds=2 if events > 10_000 else 8, warmup_rounds=1)
        assert execution.status == "Succeeded", execution.cause
        began = time.process_time()
        count = len(execution.history())
        reading = time.process_time() - began
    report(
        events=count,
        microseconds_per_event=benchmark.stats.stats.min / count * 1e6,
        cpu_microseconds_per_event=min(cpu) / count * 1e6,
        reading_cpu_per_event=reading / count * 1e6,
    )


MAP_MEMORY = """
import json, sys
from pathlib import Path
from stepwell import Executor

def peak():
    status = Path("/proc/self/status").read_text()  # getrusage would count the parent's, from before exec
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

items = int(sys.argv[1])
with Executor(sys.argv[2], handlers={"echo": lambda value: value}) as ex:
    each = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "echo", "End": True}}}
    machine = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": each, "End": True}}}
    ex.deploy("map", machine)
    ex.start("map", [1]).wait()
    before = peak()
    execution = ex.start("map", list(range(items))).wait()
    assert execution.status == "Succeeded", execution.cause
    print(json.dumps({"before": before, "peak": peak()}))
"""


@pytest.mark.parametrize("items", [1_000, 10_000, 100_000])
def test_map_memory(benchmark: Any, report: Any, tmp_path: Path, items: int) -> None:
    """The peak memory of a process during a Map over so many items."""
    command = [sys.executable, "-c", MAP_MEMORY, str(items), str(tmp_path / "data")]
    seen: list[dict[str, float]] = []

    def run() -> None:
        seen.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))

    benchmark.pedantic(run, rounds=1)
    (rss,) = seen
    report(peak_mb=rss["peak"], kb_per_item=(rss["peak"] - rss["before"]) * 1024 / items)


WRITER = """
import os, sys
from pathlib import Path
from threading import Semaphore
from stepwell import Executor
from stepwell.engine.inbox import Limits
folder, wanted = Path(sys.argv[1]), int(sys.argv[2]) << 20
states = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(9)} | {"S9": {"Type": "Pass", "End": True}}
ex = Executor(folder, limits=Limits(log_bytes=1 << 40))
ex.deploy("passes", {"StartAt": "S0", "States": states})
gate = Semaphore(2000)
started = 0
while sum(path.stat().st_size for path in (folder / "log").glob("*.log")) < wanted:
    for _ in range(500):
        gate.acquire()
        ex.submit_start("passes", {"order": started, "name": "abc"}, None, lambda id, error: gate.release())
        started += 1
print(started, flush=True)
os.kill(os.getpid(), 9)
"""


def size_of(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("megabytes", LOG_MB)
def test_recovery(benchmark: Any, report: Any, tmp_path: Path, megabytes: int) -> None:
    """Opening a folder without its storage: the whole log is replayed, which is the worst case after a crash."""
    folder = tmp_path / "data"
    wanted = str(max(1, int(megabytes * SCALE)))
    written = subprocess.run([sys.executable, "-c", WRITER, str(folder), wanted], capture_output=True, check=False)
    executions = int(written.stdout)
    log, storage = size_of(folder / "log"), size_of(folder / "storage")
    shutil.rmtree(folder / "storage")

    def open_and_close() -> tuple[float, float]:
        began, before = time.perf_counter(), time.process_time()
        executor = Executor(folder)
        taken = time.perf_counter() - began, time.process_time() - before
        executor.close()
        return taken

    seconds, cpu = benchmark.pedantic(open_and_close, rounds=1)
    assert size_of(folder / "storage") > 0
    report(
        log_mb=log / 2**20,
        seconds=seconds,
        seconds_per_gb=seconds / (log / 2**30),
        cpu_seconds_per_gb=cpu / (log / 2**30),
        microseconds_per_execution=seconds / executions * 1e6,
        log_bytes_per_execution=log / executions,
        storage_bytes_per_execution=storage / executions,
    )


def test_wheel(benchmark: Any, report: Any) -> None:
    """The size of what ``pip install`` downloads."""
    wheels = sorted((Path(__file__).parent.parent / "dist").glob("*.whl"))
    assert wheels, "make wheel builds it"
    report(wheel_mb=benchmark.pedantic(wheels[-1].stat, rounds=1).st_size / 1e6)
