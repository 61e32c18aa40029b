"""Whole durable workflows: the figures of docs/performance.md.

    make bench BENCH=benches/test_workflows.py

A start is acknowledged when it is on disk, a task runs after its creation is, and handlers are Python functions in this
process. Beside each figure stands the disk's own fdatasync, measured in the same run. ``BENCH_SCALE`` scales the counts
(1: some minutes); ``BENCH_WAITING=1000000`` adds a million waiting executions.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from machine import Floor

from stepwell import AsyncExecutor, Executor

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
WAITING_COUNTS = [100_000, *map(int, os.environ.get("BENCH_WAITING", "").split())]
CONCURRENCY = 64
ORDER = {"order": 7, "name": "abc"}


def chain(count: int, state: dict[str, Any]) -> dict[str, Any]:
    """A machine of ``count`` equal states in a row."""
    states = {f"S{index}": {**state, "Next": f"S{index + 1}"} for index in range(count)}
    states[f"S{count - 1}"] = {**state, "End": True}
    return {"StartAt": "S0", "States": states}


PASS = {"Type": "Pass"}
TASK = {"Type": "Task", "Resource": "echo"}
MAP = {
    "StartAt": "Each",
    "States": {"Each": {"Type": "Map", "ItemProcessor": chain(1, TASK), "End": True}},
}


def echo(value: Any) -> Any:
    return value


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[Executor]:
    with Executor(tmp_path / "data", handlers={"echo": echo}) as ex:
        yield ex


def side_by_side(work: Callable[[], None], count: int, threads: int = CONCURRENCY) -> float:
    """The seconds that ``count`` calls of ``work`` take in ``threads`` threads."""
    left = iter(range(count))
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            work()

    workers = [threading.Thread(target=run) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


class Best(NamedTuple):
    """The best round: seconds, and seconds of processor time of this process."""

    seconds: float
    cpu: float


def once(benchmark: Any, work: Callable[[], float], rounds: int = 3) -> Best:
    """Run ``work``, which returns the seconds it took, several times."""
    taken: list[Best] = []

    def run() -> None:
        before = time.process_time()
        seconds = work()
        taken.append(Best(seconds, time.process_time() - before))

    benchmark.pedantic(run, rounds=rounds, warmup_rounds=1)
    return Best(min(best.seconds for best in taken), min(best.cpu for best in taken))


def test_one_step_sequential(benchmark: Any, executor: Executor, report: Any, tmp_path: Path) -> None:
    executor.deploy("one", chain(1, TASK))
    taken: list[tuple[float, float]] = []

    def run(floor: Floor) -> None:
        began = time.perf_counter()
        executor.start("one", ORDER).wait()
        taken.append((time.perf_counter() - began, floor.seconds()))

    # Each beside a sync of the disk: a sync at another moment may take another time.
    with Floor(tmp_path) as floor:
        benchmark.pedantic(lambda: run(floor), rounds=int(300 * SCALE), warmup_rounds=20)
    ours, syncs = (statistics.median(values) for values in zip(*taken, strict=True))
    report(p50_ms=ours * 1000, beside_fdatasync_ms=syncs * 1000, in_fdatasyncs=ours / syncs)


@pytest.mark.parametrize("concurrency", [1, 10, 64, 1000])
def test_ten_tasks(benchmark: Any, executor: Executor, report: Any, concurrency: int) -> None:
    executor.deploy("tasks", chain(10, TASK))
    count = int((200 if concurrency == 1 else 2000) * SCALE)
    best = once(
        benchmark, lambda: side_by_side(lambda: executor.start("tasks", ORDER).wait() and None, count, concurrency)
    )
    report(steps_per_second=10 * count / best.seconds, cpu_microseconds_per_step=best.cpu / count / 10 * 1e6)


@pytest.mark.parametrize("partitions", [1, 2])
def test_ten_tasks_partitions(benchmark: Any, report: Any, tmp_path: Path, partitions: int) -> None:
    """Ten tasks with a process for each partition; clients and handlers are in this process."""
    count = int(2000 * SCALE)
    with Executor(tmp_path / "data", handlers={"echo": echo}, partitions=partitions) as ex:
        ex.deploy("tasks", chain(10, TASK))
        best = once(benchmark, lambda: side_by_side(lambda: ex.start("tasks", ORDER).wait() and None, count))
    report(steps_per_second=10 * count / best.seconds)


def test_ten_passes_from_threads(benchmark: Any, executor: Executor, report: Any) -> None:
    executor.deploy("passes", chain(10, PASS))
    count = int(5000 * SCALE)
    best = once(benchmark, lambda: side_by_side(lambda: executor.start("passes", ORDER).wait() and None, count))
    cpu = best.cpu / count / 10 * 1e6
    report(transitions_per_second=10 * count / best.seconds, cpu_microseconds_per_transition=cpu)


@pytest.mark.parametrize("machine", ["passes", "tasks"])
def test_ten_states_from_asyncio(benchmark: Any, report: Any, tmp_path: Path, machine: str) -> None:
    count = int(5000 * SCALE)

    async def work() -> float:
        async with AsyncExecutor(tmp_path / f"data{time.monotonic_ns()}", handlers={"echo": echo}) as ex:
            await ex.deploy("w", chain(10, PASS if machine == "passes" else TASK))
            gate = asyncio.Semaphore(CONCURRENCY)

            async def one() -> None:
                async with gate:
                    await (await ex.start("w", ORDER)).wait()

            began = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(count)))
            return time.perf_counter() - began

    best = once(benchmark, lambda: asyncio.run(work()))
    report(per_second=10 * count / best.seconds, cpu_microseconds_each=best.cpu / count / 10 * 1e6)


@pytest.mark.parametrize("client", ["threads", "asyncio"])
def test_starts(benchmark: Any, report: Any, tmp_path: Path, client: str) -> None:
    """Starts of executions that then wait; each start is acknowledged."""
    machine = chain(1, {"Type": "Wait", "Seconds": 3600})
    count = int(10_000 * SCALE)

    def threads() -> float:
        with Executor(tmp_path / f"data{time.monotonic_ns()}") as ex:
            ex.deploy("wait", machine)
            return side_by_side(lambda: ex.start("wait", ORDER) and None, count)

    async def loop() -> float:
        async with AsyncExecutor(tmp_path / f"data{time.monotonic_ns()}") as ex:
            await ex.deploy("wait", machine)
            began = time.perf_counter()
            for _ in range(0, count, 500):
                await asyncio.gather(*(ex.start("wait", ORDER) for _ in range(500)))
            return time.perf_counter() - began

    best = once(benchmark, threads if client == "threads" else lambda: asyncio.run(loop()))
    report(starts_per_second=count / best.seconds, cpu_microseconds_per_start=best.cpu / count * 1e6)


@pytest.mark.parametrize("items", [1_000, 10_000, 100_000])
def test_map(benchmark: Any, executor: Executor, report: Any, items: int) -> None:
    executor.deploy("map", MAP)
    values = list(range(items))

    def work() -> float:
        began = time.perf_counter()
        execution = executor.start("map", values).wait()
        seconds = time.perf_counter() - began
        assert execution.status == "Succeeded", execution.cause
        return seconds

    best = once(benchmark, work, rounds=1 if items > 10_000 else 3)
    report(
        seconds=best.seconds,
        microseconds_per_item=best.seconds / items * 1e6,
        cpu_microseconds_per_item=best.cpu / items * 1e6,
    )


def test_documents_of_100_kib(benchmark: Any, executor: Executor, report: Any) -> None:
    """Ten states that each reshape a document, compared with parsing and serializing it once per state."""
    import msgspec

    document = {"rows": [{"id": n, "name": "x" * 40, "values": [1.5, 2.5, n]} for n in range(1150)]}
    text = msgspec.json.encode(document)
    executor.deploy("reshape", chain(10, {"Type": "Pass", "Parameters": {"rows.$": "$.rows"}}))
    benchmark.pedantic(lambda: executor.start("reshape", document).wait(), rounds=int(20 * SCALE), warmup_rounds=2)
    began = time.perf_counter()
    for _ in range(100):
        msgspec.json.encode(msgspec.json.decode(text))
    once_a_state = (time.perf_counter() - began) / 10
    report(kib=len(text) / 1024, times_parse_and_serialise=benchmark.stats.stats.median / once_a_state)


WAITING = """
import json, os, resource, sys, time
from stepwell import Executor
folder, count = sys.argv[1], int(sys.argv[2])
def rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()
began = time.perf_counter()
ex = Executor(folder)
ready = time.perf_counter() - began
if count:
    ex.deploy("wait", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(64) as pool:
        for _ in range(0, count, 10_000):
            list(pool.map(lambda n: ex.start("wait", {"n": n}) and None, range(min(count, 10_000))))
print(json.dumps({"ready": ready, "rss": rss()}), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("count", WAITING_COUNTS)
def test_waiting_executions(benchmark: Any, report: Any, tmp_path: Path, count: int) -> None:
    """The memory of a process with so many waiting executions, and its start after SIGKILL."""
    count = int(count * SCALE)
    seen: list[dict[str, float]] = []

    def run(number: int) -> None:
        command = [sys.executable, "-c", WAITING, str(tmp_path / "data"), str(number)]
        seen.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout))

    benchmark.pedantic(lambda: run(count), rounds=1)
    run(0)
    report(rss_mb=seen[0]["rss"] / 1e6, ready_seconds_after_kill=seen[1]["ready"], rss_mb_after=seen[1]["rss"] / 1e6)


def test_import(benchmark: Any, report: Any, tmp_path: Path) -> None:
    """In a new process, minus an empty process; compiled before, as an installed package is."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise every process compiles everything again

    def run(code: str) -> Best:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return Best(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def least(code: str) -> Best:
        runs = [run(code) for _ in range(10)]
        return Best(min(each.seconds for each in runs), min(each.cpu for each in runs))

    bare = least("pass")
    package = least("import stepwell")
    executor = benchmark.pedantic(lambda: least("from stepwell import Executor"), rounds=1, warmup_rounds=1)
    report(
        import_ms=(package.seconds - bare.seconds) * 1000,
        import_cpu_ms=(package.cpu - bare.cpu) * 1000,
        executor_ms=(executor.seconds - bare.seconds) * 1000,
        executor_cpu_ms=(executor.cpu - bare.cpu) * 1000,
    )
