"""What a drawing of an execution shows: the status of each state, how often it ran, which transitions it took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from stepwell.graph.marks import EdgeKey, Mark, Marks
from stepwell.graph.style import sign

from .state_runs import LevelRun, StateRun

MOST_CHILDREN = 100
"""So many child executions of a map run are read for a drawing."""
_ORDER = ("running", "failed", "timed-out", "caught", "aborted", "succeeded")
"""Of several runs of a state the first status that one of them has is shown."""
_STATUSES = {"Running": "running", "Succeeded": "succeeded", "Caught": "caught", "Canceled": "aborted"}


def marks_of(level: LevelRun, title: str = "") -> Marks:
    """The marks of an execution. Of a Distributed Map's child executions the newest ones are counted."""
    runs: dict[str, list[StateRun]] = defaultdict(list)
    edges: dict[EdgeKey, Mark] = {}
    for run in level.walk(MOST_CHILDREN):
        runs[run.name].append(run)
        edges |= ((key, Mark("caught" if key[1] == "catch" else "succeeded")) for key in edges_of(run))
    if level.states:
        edges["", "start", 0] = Mark("succeeded")
    return Marks({name: _mark(found) for name, found in runs.items()}, edges, title)


def edges_of(run: StateRun) -> Iterable[EdgeKey]:
    """The transitions that a run took."""
    if run.catcher is not None:
        return [(run.name, "catch", run.catcher)]
    if run.status not in ("Succeeded", "Failed"):
        return []
    if run.type == "Choice" and run.next is not None:
        return [(run.name, "default", 0) if run.rule is None else (run.name, "rule", run.rule)]
    is_left = run.status == "Succeeded" or run.type == "Fail"
    return [(run.name, "next", 0)] if is_left else []


def _mark(runs: list[StateRun]) -> Mark:
    counts = Counter(status_of(run) for run in runs)
    status = next(each for each in _ORDER if counts[each])
    notes: list[str] = []
    if len(counts) > 1:
        notes.append(" ".join(f"{sign(each)}{counts[each]}" for each in _ORDER if counts[each]))
    elif len(runs) > 1:
        notes.append(f"×{len(runs)}")
    retries = sum(len(run.attempts) - 1 for run in runs)
    if retries:
        notes.append(f"retried ×{retries}" if retries > 1 else "retried")
    return Mark(status, ", ".join(notes))


def status_of(run: StateRun) -> str:
    """The status of a run, as drawings name it."""
    if run.status == "Failed":
        return "timed-out" if run.error == "States.Timeout" else "failed"
    return _STATUSES[run.status]
