"""The CSV pipeline, killed at drawn moments: a row is there once, and what has succeeded is not paid for again."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest

from examples.support import EXAMPLES, Killed, Program, new_random, programs
from stepwell import Executor

PIPELINE = EXAMPLES / "csv_pipeline" / "pipeline.py"
ROWS, KILLS = 250, 2
WITHOUT_ADDRESS, WITHOUT_COUNTRY = 8, 30
"""Rows that always fail, 3 % of them, and rows that fail until their country is known."""
BEGUN = "import "


def write_file(folder: Path, random: random.Random) -> tuple[set[str], set[str]]:
    """The ids of the rows without an address, and of those with an unknown country."""
    drawn = [str(number) for number in random.sample(range(ROWS), WITHOUT_ADDRESS + WITHOUT_COUNTRY)]
    bad, unknown = set(drawn[:WITHOUT_ADDRESS]), set(drawn[WITHOUT_ADDRESS:])
    lines = ["id,email,country"]
    for id in map(str, range(ROWS)):
        address = "nobody" if id in bad else f"{id}@example.org"
        lines.append(f"{id},{address},{'XX' if id in unknown else random.choice(['DE', 'CH'])}")
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "customers.csv").write_text("\n".join(lines) + "\n")
    return bad, unknown


def know(folder: Path, *countries: str) -> None:
    (folder / "currencies.json").write_text(json.dumps(dict.fromkeys(countries, "EUR")))


def bills(folder: Path) -> list[tuple[str, str]]:
    """The row and the task of each call that was paid for."""
    db = sqlite3.connect(folder / "customers.sqlite")
    found = db.execute("SELECT row, task FROM bills").fetchall()
    db.close()
    return found


def customers(folder: Path) -> list[str]:
    db = sqlite3.connect(folder / "customers.sqlite")
    found = [id for (id,) in db.execute("SELECT id FROM customers")]
    db.close()
    return found


def succeeded(data: Path) -> set[str]:
    """The ids of the rows whose child executions have succeeded."""
    with Executor(data) as ex:
        (parent,) = ex.list("import")
        assert (parent.status, parent.error) == ("Failed", "States.ExceedToleratedFailureThreshold")
        return {child.input["id"] for child in ex.executions(parent=parent.id, status="SUCCEEDED")}


@pytest.mark.timeout(180)
def test_each_row_is_imported_once_and_only_what_failed_is_redriven(tmp_path: Path) -> None:
    random = new_random()
    files, data = tmp_path / "files", tmp_path / "data"
    bad, _ = write_file(files, random)
    know(files, "DE", "CH")
    with programs() as start:

        def run() -> Program:
            words = (PIPELINE, data, files, "customers.csv", "--redrive")
            return start(*words, cwd=tmp_path, PIPELINE_LOOKUP_SECONDS=0.02)

        def first() -> Program:
            return start(PIPELINE, data, files, "customers.csv", cwd=tmp_path, PIPELINE_LOOKUP_SECONDS=0.02)

        failed = Killed(first, BEGUN, random, KILLS, 0.4).last().ended()
        assert failed.process.returncode == 1, failed.output
        done = succeeded(data)
        paid = bills(files)
        assert len({task for _, task in paid}) == len({row for row, _ in paid}), "a row was paid for by two tasks"

        know(files, "DE", "CH", "XX")
        finished = Killed(run, BEGUN, random, KILLS, 0.4).last().ended()
        assert finished.process.returncode == 0, finished.output

    again = bills(files)[len(paid) :]
    assert not done & {row for row, _ in again}, "a row that had succeeded was paid for again"
    assert len({task for _, task in again}) == len({row for row, _ in again})
    assert {row for row, _ in paid + again} == {str(number) for number in range(ROWS)}
    assert sorted(customers(files), key=int) == [str(number) for number in range(ROWS) if str(number) not in bad]
    told = [line for line in finished.lines if line.startswith("not imported: ")]
    assert len(told) == WITHOUT_ADDRESS
    assert all("BadRow" in line for line in told)
