"""Branches and iterations that are given up in the moment in which they begin."""

from __future__ import annotations

import pytest

from engine.support import catch, machine, map_over, passing
from stepwell.engine.storage.contexts import ActivityContext


@pytest.mark.covers("A11.54")
def test_an_iteration_that_its_siblings_failure_overtakes_leaves_nothing_behind(lab) -> None:
    fails_at_once = passing(Result={"n": 1}, ResultPath="$.x")  # its input is no object
    inner = map_over(machine({"P": fails_at_once}), "Wait", ItemsPath="$", Catch=[catch("States.ALL", next="Wait")])
    run = lab().begin(machine({"M": inner, "Wait": {"Type": "Wait", "Seconds": 9, "End": True}}), [0, 1, 2, 3])
    rows = run.partition.storage.scan(ActivityContext, run.id)
    assert [row.state_name for row in rows] == ["Wait"]
    assert run.finish().outcome[0] == "Succeeded"
