r"""CSV as AWS reads it: quotes that are doubled, and backslashes (guide, "How Step Functions parses input CSV files").

``""`` is a quotation mark inside and outside of quotes. A backslash keeps a backslash, a quotation mark or the
delimiter after it, and is dropped before any other character. A quoted field may hold delimiters and line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_FIELD_CHARACTERS = 8 << 20


class CsvError(ValueError):
    """A field that is too long, or whose quotes are never closed."""


def csv_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The rows of ``lines``, which keep their line breaks. An empty line is an empty row. Raises ``CsvError``."""
    return _Rows(iter(lines), delimiter).read()


class _Rows:
    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._kept = ("\\", '"', delimiter)
        self._quoted_run = re.compile(r'[^"\\]+')
        self._plain_run = re.compile(rf'[^"\\\r\n{re.escape(delimiter)}]+')

    def read(self) -> Iterator[list[str]]:
        for line in self._lines:
            if '"' in line or "\\" in line:
                yield self._row(line)
            else:
                text = line.rstrip("\r\n")
                yield text.split(self._delimiter) if text else []

    def _row(self, line: str) -> list[str]:
        fields: list[str] = []
        position = 0
        while True:
            field, line, position = self._field(line, position)
            fields.append(field)
            if not line.startswith(self._delimiter, position):
                return fields
            position += 1

    def _field(self, line: str, position: int) -> tuple[str, str, int]:
        """A field from ``position`` on; the line in which it ends, and the position there."""
        quoted = line.startswith('"', position)
        position += quoted
        parts: list[str] = []
        size = 0
        while True:
            if position == len(line):
                if not quoted:
                    break
                line, position = self._next_line(), 0
            elif not quoted and line[position] in (self._delimiter, "\r", "\n"):
                break
            elif line.startswith('"', position) and not line.startswith('""', position) and quoted:
                quoted, position = False, position + 1
            else:
                part, position = self._part(line, position, self._quoted_run if quoted else self._plain_run)
                parts.append(part)
                size += len(part)
                if size > MAX_FIELD_CHARACTERS:
                    raise CsvError(f"a field is longer than {MAX_FIELD_CHARACTERS} characters")
        return "".join(parts), line, position

    def _part(self, line: str, position: int, run: re.Pattern[str]) -> tuple[str, int]:
        """The next part of a field, unescaped, and where it ends."""
        sign = line[position]
        if sign == '"':
            return '"', position + (2 if line.startswith('""', position) else 1)
        if sign == "\\":
            after = line[position + 1 : position + 2]
            return (after, position + 2) if after in self._kept else ("", position + 1)
        found = run.match(line, position)
        assert found is not None
        return found[0], found.end()

    def _next_line(self) -> str:
        line = next(self._lines, None)
        if line is None:
            raise CsvError("a quoted field has no end")
        return line
