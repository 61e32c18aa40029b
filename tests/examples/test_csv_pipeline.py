"""The CSV pipeline over 100,000 rows, killed at drawn moments: a row is there once, and nothing is paid for twice."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from examples.support import EXAMPLES, Killed, Program, new_random, programs, rows
from stepwell import Executor

EXAMPLE = EXAMPLES / "csv_pipeline"
ROWS, ROWS_PER_PART, KILLS = 100_000, 500, 1
LOST_PARTS = 8
"""Parts that always fail, 4 % of them: their country never becomes known."""
BEGUN = "import "


def write_file(start: Any, files: Path, random: random.Random) -> set[int]:
    """Make the file, with a country that nobody knows in one row of some parts; the first rows of these."""
    made = start(EXAMPLE / "customers.py", files, ROWS, cwd=files.parent).ended()
    assert made.process.returncode == 0, made.output
    file = files / "customers-in" / "customers.csv"
    lines = file.read_text().splitlines()
    lost = {part * ROWS_PER_PART for part in random.sample(range(ROWS // ROWS_PER_PART // 2), LOST_PARTS)}
    for first in lost:
        row = first + random.randrange(ROWS_PER_PART)
        lines[row + 1] = lines[row + 1].rpartition(",")[0] + ",ZZ"
    file.write_text("\n".join(lines) + "\n")
    return lost


def imported_rows(files: Path, query: str) -> list[tuple[str, ...]]:
    return rows(files / "customers.sqlite", query)


def bills(files: Path) -> list[tuple[str, ...]]:
    """The part (its first row) and the task of each call that was paid for."""
    return imported_rows(files, "SELECT first, task FROM bills")


def succeeded(data: Path) -> set[str]:
    """The first rows of the parts that have succeeded."""
    with Executor(data) as ex:
        (parent,) = ex.list("import")
        assert (parent.status, parent.error) == ("Failed", "States.ExceedToleratedFailureThreshold")
        return {child.input["Items"][0]["id"] for child in ex.executions(parent=parent.id, status="SUCCEEDED")}


def assert_each_part_has_one_task(paid: list[tuple[str, ...]]) -> None:
    assert len({task for _, task in paid}) == len({part for part, _ in paid}), "two tasks have paid for one part"


def test_each_row_is_imported_once_and_only_what_failed_is_redriven(tmp_path: Path) -> None:
    random = new_random()
    files, data = tmp_path / "files", tmp_path / "data"
    with programs() as start:
        lost = write_file(start, files, random)

        def run(*words: str) -> Program:
            return start(EXAMPLE / "pipeline.py", data, files, "customers.csv", *words, cwd=tmp_path)

        failed = Killed(run, BEGUN, random, KILLS, 0.5).last().ended()
        assert failed.process.returncode == 1, failed.output
        done = succeeded(data)
        paid = bills(files)
        assert_each_part_has_one_task(paid)

        (files / "currencies.json").write_text(json.dumps({"DE": "EUR", "CH": "CHF", "XX": "USD"}))
        finished = Killed(lambda: run("--redrive"), BEGUN, random, KILLS, 0.5).last().ended()
        assert finished.process.returncode == 0, finished.output

    again = bills(files)[len(paid) :]
    assert_each_part_has_one_task(again)
    assert not done & {part for part, _ in again}, "a part that had succeeded was paid for again"
    assert {int(part) for part, _ in paid + again} == set(range(0, ROWS, ROWS_PER_PART))
    told = [line for line in finished.lines if line.startswith("not imported: ")]
    assert sorted(told) == sorted(f"not imported: 500 rows from {part} on: UnknownCountry: ZZ" for part in lost)
    imported = {number for number in range(ROWS) if number // ROWS_PER_PART * ROWS_PER_PART not in lost}
    without_address = {number for number in imported if number % 1000 == 999}
    assert {int(id) for (id,) in imported_rows(files, "SELECT id FROM rejected")} == without_address
    assert {int(id) for (id,) in imported_rows(files, "SELECT id FROM customers")} == imported - without_address
