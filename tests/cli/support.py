"""Support for tests of the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Finished:
    """The result of a command: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """The JSON documents on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> Any:
        (document,) = self.documents
        return document

    def error_line(self) -> str:
        """The only line on standard error, which names the problem."""
        (line,) = self.err.splitlines()
        assert line.startswith("stepwell: error: "), line
        return line.removeprefix("stepwell: error: ")


Stepwell = Callable[..., Finished]
Machine = Callable[..., Path]
Deploy = Callable[..., None]


def masked(text: str) -> str:
    """``text`` without what differs between runs: ids, times, folders of tests."""
    text = re.sub(r"/default/default/e[0-9a-f]{7}/[0-9a-f]{16}", "<execution>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(Z|\+00:00)?", "<time>", text)
    text = re.sub(r"^store: [0-9a-f]{32}$", "store: <id>", text, flags=re.MULTILINE)
    text = re.sub(r"^bytes: \d+$", "bytes: <count>", text, flags=re.MULTILINE)  # clocks differ in their digits
    return re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "<clock>", text)


def assert_golden(name: str, text: str) -> None:
    """``text`` must be the content of the golden file. ``UPDATE_GOLDEN=1`` writes the file: then check the diff."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(masked(text))
    assert masked(text) == file.read_text()


class Owner:
    """The process ``cli.owner``."""

    def __init__(self, *words: object) -> None:
        command = [sys.executable, "-m", "cli.owner", *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        assert self.line() == "READY"

    @property
    def pid(self) -> int:
        return self.process.pid

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def do(self, word: str) -> str:
        """Let it do something; what it says then."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.line()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


Own = Callable[..., Owner]
