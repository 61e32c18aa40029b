"""What the tests of the command share."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Finished:
    """What a command left: exit code, standard output and standard error."""

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
        """The only line on standard error, which says what was wrong."""
        (line,) = self.err.splitlines()
        assert line.startswith("stepwell: error: "), line
        return line.removeprefix("stepwell: error: ")


Stepwell = Callable[..., Finished]
Machine = Callable[..., Path]
Deploy = Callable[..., None]


def masked(text: str) -> str:
    """``text`` without what differs from run to run: ids, times, folders of tests."""
    text = re.sub(r"/default/default/e[0-9a-f]{7}/[0-9a-f]{16}", "<execution>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(Z|\+00:00)?", "<time>", text)
    text = re.sub(r"^store: [0-9a-f]{32}$", "store: <id>", text, flags=re.MULTILINE)
    text = re.sub(r"^bytes: \d+$", "bytes: <count>", text, flags=re.MULTILINE)  # clocks take the room they need
    return re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "<clock>", text)


def assert_golden(name: str, text: str) -> None:
    """``text`` is what the golden file holds. ``UPDATE_GOLDEN=1`` writes the file: then look at the diff."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(masked(text))
    assert masked(text) == file.read_text()
