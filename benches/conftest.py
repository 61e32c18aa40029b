"""Fixtures of the benchmarks: the disk's sync time, and figures beside those of pytest-benchmark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from machine import fdatasync_seconds


@pytest.fixture
def report(benchmark: Any, tmp_path: Path) -> Callable[..., None]:
    """Adds figures to the benchmark's own, and prints them."""

    def note(**figures: float) -> None:
        floor = fdatasync_seconds(tmp_path)
        benchmark.extra_info.update(figures, fdatasync_ms=floor * 1000)
        shown = ", ".join(f"{name.replace('_', ' ')} {value:,.2f}" for name, value in figures.items())
        print(f"\n  {benchmark.name}: {shown} (fdatasync {floor * 1000:.2f} ms)")

    return note
