"""Import a CSV file with a Distributed Map: a child execution for each part of 500 rows. See README.md.

python customers.py files 100000                                  # makes a file
python pipeline.py imports.data files customers.csv               # the file in files/customers-in; again after a crash
python pipeline.py imports.data files customers.csv --redrive     # what failed, and only that, once more
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from stepwell import Event, Execution, Executor, HandlerContext, ItemFiles, TaskError

WORKFLOW = {
    "StartAt": "Import",
    "States": {
        "Import": {
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                "Parameters": {"Bucket": "customers-in", "Key.$": "$.file"},
            },
            "ItemBatcher": {"MaxItemsPerBatchPath": "$.rows_per_part"},
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Lookup",
                "States": {
                    "Lookup": {
                        "Type": "Task",
                        "Resource": "lookup",
                        "TimeoutSeconds": 60,
                        "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 3}],
                        "ResultPath": "$.currencies",
                        "Next": "Store",
                    },
                    "Store": {"Type": "Task", "Resource": "store", "End": True},
                },
            },
            "MaxConcurrency": 100,
            "ToleratedFailurePercentage": 5,
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": "customers-out", "Prefix.$": "$.file"},
            },
            "End": True,
        }
    },
}
LOOKUP_SECONDS = float(os.environ.get("PIPELINE_LOOKUP_SECONDS", "0.01"))


class Row(TypedDict):
    """A row of the file."""

    id: str
    email: str
    country: str


class Part(TypedDict):
    """Some rows of the file: what a child execution is started with."""

    Items: list[Row]


class PricedPart(Part):
    """A part with what ``lookup`` has found: the currency of each country in it."""

    currencies: dict[str, str]


class Pipeline:
    """The handlers, over a folder with ``in``, ``out``, ``currencies.json`` and the database that rows come into."""

    def __init__(self, files: Path) -> None:
        self._files, self._database = files, files / "customers.sqlite"
        with sqlite3.connect(self._database) as db:
            db.execute("CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, email TEXT, currency TEXT)")
            db.execute("CREATE TABLE IF NOT EXISTS rejected (id TEXT PRIMARY KEY, reason TEXT)")
            db.execute("CREATE TABLE IF NOT EXISTS bills (first TEXT, task TEXT)")
        db.close()

    async def lookup(self, part: Part, ctx: HandlerContext) -> dict[str, str]:
        """Ask a service that takes money for each call, and so many calls at a time."""
        bill = (part["Items"][0]["id"], ctx.task_id)
        await asyncio.to_thread(self._write, "INSERT INTO bills VALUES (?, ?)", [bill])
        await asyncio.sleep(LOOKUP_SECONDS)
        known: dict[str, str] = json.loads((self._files / "currencies.json").read_text(encoding="utf-8"))
        countries = {row["country"] for row in part["Items"]}
        if unknown := countries - known.keys():
            raise TaskError("UnknownCountry", ", ".join(sorted(unknown)))
        return {country: known[country] for country in countries}

    def store(self, part: PricedPart) -> None:
        """Insert the rows; called again after a crash, it finds them there. Bad rows are set aside."""
        good = [row for row in part["Items"] if "@" in row["email"]]
        bad = [row for row in part["Items"] if "@" not in row["email"]]
        customers = [(row["id"], row["email"], part["currencies"][row["country"]]) for row in good]
        rejected = [(row["id"], f"{row['email']!r} is no address") for row in bad]
        self._write("INSERT OR IGNORE INTO rejected VALUES (?, ?)", rejected)
        self._write("INSERT OR IGNORE INTO customers VALUES (?, ?, ?)", customers)

    def _write(self, statement: str, rows: Sequence[tuple[str, ...]]) -> None:
        with sqlite3.connect(self._database, timeout=30) as db:
            db.executemany(statement, rows)
        db.close()


class Progress:
    """Prints how many parts have ended, each time 20 more have."""

    def __init__(self) -> None:
        self.ends: Counter[str | None] = Counter()

    def __call__(self, event: Event) -> None:
        self.ends[event.error or event.status] += 1
        if self.ends.total() % 20 == 0:
            print(f"{self.ends.total()} parts: {dict(self.ends)}", flush=True)


def import_file(engine: Executor, file: str, rows_per_part: int, *, redrive: bool) -> Execution:
    """Start the import of a file, or find the one that was started before, and wait for its end."""
    order = {"file": file, "rows_per_part": rows_per_part}
    execution = engine.start("import", order, file.replace(".", "_"), if_exists="return")
    if redrive and execution.status == "Failed":
        engine.redrive(execution.id)
    print(f"import {execution.short_id} is {execution.status}", flush=True)
    return execution.wait()


def failed_parts(files: Path, output: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts that failed, as the ResultWriter has written them: with their Input, Error and Cause."""
    details = output["ResultWriterDetails"]
    manifest = json.loads((files / details["Bucket"] / details["Key"]).read_text(encoding="utf-8"))
    records = [(files / details["Bucket"] / part["Key"]).read_text() for part in manifest["ResultFiles"]["FAILED"]]
    return [record for text in records for record in json.loads(text)]


def main() -> int:
    """The exit code is 0 if at most 5 % of the parts have failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", help="the data folder")
    parser.add_argument("files", type=Path, help="the folder with customers-in/ and currencies.json")
    parser.add_argument("file", help="the name of a file in customers-in/")
    parser.add_argument("--rows-per-part", type=int, default=500)
    parser.add_argument("--redrive", action="store_true", help="if it has failed, do again what failed")
    options = parser.parse_args()
    (options.files / "customers-out").mkdir(exist_ok=True)
    pipeline = Pipeline(options.files)

    with Executor(options.data, item_files=ItemFiles(s3=options.files)) as engine:
        engine.stats()  # counting begins
        engine.register("lookup", pipeline.lookup, concurrency=8, rate="1000/s")
        engine.register("store", pipeline.store, concurrency=4)
        engine.on("execution_ended", Progress())
        engine.deploy("import", WORKFLOW)
        execution = import_file(engine, options.file, options.rows_per_part, redrive=options.redrive)
        (run,) = engine.list_map_runs(execution.id)
        counts = engine.describe_map_run(run["mapRunArn"])["itemCounts"]
        stats = engine.stats()
        print(f"{execution.status} {execution.error or ''}: {counts}")
        print(f"{stats.tasks_succeeded} tasks succeeded in this process, {stats.tasks_failed} failed")
        if execution.status != "Succeeded":
            return 1
        for part in failed_parts(options.files, execution.output):
            rows = json.loads(part["Input"])["Items"]
            print(f"not imported: {len(rows)} rows from {rows[0]['id']} on: {part['Error']}: {part['Cause']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
