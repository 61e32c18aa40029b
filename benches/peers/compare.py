"""Runs the same work on Stepwell and on the other installed engines, one after the other, in one run.

    benches/peers/setup && make peers
    make peers POSTGRES=postgresql://USER@HOST/DATABASE

Prints a table with the ratios; ``--save FILE`` writes the figures as JSON. With several rounds each figure is the
median of its rounds. Stepwell does ``--more`` times as many workflows, so that its measurement takes longer than a
moment.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from comparison import table  # noqa: E402
from machine import describe, fdatasync_seconds  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stepwell/peers"
COLUMNS = {
    "one_step_p50_ms": "1 step, p50 (ms)",
    "one_step_p99_ms": "p99 (ms)",
    "steps_per_second": "10 steps, 64 at once (steps/s)",
    "cpu_ms_per_workflow": "CPU a workflow of 10 steps (ms)",
    "starts_per_second": "starts/s",
    "rss_mb": "memory (MB)",
}
Row = dict[str, float]


def commands(options: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """The installed engines: a name → the command of its client."""
    python = str(options.peers / "venv/bin/python")
    found = {"Stepwell": [sys.executable, "stepwell_client.py", str(folder / "stepwell")]}
    if not Path(python).exists():
        print(f"no other engines in {options.peers}: benches/peers/setup installs them", file=sys.stderr)
        return found
    found["DBOS, SQLite"] = [python, "dbos_client.py", "DBOS, SQLite", f"sqlite:///{folder / 'dbos.sqlite'}"]
    if options.postgres:
        found["DBOS, PostgreSQL"] = [python, "dbos_client.py", "DBOS, PostgreSQL", options.postgres]
    servers = sorted((options.peers / "npm").glob("node_modules/@restatedev/restate-server-linux-*/bin/restate-server"))
    if servers:
        found["Restate"] = [python, "restate_client.py", str(servers[0]), str(folder / "restate")]
    return found


def run(command: list[str], more: int) -> Row:
    """The figures of one client."""
    counts = {"PEERS_TEN": str(300 * more), "PEERS_STARTS": str(500 * more)}
    done = subprocess.run(
        command, cwd=HERE, env={**os.environ, **counts}, capture_output=True, text=True, check=True, timeout=600
    )
    row = json.loads(done.stdout.splitlines()[-1])
    del row["engine"]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=CACHE, help="where benches/peers/setup installed them")
    parser.add_argument("--postgres", help="the URL of a database for DBOS")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--more", type=int, default=10)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    rounds: dict[str, list[Row]] = {}
    floors: list[float] = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="peers-", dir=os.environ.get("TMPDIR")) as folder:
            floors.append(fdatasync_seconds(Path(folder)) * 1000)
            for engine, command in commands(options, Path(folder)).items():
                print(f"{engine} ...", file=sys.stderr, flush=True)
                rounds.setdefault(engine, []).append(run(command, options.more if engine == "Stepwell" else 1))
    rows = {
        engine: {column: statistics.median(row[column] for row in of_engine) for column in COLUMNS}
        for engine, of_engine in rounds.items()
    }
    floor = statistics.median(floors)
    print(f"{table(COLUMNS, rows)}\n\nThe disk's own fdatasync in this run: {floor:.2f} ms.")
    if options.save:
        kept = {"machine": describe(), "fdatasync_ms": round(floor, 3), "rounds": options.rounds, "engines": rows}
        options.save.parent.mkdir(parents=True, exist_ok=True)
        options.save.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
