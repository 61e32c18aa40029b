"""What AWS's API promises of names and histories, as far as the engine keeps it without a server (ASL A16)."""

from __future__ import annotations

import pytest

from engine.support import Lab, machine, passing
from stepwell import Executor, Limits, _core
from stepwell.engine import records as r
from stepwell.engine.inbox import NameTaken

LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})
DAY = 86_400


@pytest.mark.covers("A16.74")
def test_names_of_express_executions_are_not_kept() -> None:
    with Executor() as ex:
        ex.deploy("quick", machine({"P": passing()}), type="EXPRESS")
        ex.deploy("slow", LONG, type="EXPRESS")
        done = [ex.start("quick", 1, "same").wait(10) for _ in range(3)]
        assert len({execution.id for execution in done}) == 3
        assert {execution.name for execution in done} == {"same"}
        assert ex.start("slow", 1, "same") != ex.start("slow", 1, "same")
        assert ex.start("slow", 2, "same").status == "Running"


@pytest.mark.covers("A16.74")
def test_a_name_is_free_again_when_90_days_have_passed_since_its_execution_ended() -> None:
    lab = Lab(limits=Limits(retention=90 * DAY))
    lab.deploy("w", machine({"P": passing()}))
    assert start(lab, "monthly", 1) is None
    lab.wait(89 * DAY)
    assert isinstance(start(lab, "monthly", 2), NameTaken)
    lab.wait(2 * DAY)
    assert start(lab, "monthly", 3) is None
    lab.close()


def start(lab: Lab, name: str, number: int) -> BaseException | None:
    """Start an execution under a name; why it was refused."""
    id = _core.execution_id("default", "default", _core.hash7(name), (1_700_000_000 << 32) + number)
    command = r.StartExecutionCommand(id, "w:1", None, name, idempotent=True)
    ((_, error),) = lab.answer(command, {})
    return error
