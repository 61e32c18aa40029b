"""The file formats of items: CSV, JSON lines, Parquet."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, BinaryIO, cast

from stepwell.asl.csv_rows import CsvError, csv_rows
from stepwell.asl.json import loads
from stepwell.errors import InvalidInput

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


class FormatError(ValueError):
    """A file does not match its configuration; the text is the failed state's cause."""


def read_csv(file: BinaryIO, config: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, by header. Surplus fields are dropped; missing ones are empty."""
    delimiter = _DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ",")
    if config.get("CSVHeaderLocation") == "GIVEN":
        return rows_of_csv(file, [str(header) for header in config.get("CSVHeaders", [])], delimiter)
    return rows_of_csv(file, None, delimiter)


def rows_of_csv(file: BinaryIO, headers: list[str] | None, delimiter: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file under ``headers``, or under those of its first row."""
    with closing(_rows(file, delimiter)) as rows:
        if headers is None:
            headers = next(rows, cast("list[str]", []))
        if len(set(headers)) < len(headers):
            raise FormatError("CSV headers cannot contain duplicates.")
        missing = [""] * len(headers)
        for row in rows:
            if row:  # skip empty lines
                yield dict(zip(headers, row + missing, strict=False))


def _rows(file: BinaryIO, delimiter: str) -> Generator[list[str], None, None]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from csv_rows(text, delimiter)
    except (CsvError, UnicodeDecodeError) as error:
        raise FormatError(f"the CSV file cannot be read: {error}") from error
    finally:
        text.detach()  # the caller closes the file


def read_json_lines(file: BinaryIO) -> Iterator[Any]:
    """One value per line."""
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield loads(line)
            except InvalidInput as error:
                raise FormatError(f"line {number} is not JSON: {error}") from error


def read_parquet(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file."""
    try:
        import pyarrow.parquet as parquet  # pyright: ignore
    except ImportError as error:
        raise FormatError("Parquet files need pyarrow: pip install 'stepwell[parquet]'") from error
    table: Any = parquet.ParquetFile(io.BytesIO(file.read()))  # pyright: ignore
    for batch in table.iter_batches():
        rows: Iterable[dict[str, Any]] = batch.to_pylist()
        for row in rows:
            yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """A Parquet value as JSON: dates and decimals become texts."""
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}  # pyright: ignore
    if isinstance(value, list):
        return [_plain(member) for member in value]  # pyright: ignore
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
