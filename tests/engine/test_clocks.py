"""Whatever the machine's clock says, the engine works or says why not: before 1970, after 2106, after 9999."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from engine.support import Lab, machine, passing, task
from stepwell import ClockError, Executor, Limits, WaitTimeout
from stepwell.engine import wall_clock
from stepwell.testing.virtual import VirtualClock

YEAR = 365.25 * 24 * 3600
PASS = machine({"A": passing()})
WORK = machine({"W": {"Type": "Wait", "Seconds": 0, "Next": "T"}, "T": task(resource="work", TimeoutSeconds=60)})


def at(monkeypatch: pytest.MonkeyPatch, year: float) -> None:
    """Set the clock, which goes on from there."""
    shift = int((year - 1970) * YEAR * 1e9) - time.time_ns()
    real = time.time_ns

    def nanoseconds() -> int:
        if not -(2**63) <= real() + shift < 2**63:
            raise OverflowError("timestamp too large to convert to C _PyTime_t")
        return real() + shift

    monkeypatch.setattr(time, "time_ns", nanoseconds)
    monkeypatch.setattr(time, "time", lambda: nanoseconds() / 1e9)


def said_of_the_clock(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "clock has gone back" in record.getMessage()]


def test_a_clock_that_goes_back_under_way_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Executor() as ex:
        ex.deploy("pass", PASS)
        ex.deploy("wait", machine({"W": {"Type": "Wait", "Seconds": 1, "End": True}}))
        ex.run(PASS)
        assert not said_of_the_clock(caplog)
        at(monkeypatch, 2010)
        for _ in range(5):
            ex.run(PASS)
        (said,) = said_of_the_clock(caplog)
        years = int(said.split(" seconds")[0].rpartition(" ")[2]) / YEAR
        assert years > 10
        assert "fire that much later" in said


def test_a_clock_that_went_back_between_two_openings_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Executor(tmp_path) as ex:
        ex.run(PASS)
    with Executor(tmp_path):
        assert not said_of_the_clock(caplog)
    at(monkeypatch, 2010)
    with Executor(tmp_path) as ex:
        ex.run(PASS)
        assert len(said_of_the_clock(caplog)) == 1


def test_a_clock_that_is_set_right_by_seconds_is_no_news(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Executor() as ex:
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() - 30 * 10**9)
        ex.run(PASS)
        assert not said_of_the_clock(caplog)


def tasks_are_done(ex: Executor) -> None:
    executions = [ex.start("work", number) for number in range(4)]
    assert [each.wait(60).output for each in executions] == list(range(4))
    for each in executions:
        assert each.history()[-1]["type"] == "ExecutionSucceeded"
    delayed = ex.start("work", "later", delay=0.01)
    assert delayed.wait(60).output == "later"


@pytest.mark.parametrize("year", [1700, 1900, 1969.999, 1970, 2030, 2105])
def test_a_clock_that_is_wrong_is_worked_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: float) -> None:
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        ex.deploy("work", WORK)
        tasks_are_done(ex)
    with monkeypatch.context() as patch:
        at(patch, year)
        with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
            tasks_are_done(ex)
            assert len(ex.list()) == 10
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        tasks_are_done(ex)


@pytest.mark.parametrize("year", [-300.0, 1, 2107, 2200, 2262.5, 5000, 10_000])
def test_a_clock_out_of_range_is_refused_and_the_folder_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: float
) -> None:
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        ex.deploy("work", WORK)
        tasks_are_done(ex)
    with monkeypatch.context() as patch:
        at(patch, year)
        with pytest.raises(ClockError, match="out of the range"):
            Executor(tmp_path, handlers={"work": lambda value: value})
        with pytest.raises(ClockError, match="out of the range"):
            Executor(tmp_path / "new")
        assert not (tmp_path / "new").exists()
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        tasks_are_done(ex)
        assert len(ex.list()) == 10


def test_a_clock_that_goes_wrong_under_way_stops_nothing_before_1970(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        ex.deploy("work", WORK)
        tasks_are_done(ex)
        with monkeypatch.context() as patch:
            at(patch, 1900)
            tasks_are_done(ex)
        tasks_are_done(ex)


@pytest.mark.parametrize("year", [-300.0, 2107, 2200, 5000])
def test_a_clock_that_goes_out_of_range_under_way_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: float
) -> None:
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        ex.deploy("work", WORK)
        tasks_are_done(ex)
        waits = ex.start("work", "later", delay=3600)
        with monkeypatch.context() as patch:
            at(patch, year)
            with pytest.raises(ClockError):
                ex.start("work", 1)
            with pytest.raises((ClockError, WaitTimeout)):  # the engine stops once it looks at the clock
                waits.wait(1)
    with Executor(tmp_path, handlers={"work": lambda value: value}) as ex:
        tasks_are_done(ex)


class Set(VirtualClock):
    """A clock that may be set."""

    def set(self, micros: int) -> None:
        self._now = micros


@pytest.mark.parametrize("micros", [0, 1, 999_999, (2**32 - 1) * 1_000_000])
def test_the_first_and_the_last_moment(micros: int) -> None:
    clock = Set()
    clock.set(micros)
    lab = Lab(clock=clock, limits=Limits(live_executions=1)).finish(machine({"T": task(TimeoutSeconds=5)}))
    assert lab.outcome == ("Succeeded", {})
    lab.check()


@pytest.mark.parametrize("seconds", [10**9, 10**12, 10**15, 10**18, 10**25])
@pytest.mark.parametrize("field", ["Wait", "TimeoutSeconds", "HeartbeatSeconds", "execution"])
def test_a_time_far_ahead_is_waited_for_or_refused(field: str, seconds: int) -> None:
    definitions: dict[str, Any] = {
        "Wait": machine({"W": {"Type": "Wait", "SecondsPath": "$.s", "End": True}}),
        "TimeoutSeconds": machine({"T": task(TimeoutSecondsPath="$.s")}),
        "HeartbeatSeconds": machine({"T": task(TimeoutSecondsPath="$.s", HeartbeatSecondsPath="$.h")}),
        "execution": machine({"A": passing()}),
    }
    lab = Lab().begin(definitions[field], {"s": seconds, "h": max(1, seconds - 1)})
    other = lab.start("w", {"s": 1, "h": 1}, number=2)
    lab.settle()
    row = lab.partition.executions.get(other)
    assert row is not None
    status = lab.context.status
    assert status in ("Running", "Succeeded", "Failed")
    if status == "Failed":
        assert lab.context.error == "States.Runtime"
    lab.check()


def test_the_engine_never_sees_a_time_before_1970(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: -5_000_000_000)
    before = wall_clock.now()
    assert 0 <= before <= wall_clock.now()
