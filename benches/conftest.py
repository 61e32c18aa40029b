"""What the benchmarks share: the disk's own floor, and figures beside those of pytest-benchmark."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def fdatasync_seconds(folder: Path, count: int = 200) -> float:
    """The median of ``count`` appends of 500 bytes with fdatasync."""
    times: list[float] = []
    descriptor = os.open(folder / "floor", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(count):
            began = time.perf_counter()
            os.write(descriptor, b"x" * 500)
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
    return sorted(times)[count // 2]


@pytest.fixture
def report(benchmark: Any, tmp_path: Path) -> Callable[..., None]:
    """Puts figures beside the benchmark's own, and prints them."""

    def note(**figures: float) -> None:
        floor = fdatasync_seconds(tmp_path)
        benchmark.extra_info.update(figures, fdatasync_ms=floor * 1000)
        shown = ", ".join(f"{name.replace('_', ' ')} {value:,.2f}" for name, value in figures.items())
        print(f"\n  {benchmark.name}: {shown} (fdatasync {floor * 1000:.2f} ms)")

    return note
