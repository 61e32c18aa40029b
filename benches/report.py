"""The row of figures of a benchmark run, beside the disk's own sync time.

    python benches/report.py RUN.json              # print it
    python benches/report.py RUN.json --save       # keep it in docs/bench/results.json too
    python benches/report.py --docs                # tables and charts of docs/performance.md, from the saved figures

``RUN.json`` is pytest-benchmark's. A figure that a run does not have is shown as a dash.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from charts import bars, curves
from machine import describe

DOCS = Path(__file__).parent.parent / "docs"
RESULTS, PEERS, EMULATORS = (DOCS / f"bench/{name}.json" for name in ("results", "peers", "emulators"))
PAGE = DOCS / "performance.md"
Results = dict[str, dict[str, float]]
"""Benchmark → figure → value."""


class Row(NamedTuple):
    """A line of the table: a benchmark's figure, its format, and its target."""

    what: str
    benchmark: str
    figure: str
    shown: str
    target: str

    def meets(self, value: float) -> bool | None:
        """Whether the target is met; None if it is not a number."""
        bound = re.match(r"([≤<≥]) ([\d.,]+)", self.target)
        if bound is None:
            return None
        limit = float(bound[2].replace(",", ""))
        return value >= limit if bound[1] == "≥" else value <= limit


TABLE = [
    Row("1 step, sequential, p50", "test_one_step_sequential", "p50_ms", "{:.2f} ms", ""),
    Row("the same in fdatasyncs", "test_one_step_sequential", "in_fdatasyncs", "{:.1f} ×", "≤ 4 ×"),
    Row("10 Task steps, 64 threads", "test_ten_tasks[64]", "steps_per_second", "{:,.0f} steps/s", "≥ 20,000"),
    Row(
        "10 Task steps, asyncio, 64 at once",
        "test_ten_states_from_asyncio[tasks]",
        "per_second",
        "{:,.0f} steps/s",
        "≥ 20,000",
    ),
    Row("2 partitions against 1", "partitions", "ratio", "{:.2f} ×", "≥ 1.7 ×"),
    Row(
        "10 Pass states, 64 threads",
        "test_ten_passes_from_threads",
        "transitions_per_second",
        "{:,.0f} /s",
        "≥ 100,000",
    ),
    Row(
        "10 Pass states, asyncio, 64 at once",
        "test_ten_states_from_asyncio[passes]",
        "per_second",
        "{:,.0f} /s",
        "≥ 100,000",
    ),
    Row("starts, 64 threads", "test_starts[threads]", "starts_per_second", "{:,.0f} /s", "≥ 10,000"),
    Row("starts, one async client", "test_starts[asyncio]", "starts_per_second", "{:,.0f} /s", "≥ 10,000"),
    Row("Map over 10,000 items, a task each", "test_map[10000]", "seconds", "{:.2f} s", "≤ 1.0 s"),
    Row("Map over 100,000 items", "test_map[100000]", "seconds", "{:.1f} s", "runs"),
    Row("memory of the Map, an item of 100,000", "test_map_memory[100000]", "kb_per_item", "{:.1f} KB", "linear"),
    Row("100,000 waiting: memory", "test_waiting_executions[100000]", "rss_mb", "{:.0f} MB", "≤ 250 MB"),
    Row(
        "100,000 waiting: ready after SIGKILL",
        "test_waiting_executions[100000]",
        "ready_seconds_after_kill",
        "{:.2f} s",
        "≤ 5 s",
    ),
    Row("1,000,000 waiting: memory", "test_waiting_executions[1000000]", "rss_mb", "{:.0f} MB", "< 1,000 MB"),
    Row(
        "1,000,000 waiting: ready after SIGKILL",
        "test_waiting_executions[1000000]",
        "ready_seconds_after_kill",
        "{:.2f} s",
        "≤ 10 s",
    ),
    Row(
        "100 KiB through 10 states, in parse + serialise",
        "test_documents_of_100_kib",
        "times_parse_and_serialise",
        "{:.1f} ×",
        "≤ 3 ×",
    ),
    Row(
        "StartExecution over HTTP, 64 connections", "test_server_start_execution", "per_second", "{:,.0f} /s", "≥ 5,000"
    ),
    Row("the same, p99", "test_server_start_execution", "p99_ms", "{:.0f} ms", "≤ 25 ms"),
    Row("DescribeExecution", "test_server_describe_execution", "per_second", "{:,.0f} /s", "≥ 8,000"),
    Row("StartSyncExecution of a Pass", "test_server_start_sync_execution", "per_second", "{:,.0f} /s", "≥ 2,500"),
    Row("GetActivityTask → SendTaskSuccess", "test_server_activity_tasks", "tasks_per_second", "{:,.0f} /s", "≥ 3,000"),
    Row("the idle server: memory", "test_server_start_execution", "idle_mb", "{:.0f} MB", "≤ 90 MB"),
    Row("import stepwell", "test_import", "import_ms", "{:.0f} ms", "≤ 60 ms"),
    Row("from stepwell import Executor", "test_import", "executor_ms", "{:.0f} ms", ""),
    Row("wheel", "test_wheel", "wheel_mb", "{:.1f} MB", "≤ 15 MB"),
]
CPU_ROWS = [
    ("a Task step, 64 threads", "test_ten_tasks[64]", "cpu_microseconds_per_step"),
    ("a Task step, asyncio", "test_ten_states_from_asyncio[tasks]", "cpu_microseconds_each"),
    ("a Pass transition, 64 threads", "test_ten_passes_from_threads", "cpu_microseconds_per_transition"),
    ("a Pass transition, asyncio", "test_ten_states_from_asyncio[passes]", "cpu_microseconds_each"),
    ("a start, 64 threads", "test_starts[threads]", "cpu_microseconds_per_start"),
    ("a start, asyncio", "test_starts[asyncio]", "cpu_microseconds_per_start"),
    ("StartExecution over HTTP", "test_server_start_execution", "cpu_microseconds_each"),
    ("DescribeExecution over HTTP", "test_server_describe_execution", "cpu_microseconds_each"),
    ("StartSyncExecution over HTTP", "test_server_start_sync_execution", "cpu_microseconds_each"),
    ("a task by GetActivityTask and SendTaskSuccess", "test_server_activity_tasks", "cpu_microseconds_each"),
    ("an import of the Executor (ms)", "test_import", "executor_cpu_ms"),
    ("an item of a Map of 10,000", "test_map[10000]", "cpu_microseconds_per_item"),
]
HISTORIES = (10, 100, 1_000, 10_000, 100_000)
GROWTH = [
    ("executions at once", "steps/s", "test_ten_tasks[{}]", "steps_per_second", (1, 10, 64, 1000)),
    ("events of one history", "µs an event, CPU", "test_history[{}]", "cpu_microseconds_per_event", HISTORIES),
    ("events of one history, read", "µs an event, CPU", "test_history[{}]", "reading_cpu_per_event", HISTORIES),
    ("items of one Map", "µs an item", "test_map[{}]", "microseconds_per_item", (1_000, 10_000, 100_000)),
    ("items of one Map", "µs an item, CPU", "test_map[{}]", "cpu_microseconds_per_item", (1_000, 10_000, 100_000)),
    ("items of one Map, memory", "MB at most", "test_map_memory[{}]", "peak_mb", (1_000, 10_000, 100_000)),
    ("log replayed, MB", "s a GB, CPU", "test_recovery[{}]", "cpu_seconds_per_gb", (4, 32, 256, 1024, 10240)),
]


