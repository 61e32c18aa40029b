"""Which executions leave memory first, when it is short: those that will be needed last."""

from __future__ import annotations

from typing import Any

from engine.support import ACTIVITY, CALLBACK, Lab, machine, task
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r

LIVE, KEPT = 8, 6
POLLED = machine({"P": task(resource=ACTIVITY)})
WAITING = machine({"W": {"Type": "Wait", "SecondsPath": "$", "End": True}})
CALLING = machine({"C": task(resource=CALLBACK)})


class Crowded(Lab):
    """A lab whose memory has few executions. Nobody polls, and nobody answers."""

    polls = False

    def __init__(self) -> None:
        super().__init__(limits=Limits(live_executions=LIVE))
        for name, definition in (("polled", POLLED), ("waiting", WAITING), ("calling", CALLING)):
            self.deploy(name, definition)
        self.count = 0

    def add(self, name: str, input: Any = None) -> str:
        """Start an execution, and process until it has to wait."""
        self.count += 1
        id = self.start(name, {} if input is None else input, number=self.count)
        self.settle()
        return id

    @property
    def live(self) -> set[str]:
        """The executions that memory has."""
        return set(self.partition.state.executions)


def test_of_tasks_in_a_queue_the_next_ones_stay() -> None:
    lab = Crowded()
    ids = [lab.add("polled") for _ in range(30)]
    assert set(ids[:KEPT]) <= lab.live
    assert len(lab.live) <= LIVE
    lab.close()


def test_of_timers_the_next_ones_stay() -> None:
    lab = Crowded()
    due = {lab.add("waiting", 1 + number * 7 % 30): 1 + number * 7 % 30 for number in range(30)}
    assert {id for id, seconds in due.items() if seconds <= KEPT} <= lab.live
    assert len(lab.live) <= LIVE
    lab.close()


def test_of_others_those_stay_that_were_used_last() -> None:
    lab = Crowded()
    ids = [lab.add("calling") for _ in range(LIVE)]
    (called,) = lab.partition.state.executions[ids[0]].tasks
    lab.partition.submit(r.HeartbeatTaskCommand(called, 0))
    lab.settle()
    ids.append(lab.add("calling"))
    assert lab.live == {ids[0], *ids[1 - KEPT :]}
    lab.close()


def test_what_nobody_polls_for_makes_room() -> None:
    lab = Crowded()
    polled = {lab.add("polled") for _ in range(LIVE)}
    late = {lab.add("waiting", 1_000_000 + number) for number in range(LIVE)}
    last = [lab.add("calling") for _ in range(60)]
    assert last[-1] in lab.live
    assert len(lab.live & (polled | late)) <= LIVE - KEPT
    lab.close()
