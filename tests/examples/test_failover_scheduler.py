"""The scheduler: leaders are killed at drawn moments, followers take over, and each run of each job is done once."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from examples.support import EXAMPLES, Program, new_random, programs, rows, until
from stepwell import Executor

SCHEDULER = EXAMPLES / "failover_scheduler" / "scheduler.py"
JOBS = {"quick": 0.25, "slow": 0.5}
FOLDERS = "abc"


class Cluster:
    """A leader and a follower; each leader that dies is followed up by the next folder."""

    def __init__(self, start: Callable[..., Program], folder: Path) -> None:
        self._start, self.folder = start, folder

    def run(self, data: str, source: str | None = None) -> Program:
        words = [SCHEDULER, data, "--jobs", " ".join(f"{job}={period}" for job, period in JOBS.items())]
        words += [] if source is None else ["--follow", source]
        return self._start(*words, cwd=self.folder, SCHEDULER_WORK_SECONDS=0.15)

    def results(self) -> dict[str, list[int]]:
        """The numbers of the runs of each job that have a result, in their order."""
        found: dict[str, list[int]] = {job: [] for job in JOBS}
        for job, number in self._rows("SELECT job, number FROM results ORDER BY number"):
            found[job].append(number)
        return found

    def calls(self) -> list[tuple[str, str]]:
        """The run and the task of each call of the job's handler."""
        return self._rows("SELECT run, task FROM calls")

    def wait_for_more(self) -> None:
        """Wait until each job has more results."""
        before = {job: len(numbers) for job, numbers in self.results().items()}
        until(lambda: all(len(found) > before[job] + 1 for job, found in self.results().items()), "no job goes on")

    def _rows(self, query: str) -> list[tuple[str, str]]:
        return rows(self.folder / "results.sqlite", query)


def test_no_run_is_lost_or_started_twice_when_leaders_die(tmp_path: Path) -> None:
    random = new_random()
    with programs() as start:
        cluster = Cluster(start, tmp_path)
        leader = cluster.run("a")
        leader.said("a leads")
        for source, data in pairwise(FOLDERS):
            follower = cluster.run(data, source)
            follower.said(f"{data} follows {source}")
            cluster.wait_for_more()
            time.sleep(random.uniform(0, 0.5))
            leader.kill()
            follower.said(f"{data} leads")
            late = cluster.run(source).ended()  # the old leader comes back, too late
            assert late.process.returncode == 3, late.output
            assert f"{data} took over" in late.output
            if random.random() < 0.5:  # the new one dies as well, and its supervisor starts it again
                follower.kill()
                follower = cluster.run(data, source)
                follower.said(f"{data} leads")
            leader = follower
        cluster.wait_for_more()
        assert leader.send(signal.SIGTERM).process.returncode == 0, leader.output

    assert_each_run_was_done_once(cluster, tmp_path / FOLDERS[-1])


def test_a_leader_that_stands_still_leads_on_and_a_follower_s_death_disturbs_nobody(tmp_path: Path) -> None:
    random = new_random()
    with programs() as start:
        cluster = Cluster(start, tmp_path)
        leader = cluster.run("a")
        leader.said("a leads")
        follower = cluster.run("b", "a")
        follower.said("b follows a")
        follower.kill()  # a follower that dies disturbs nobody
        follower = cluster.run("b", "a")
        follower.said("b follows a")
        time.sleep(random.uniform(0, 0.5))
        cluster.wait_for_more()
        os.kill(leader.process.pid, signal.SIGSTOP)  # it is not dead: it holds its lock
        time.sleep(random.uniform(0, 2))
        os.kill(leader.process.pid, signal.SIGCONT)
        cluster.wait_for_more()
        assert follower.send(signal.SIGTERM).process.returncode == 0, follower.output
        assert leader.send(signal.SIGTERM).process.returncode == 0, leader.output
    assert "b leads" not in follower.output
    assert_each_run_was_done_once(cluster, tmp_path / "a")


def assert_each_run_was_done_once(cluster: Cluster, data: Path) -> None:
    """No gap between a job's runs, one execution for each, and no second task for one that was done."""
    with Executor(data) as ex:
        runs = list(ex.executions("job"))
        assert max(Counter(run.name for run in runs).values()) == 1
        succeeded = {run.name for run in runs if run.status == "Succeeded"}
        assert {run.status for run in runs} <= {"Succeeded", "Running", "Pending"}
    results = cluster.results()
    for job, numbers in results.items():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"runs of {job} are lost"
    assert succeeded <= {f"{job}-{number}" for job, numbers in results.items() for number in numbers}
    tasks: dict[str, set[str]] = {}
    for run, task in cluster.calls():
        tasks.setdefault(run, set()).add(task)
    assert [run for run, found in tasks.items() if len(found) > 1] == [], "a run was done by two tasks"
