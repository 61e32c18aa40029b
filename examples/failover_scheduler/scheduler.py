"""Periodic jobs, run by one of two processes: the second takes over when the first one dies. See README.md.

python scheduler.py a --jobs 'report=60 cleanup=10'                 # leads
python scheduler.py b --jobs 'report=60 cleanup=10' --follow a      # follows, and leads once nobody has a open
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stepwell import AlreadyPromoted, Execution, Executor, FencedError, Follower, HandlerContext, StepwellError

WORKFLOW: dict[str, Any] = {
    "StartAt": "ScheduleNext",
    "States": {
        "ScheduleNext": {"Type": "Task", "Resource": "schedule_next", "ResultPath": None, "Next": "Work"},
        "Work": {
            "Type": "Task",
            "Resource": "work",
            "TimeoutSeconds": 60,
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3}],
            "End": True,
        },
    },
}
RESULTS = os.environ.get("SCHEDULER_RESULTS", "results.sqlite")
WORK_SECONDS = float(os.environ.get("SCHEDULER_WORK_SECONDS", "0.1"))
GRACE_SECONDS = 1.0
LOOK_SECONDS = 0.1


@dataclass
class Run:
    """One run of a job: the ``number``-th period of ``period`` seconds since 1970."""

    job: str
    number: int
    period: float

    @property
    def name(self) -> str:
        """The name of its execution. Job and time are in it, so that no run is started twice."""
        return f"{self.job}-{self.number}"

    def next(self) -> Run:
        return Run(self.job, self.number + 1, self.period)


class Scheduler:
    """What the leader does. Each run starts the next one, which waits on the log until it is due: no thread waits."""

    def __init__(self, engine: Executor, jobs: dict[str, float]) -> None:
        self.engine = engine
        engine.register("schedule_next", self.schedule_next)
        engine.register("work", self.work)
        engine.deploy("job", WORKFLOW, retention=7 * 86400)
        for job, period in jobs.items():
            if not engine.list("job", ["Pending", "Running"], 1, name_prefix=f"{job}-"):
                self.start(Run(job, int(time.time() // period) + 1, period))

    def start(self, run: Run) -> Execution:
        """Start a run at its time, or find it; one that was missed, because nobody led, begins at once."""
        due = datetime.fromtimestamp(run.number * run.period, UTC)
        return self.engine.start("job", run, run.name, at=due, if_exists="return")

    def schedule_next(self, run: Run) -> str:
        """The first state of each run. Called again after a crash, it finds the run that it started."""
        return self.start(run.next()).id

    def work(self, run: Run, ctx: HandlerContext) -> None:
        """The job. Its result has the run's name as its key: done again after a crash, it is one result."""
        with sqlite3.connect(RESULTS, timeout=30) as db:
            db.execute("INSERT INTO calls VALUES (?, ?)", (run.name, ctx.task_id))
        db.close()
        time.sleep(WORK_SECONDS)
        with sqlite3.connect(RESULTS, timeout=30) as db:
            db.execute("INSERT OR IGNORE INTO results VALUES (?, ?, ?)", (run.job, run.number, os.getpid()))
        db.close()


def open_engine(data: str, source: str | None, stopping: threading.Event) -> Executor | None:
    """The engine, once this process leads; None if it is to end before that."""
    if source is None:
        return Executor(data)
    try:
        follower = Follower(source, data)
    except AlreadyPromoted:  # it took over before, and was started again
        return Executor(data)
    with follower:
        print(f"{data} follows {source}", flush=True)
        last_alive = time.monotonic()
        while not stopping.wait(LOOK_SECONDS):
            if follower.leader_alive:
                last_alive = time.monotonic()
            elif time.monotonic() - last_alive > GRACE_SECONDS:
                return follower.promote()  # from here on the old leader can write nothing: there is one leader
    return None


def main() -> int:
    """The exit code is 3 when another process has taken over from this one: let it follow that one, in a new folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", help="the data folder of this process")
    parser.add_argument("--follow", metavar="SOURCE", help="the data folder of the leader")
    parser.add_argument("--jobs", default="", help="jobs and their periods: 'report=60 cleanup=10'")
    options = parser.parse_args()
    jobs = {name: float(period) for name, _, period in (word.partition("=") for word in options.jobs.split())}
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopping.set())
    with sqlite3.connect(RESULTS, timeout=30) as db:
        db.execute(
            "CREATE TABLE IF NOT EXISTS results (job TEXT, number INTEGER, pid INTEGER, PRIMARY KEY (job, number))"
        )
        db.execute("CREATE TABLE IF NOT EXISTS calls (run TEXT, task TEXT)")
    db.close()

    try:
        engine = open_engine(options.data, options.follow, stopping)
        if engine is not None:
            with engine:
                Scheduler(engine, jobs)
                print(f"{options.data} leads", flush=True)
                while not stopping.wait(LOOK_SECONDS):
                    engine.check()
    except FencedError as error:
        print(error, file=sys.stderr)
        return 3
    except StepwellError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
