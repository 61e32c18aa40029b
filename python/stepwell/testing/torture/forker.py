"""Forks the processes to be killed: a fork is faster than a new interpreter, and this process opens no store.

``python -m stepwell.testing.torture.forker FOLDER SEED`` reads lines ``live ROUND`` or ``drain ROUND`` and answers each
with the new process's id; it answers ``wait`` with the exit code of the last one.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from .child import Child


def main() -> None:
    """Serve until the input ends."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    born = 0
    for line in sys.stdin:
        match line.split():
            case ["wait"]:
                print(os.waitstatus_to_exitcode(os.waitpid(born, 0)[1]), flush=True)
            case [how, round]:
                born = os.fork()
                if born == 0:
                    _live(how, folder, seed, int(round))
                print(born, flush=True)
            case _:
                sys.exit(f"unknown order {line!r}")


def _live(how: str, folder: Path, seed: int, round: int) -> None:
    try:
        child = Child(folder, seed, round)
        child.drain() if how == "drain" else child.live()
    except BaseException:  # noqa: BLE001 - a fork ends here, whatever it met
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