def read_run(path: Path) -> Results:
    """The figures of pytest-benchmark's file."""
    run = json.loads(path.read_text())
    return {benchmark["name"]: benchmark["extra_info"] for benchmark in run["benchmarks"] if benchmark["extra_info"]}


def value_of(results: Results, benchmark: str, figure: str) -> float | None:
    """A figure, or None if the run does not have it."""
    if benchmark == "partitions":
        one, two = (value_of(results, f"test_ten_tasks_partitions[{n}]", "steps_per_second") for n in (1, 2))
        return two / one if one and two else None
    return results.get(benchmark, {}).get(figure)


def our_row(results: Results) -> str:
    """The table, as Markdown."""
    lines = ["| | measured | target | met | fdatasync then |", "|---|---|---|---|---|"]
    for row in TABLE:
        value = value_of(results, row.benchmark, row.figure)
        floor = results.get(row.benchmark, {}).get("fdatasync_ms")
        shown = "–" if value is None else row.shown.format(value)
        met = "" if value is None else {True: "yes", False: "no", None: ""}[row.meets(value)]
        lines.append(f"| {row.what} | {shown} | {row.target} | {met} | {'' if floor is None else f'{floor:.2f} ms'} |")
    return "\n".join(lines)


def cpu_table(results: Results) -> str:
    """Processor time of the whole process per operation, which other work on the machine hardly changes."""
    lines = ["| | CPU, µs |", "|---|---|"]
    for what, benchmark, figure in CPU_ROWS:
        value = value_of(results, benchmark, figure)
        lines.append(f"| {what} | {'–' if value is None else f'{value:.0f}'} |")
    return "\n".join(lines)


def growth_table(results: Results) -> str:
    """A line for each curve: the measured sizes, and the cost at each."""
    lines = ["| | | at each size |", "|---|---|---|"]
    for what, unit, benchmark, figure, sizes in GROWTH:
        points = [(size, value_of(results, benchmark.format(size), figure)) for size in sizes]
        cells = " · ".join(f"{size:,}: {value:,.3g}" for size, value in points if value is not None)
        lines.append(f"| {what} | {unit} | {cells or '–'} |")
    return "\n".join(lines)


