"""Workers of their own processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60
"""No test waits longer for a worker."""


class Working:
    """A worker that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def stop(self) -> int:
        """Stop it gracefully; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(SECONDS)


@contextmanager
def working(url: str, handlers: Path, *arguments: str) -> Generator[Working]:
    """A worker with these arguments of ``stepwell worker``."""
    command = [sys.executable, "-m", "stepwell", "worker", "--server", url, "--handlers", str(handlers), *arguments]
    tests = str(Path(__file__).parents[1])  # handlers may import what is here
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": tests}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "works for" in line, f"the worker did not start: exit code {process.poll()}"
            yield Working(process)
        finally:
            if process.poll() is None:
                process.kill()
