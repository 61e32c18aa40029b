"""For test_crash.py: a process that dies in the middle of a payment. ``python worker.py DATA BANK``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import refunds

from stepwell import Executor


class DyingBank(refunds.Bank):
    """A bank that transfers the money, and then the power fails."""

    def transfer(self, account: str, cents: int, key: str) -> None:
        super().transfer(account, cents, key)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Start it, and wait for an end that does not come."""
    data, bank = sys.argv[1:]
    with Executor(data, handlers=refunds.handlers(DyingBank(Path(bank)))) as engine:
        engine.deploy("refund", refunds.WORKFLOW)
        engine.start("refund", refunds.Refund("ada", 500, patience=0), "refund-1").wait()


if __name__ == "__main__":
    main()