def where(machine: dict[str, Any]) -> str:
    """The machine, on one line."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}, {machine['day']}; load average {machine['load']} at the end."
    )


def peers_table(peers: dict[str, Any]) -> str:
    """The rows of the other engines and ours, from one run."""
    engines = peers["engines"]
    lines = [
        "| | 1 step, p50 | 10 steps, 64 at once | CPU of 10 steps | starts/s | memory | we: steps/s | we: CPU |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = engines["Stepwell"]
    for engine, row in engines.items():
        steps = ours["steps_per_second"] / row["steps_per_second"]
        cpu = row["cpu_ms_per_workflow"] / ours["cpu_ms_per_workflow"]
        ratios = "| | |" if engine == "Stepwell" else f"| {steps:.0f} × | {cpu:.0f} × |"
        lines.append(
            f"| {engine} | {row['one_step_p50_ms']:.1f} ms | {row['steps_per_second']:,.0f} steps/s "
            f"| {row['cpu_ms_per_workflow']:.2f} ms | {row['starts_per_second']:,.0f} | {row['rss_mb']:.0f} MB {ratios}"
        )
    floor = f"The disk's own fdatasync in that run: {peers['fdatasync_ms']:.2f} ms."
    return "\n".join(lines) + f"\n\n{floor} {where(peers['machine'])}"


def emulators_table(kept: dict[str, Any]) -> str:
    """The rows of AWS's emulators and ours, from one run."""
    lines = [
        "| | StartExecution | p99 | CPU of one | DescribeExecution | CPU of one | memory | we: rates | we: CPU |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ours = kept["servers"]["Stepwell"]
    for server, row in kept["servers"].items():
        rates = [ours[f"{name}_per_second"] / row[f"{name}_per_second"] for name in ("start", "describe")]
        cpu = [row[f"{name}_cpu_ms"] / ours[f"{name}_cpu_ms"] for name in ("start", "describe")]
        ratios = " | ".join(f"{start:.0f} ×, {describe:.0f} ×" for start, describe in (rates, cpu))
        lines.append(
            f"| {server} | {row['start_per_second']:,.0f} /s | {row['start_p99_ms']:,.0f} ms "
            f"| {row['start_cpu_ms']:.2f} ms | {row['describe_per_second']:,.0f} /s | {row['describe_cpu_ms']:.2f} ms "
            f"| {row['rss_mb']:.0f} MB | {' | ' if server == 'Stepwell' else ratios} |"
        )
    floor = f"The disk's own fdatasync in that run: {kept['fdatasync_ms']:.2f} ms."
    return "\n".join(lines) + f"\n\n{floor} {where(kept['machine'])}"


def between(text: str, name: str, content: str) -> str:
    """``text`` with new content between the markers ``name``."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"


def write_docs() -> None:
    """Write the page's tables and the charts beside it."""
    kept = json.loads(RESULTS.read_text())
    results: Results = kept["results"]
    page = PAGE.read_text()
    page = between(page, "results", f"{our_row(results)}\n\n{where(kept['machine'])}")
    page = between(page, "cpu", cpu_table(results))
    page = between(page, "growth", growth_table(results))
    if EMULATORS.exists():
        page = between(page, "emulators", emulators_table(json.loads(EMULATORS.read_text())))
    if PEERS.exists():
        peers = json.loads(PEERS.read_text())
        page = between(page, "peers", peers_table(peers))
        rates = {engine: row["steps_per_second"] for engine, row in peers["engines"].items()}
        chart = bars("Task steps a second, ten steps, 64 workflows at once", rates)
        (DOCS / "bench/peers.svg").write_text(chart)
    lines: dict[str, list[tuple[float, float]]] = {}
    for what, unit, benchmark, figure, sizes in GROWTH:
        points = [(float(size), value_of(results, benchmark.format(size), figure)) for size in sizes]
        if unit.endswith("CPU") and unit.startswith("µs"):
            lines[f"{what}, {unit}"] = [(size, value) for size, value in points if value is not None]
    (DOCS / "bench/growth.svg").write_text(curves("What one more costs: level is linear", lines))
    PAGE.write_text(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, help="what pytest --benchmark-json wrote")
    parser.add_argument("--save", action="store_true", help=f"keep the figures in {RESULTS.name}; others stay")
    parser.add_argument("--docs", action="store_true", help="write tables and charts into the docs")
    options = parser.parse_args()
    if options.run is not None:
        results = read_run(options.run)
        print(our_row(results))
        if options.save:
            RESULTS.parent.mkdir(parents=True, exist_ok=True)
            before = json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else {}
            kept = {"machine": describe(), "results": before | results}
            RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    if options.docs:
        write_docs()


if __name__ == "__main__":
    main()
