"""Last, a crash: the process dies when the money is on its way, and before that is recorded."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import refunds

from stepwell import Executor

WORKER = Path(__file__).with_name("worker.py")


def test_a_payment_that_a_crash_interrupts_is_made_once(tmp_path: Path, bank: refunds.Bank) -> None:
    died = subprocess.run([sys.executable, WORKER, tmp_path / "data", tmp_path / "bank.jsonl"], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    assert bank.amounts() == [500]

    with Executor(tmp_path / "data", handlers=refunds.handlers(bank)) as engine:  # the task is called again
        execution = engine.get(workflow="refund", name="refund-1").wait(30)
        assert execution.status == "Succeeded"
    assert bank.amounts() == [500]
