"""``stepwell torture``, for developers of Stepwell: kills the engine repeatedly and checks that nothing is lost."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from .console import Console
from .exits import FAILED, OK, UsageError
from .options import Commands, add_command


def add_commands(commands: Commands) -> None:
    """Add ``torture``."""
    parser = add_command(
        commands, "torture", torture, "kill a running engine at random moments, and check what is left"
    )
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="how often to kill it (default: 50)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="repeats the moments and the work (default: 0)"
    )
    parser.add_argument("--seconds", type=float, metavar="T", help="stop after about so long, with fewer kills")
    parser.add_argument(
        "--folder", metavar="DIR", help="where the data and the journal go, to be kept (default: a temporary folder)"
    )


def torture(options: argparse.Namespace, console: Console) -> int:
    """Kill, recover, compare with the journal; 1 if anything was lost, repeated, early or changed."""
    from stepwell.testing.torture import torture as run  # imports the whole engine

    if options.kills < 1:
        raise UsageError("--kills must be at least 1.")
    with tempfile.TemporaryDirectory(prefix="stepwell-torture-") as temporary:
        folder = Path(options.folder or temporary)
        if options.folder and folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty: give --folder a new one.")
        report = run(folder, options.kills, options.seed, options.seconds)
    facts = {
        "kills": f"{report.kills}, seed {report.seed}, {report.seconds:.1f} s",
        **report.counts,
        "latest timer": f"{report.latest_timer:.3f} s",
        "rows of storage, all read": report.rows,
        "breaches": len(report.breaches),
    }
    width = max(map(len, facts))
    lines = [f"{name:<{width}}  {fact}" for name, fact in facts.items()]
    console.record(asdict(report), "\n".join([*lines, *(f"  {breach}" for breach in report.breaches)]))
    return FAILED if report.breaches else OK
