"""The sample's two Lambda functions, with Lambda's signature. A table of jobs stands for AWS Batch. See README.md.

stepwell serve --data jobs.data --handlers lambdas.py
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from stepwell import HandlerContext

JOBS = os.environ.get("JOBS", "jobs.sqlite")


@contextmanager
def jobs() -> Generator[sqlite3.Connection]:
    """A transaction on the table of jobs."""
    db = sqlite3.connect(JOBS, timeout=30)
    try:
        with db:
            db.execute("CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, name TEXT, submitted REAL, seconds REAL)")
            yield db
    finally:
        db.close()


def submit_job(event: dict[str, Any], context: HandlerContext) -> str:
    """Submit a job; its id. Called again for the same task, it finds the job that it has submitted."""
    with jobs() as db:
        row = (context.task_id, event["jobName"], time.time(), event["seconds"])
        db.execute("INSERT OR IGNORE INTO jobs VALUES (?, ?, ?, ?)", row)
    return context.task_id


def check_job(event: str, context: HandlerContext) -> str:
    """The status of a job, in AWS Batch's words."""
    with jobs() as db:
        row = db.execute("SELECT submitted + seconds < ? FROM jobs WHERE id = ?", (time.time(), event)).fetchone()
    if row is None:
        return "FAILED"
    return "SUCCEEDED" if row[0] else "RUNNING"


handlers: dict[str, Callable[..., str]] = {"SubmitJob": submit_job, "CheckJob": check_job}
"""By the names in the ARNs: ``arn:aws:lambda:us-east-1:123456789012:function:SubmitJob`` calls ``submit_job``."""
