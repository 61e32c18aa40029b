"""Clock and ids through the binding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell import _core
from stepwell.errors import ClockError, InvalidId, InvalidName

u32 = st.integers(0, 2**32 - 1)


@given(st.lists(st.integers(1000, 5000), min_size=2), st.integers(0, 4000 << 32))
def test_a_clock_never_repeats_and_never_goes_back(walls: list[int], last: int) -> None:
    clock = _core.Clock(last)
    ticks = [clock.tick(wall) for wall in walls]
    assert ticks == sorted(set(ticks))
    assert ticks[0] > last
    assert clock.last == ticks[-1]


def test_a_clock_follows_others_within_its_drift_bound() -> None:
    clock = _core.Clock(max_drift_seconds=10)
    remote = (1005 << 32) + 7
    assert clock.update(remote, 1000) == remote + 1
    with pytest.raises(ClockError, match="11 s"):
        clock.update(1011 << 32, 1000)
    with pytest.raises(ClockError):
        clock.tick(900)
    assert clock.last == remote + 1


@given(u32, u32)
def test_every_form_of_a_timestamp_is_parsed_back(wall_time: int, logical: int) -> None:
    timestamp = _core.Timestamp(wall_time, logical)
    number = wall_time << 32 | logical
    assert int(timestamp) == number
    assert timestamp.hex == f"{number:016x}"
    for form in (timestamp.hex, str(timestamp), number):
        assert _core.parse_timestamp(form) == timestamp


@given(u32, u32, u32, u32)
def test_timestamps_compare_as_their_integers(a: int, b: int, c: int, d: int) -> None:
    first, second = _core.Timestamp(a, b), _core.Timestamp(c, d)
    assert (first < second) == (int(first) < int(second))
    assert (first == second) == (hash(first) == hash(second))


def test_ids_are_built_and_parsed() -> None:
    hash7 = _core.hash7("key")
    execution = _core.execution_id("tenant", "space", hash7, 2**40 + 5)
    assert execution == f"/tenant/space/e{hash7}/0000010000000005"
    activity = _core.activity_id(execution, 255)
    branch, iteration = _core.branch_id(activity, 3), _core.iteration_id(activity, 12)
    task = _core.task_id("tenant", "space", "resize", 1)
    kinds = [_core.parse_id(each).kind for each in (execution, activity, branch, iteration, task)]
    assert kinds == ["execution", "activity", "branch", "iteration", "task"]
    parsed = _core.parse_id(iteration)
    assert (parsed.execution_id, parsed.activity, parsed.iteration, parsed.branch) == (execution, 255, 12, None)
    assert (parsed.timestamp, parsed.hash7, parsed.tenant) == (2**40 + 5, hash7, "tenant")
    assert {_core.partition_key(each) for each in (execution, activity, branch)} == {f"/tenant/space/e{hash7}"}
    assert _core.parse_id(task).execution_id is None
    assert 0 <= _core.partition(execution, 16) < 16


@pytest.mark.parametrize("text", ["", "/", "a/b", "/t/n/x1234567/0000000000000000", "/t/n/e1234567/xyz", "/t//e/1"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        _core.parse_id(text)
    with pytest.raises(ValueError, match="not a valid"):
        _core.parse_timestamp("soon")


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\x00", "a" * 129])
def test_names_that_could_be_confused_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        _core.check_name("tenant", name)
    with pytest.raises(InvalidName):
        _core.execution_id("t", name, "0000000", 1)
