"""What the tests of folders share: what a folder holds, and a load that knows what was confirmed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from stepwell import Executor
from stepwell.errors import StepwellError

LONG = 30.0
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def fill(data: Path, count: int, name: str = "w") -> list[str]:
    """An executor's folder with so many executions that have ended."""
    with Executor(data) as executor:
        executor.deploy(name, PASS)
        return [executor.start(name, n).wait(LONG).id for n in range(count)]


def ids(data: Path) -> set[str]:
    """The executions that an executor's folder has."""
    with Executor(data) as executor:
        return {execution.id for execution in executor.list(limit=1_000_000)}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Load:
    """Starts executions until that fails, and knows which were confirmed."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.confirmed: list[str] = []
        self.error: StepwellError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                self.confirmed.append(self.executor.start("w", 1).id)
        except StepwellError as error:
            self.error = error

    def wait_for(self, more: int) -> None:
        """Wait until so many more were confirmed."""
        wanted, deadline = len(self.confirmed) + more, time.monotonic() + LONG
        while len(self.confirmed) < wanted:
            assert self.error is None, self.error
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def join(self) -> StepwellError:
        """The error that ended it."""
        self._thread.join(LONG)
        assert self.error is not None, "the load still goes on"
        return self.error


def close(executor: Executor) -> None:
    """Close an executor that has failed, and has reported it before."""
    executor.close()
