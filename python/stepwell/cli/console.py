"""A command's output: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from stepwell.asl.json import dumps

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2"}
_ROWS = 256
"""How many rows of a table are aligned, and printed, together."""


class Console:
    """Prints results as JSON documents, one a line (``--json``), or as text for people."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.is_live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.width = shutil.get_terminal_size().columns
        self._coloured = self.is_live and "NO_COLOR" not in os.environ

    def document(self, value: Any) -> None:
        """Print a result that is JSON itself: on one line with ``--json``, else indented."""
        text = dumps(value).decode()
        _print(text if self.as_json else json.dumps(json.loads(text), indent=2, ensure_ascii=False))

    def record(self, record: Mapping[str, Any], text: str) -> None:
        """Print one result: ``record`` with ``--json``, else ``text``."""
        _print(_line(record) if self.as_json else text)

    def table(self, records: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """Print many results: a document a line with ``--json``, else aligned columns under a heading.

        They are printed as they come, some hundreds at a time; so columns may become wider on the way.
        """
        if self.as_json:
            for record in records:
                _print(_line(record))
            return
        rows = [tuple(column.replace("_", " ").upper() for column in columns)]
        widths = [len(title) for title in rows[0]]
        coming = iter(records)
        while True:
            rows += [tuple(_cell(record.get(column)) for column in columns) for record in islice(coming, _ROWS)]
            if not rows:
                return
            widths = [max(width, *(len(row[i]) for row in rows)) for i, width in enumerate(widths)]
            for row in rows:
                _print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
            rows = []

    def note(self, text: str) -> None:
        """Print information that is not a result."""
        print(_shown(text), file=sys.stderr, flush=True)

    def write_raw(self, text: str) -> None:
        """Write terminal output unchanged, with its control sequences."""
        sys.stderr.write(text)
        sys.stderr.flush()

    def error(self, error: Exception) -> None:
        """Print on one line why the command failed."""
        message = " ".join(str(error).split()) or type(error).__name__
        if self.as_json:
            self.note(_line({"error": type(error).__name__, "message": message}))
        else:
            self.note(f"{self.paint('stepwell: error:', 'red')} {message}")

    def paint(self, text: str, colour: str) -> str:
        """``text`` in a colour, if standard error is a terminal that shows colours."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._coloured else text


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _print(text: str) -> None:
    print(_shown(text))


def _line(record: Mapping[str, Any]) -> str:
    """A record as a JSON document on one line."""
    texts = {name: _shown(value) if isinstance(value, str) else value for name, value in record.items()}
    return dumps(texts).decode()


def _shown(text: str) -> str:
    """A text whose characters that cannot be encoded are escaped: a path may be any bytes (Python: surrogates)."""
    return text.encode("utf-8", "backslashreplace").decode()
