"""The machine of a measurement, what a process takes of it, and the disk's own sync time."""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from pathlib import Path


def describe() -> dict[str, object]:
    """The machine, its current load, the versions, the date."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "system": f"Linux {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "day": time.strftime("%Y-%m-%d"),
    }


def cpu_seconds(process: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(process: int) -> float:
    """The memory that a process has."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024


class Floor:
    """A file to append to and sync: measures the time that the disk itself takes at that moment."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "floor", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def seconds(self) -> float:
        """One append of 500 bytes with fdatasync."""
        began = time.perf_counter()
        os.write(self._descriptor, b"x" * 500)
        os.fdatasync(self._descriptor)
        return time.perf_counter() - began


def fdatasync_seconds(folder: Path, count: int = 200) -> float:
    """The median of ``count`` such syncs."""
    with Floor(folder) as floor:
        return statistics.median(floor.seconds() for _ in range(count))
