"""Fixtures: an engine over a folder of the test's own, with the real handlers and a bank of its own."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
import refunds

from stepwell import Executor


@pytest.fixture
def bank(tmp_path: Path) -> refunds.Bank:
    return refunds.Bank(tmp_path / "bank.jsonl")


@pytest.fixture
def engine(tmp_path: Path, bank: refunds.Bank) -> Generator[Executor]:
    with Executor(tmp_path / "data", handlers=refunds.handlers(bank), strict_handlers=True) as engine:
        engine.deploy("refund", refunds.WORKFLOW)
        yield engine
