"""The same work for every engine, and its measurement.

Three workflows: one step, ten steps in a row, and one that waits for an hour. A step adds one. Each client prints one
line of JSON: ``report``. Times are wall-clock times. ``cpu_ms_per_workflow`` is the processor time of all processes of
the engine and of the client, which other work on the machine hardly changes.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ONE_COUNT = int(os.environ.get("PEERS_ONE", "200"))
TEN_COUNT = int(os.environ.get("PEERS_TEN", "300"))
START_COUNT = int(os.environ.get("PEERS_STARTS", "500"))
AT_ONCE = 64
STEPS = 10


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_seconds(processes: Iterable[int]) -> float:
    """Their processor time so far, in user and kernel mode."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(processes: Iterable[int]) -> float:
    """Their resident memory."""
    texts = (Path(f"/proc/{process}/status").read_text() for process in processes)
    # A process that ended and was not waited for yet has none.
    return sum(int(text.split("VmRSS:")[1].split()[0]) for text in texts if "VmRSS:" in text) / 1024


def report(
    engine: str, processes: Iterable[int], times: list[float], seconds: float, cpu: float, starting: float
) -> None:
    """One engine's row: the times of single steps, of ``TEN_COUNT`` workflows, and of ``START_COUNT`` starts."""
    figures = {
        "one_step_p50_ms": percentile(times, 0.5) * 1000,
        "one_step_p99_ms": percentile(times, 0.99) * 1000,
        "steps_per_second": STEPS * TEN_COUNT / seconds,
        "cpu_ms_per_workflow": cpu / TEN_COUNT * 1000,
        "starts_per_second": START_COUNT / starting,
        "rss_mb": resident_mb(processes),
    }
    print(json.dumps({"engine": engine, **{name: round(value, 3) for name, value in figures.items()}}), flush=True)


def in_threads(work: Callable[[int], None], count: int, at_once: int = AT_ONCE) -> float:
    """The seconds that ``count`` calls take, with ``at_once`` of them at a time."""
    numbers, lock = iter(range(count)), threading.Lock()

    def run() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            work(number)

    threads = [threading.Thread(target=run) for _ in range(at_once)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure(
    engine: str,
    processes: list[int],
    one: Callable[[int], int],
    ten: Callable[[int], int],
    start_waiting: Callable[[int], object],
) -> None:
    """Do the work through an engine's blocking calls, and report it."""

    def checked_ten(number: int) -> None:
        assert ten(number) == number + STEPS

    for number in range(10):
        assert one(number) == number + 1
    times: list[float] = []
    for number in range(ONE_COUNT):
        began = time.perf_counter()
        assert one(number) == number + 1
        times.append(time.perf_counter() - began)
    before = cpu_seconds(processes)
    seconds = in_threads(checked_ten, TEN_COUNT)
    cpu = cpu_seconds(processes) - before
    starting = in_threads(lambda number: start_waiting(number) and None, START_COUNT)
    report(engine, processes, times, seconds, cpu, starting)
