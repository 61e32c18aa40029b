"""A journal outside the engine: what the killed process saw, line by line.

A line is one ``write`` to a file opened for appending. It survives SIGKILL, so no sync is needed.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Journal:
    """Records what a process does, from any of its threads."""

    def __init__(self, path: Path, round: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._round = round

    def write(self, what: str, **facts: Any) -> None:
        """Add a line."""
        line = json.dumps({"what": what, "at": time.time(), "round": self._round, **facts})
        os.write(self._file, line.encode() + b"\n")


def read(path: Path) -> list[Line]:
    """The lines of a journal."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().splitlines()]
