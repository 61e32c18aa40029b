"""The cost of making a batch durable, for each way in which a log could be written (docs/adr/0013).

    python benches/syncs.py [BYTES] [FOLDER]

`append` extends a file with every batch; `allocated` writes into blocks of fallocate, `zeros` over zeros that were
written before, a MiB at a time; `log` is Stepwell's log.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stepwell import _core

ROUNDS, BATCHES = 5, 1500
ROOM = 1 << 20

Write = Callable[[], object]


def raw(folder: Path, batch: bytes, make_room: Callable[[int, int], object] | None) -> Write:
    """Writes a batch at the end of a file; preallocates when the end is reached."""
    descriptor = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    at = room = 0

    def write() -> None:
        nonlocal at, room
        if make_room and at + len(batch) > room:
            make_room(descriptor, room)
            room += ROOM
        at += os.pwrite(descriptor, batch, at)
        os.fdatasync(descriptor)

    return write


def log(folder: Path, batch: bytes) -> Write:
    stream = _core.LogStream.open(folder)

    def write() -> None:
        stream.append([(1, batch)], 0, stream.tail())
        stream.sync()

    return write


WAYS: dict[str, Callable[[Path, bytes], Write]] = {
    "append": lambda folder, batch: raw(folder, batch, None),
    "allocated": lambda folder, batch: raw(folder, batch, lambda file, at: os.posix_fallocate(file, at, ROOM)),
    "zeros": lambda folder, batch: raw(folder, batch, lambda file, at: os.pwrite(file, bytes(ROOM), at)),
    "log": log,
}


def microseconds(write: Write) -> float:
    start = time.perf_counter()
    write()
    return (time.perf_counter() - start) * 1e6


def main(size: int = 1500, parent: str | None = None) -> None:
    measured: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, begin in WAYS.items():
            with tempfile.TemporaryDirectory(dir=parent) as folder:
                write = begin(Path(folder), os.urandom(size))
                measured[way] += [microseconds(write) for _ in range(BATCHES)]
    for way, times in measured.items():
        cuts = statistics.quantiles(times, n=100)
        mean = statistics.mean(times)
        print(f"{size:6} B {way:10} p50 {cuts[49]:6.0f}  p90 {cuts[89]:6.0f}  p99 {cuts[98]:6.0f}  mean {mean:6.0f} µs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1500, sys.argv[2] if sys.argv[2:] else None)
