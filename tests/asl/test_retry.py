"""Retriers and catchers: who takes an error, and how long a retry waits."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.retry import (
    Catcher,
    compile_retriers,
    error_matches,
    error_output,
    match_catcher,
    match_retrier,
)


def state(*names):
    """A state with one retrier and one catcher for each group of names."""
    return SimpleNamespace(
        retriers=compile_retriers([{"ErrorEquals": list(group)} for group in names]),
        catchers=tuple(Catcher(frozenset(group), "Next", None) for group in names),
    )


def delays(retrier, attempts, random=lambda: 0.5):
    (compiled,) = compile_retriers([{"ErrorEquals": ["E"], **retrier}])
    return [compiled.delay(attempt, random) for attempt in range(attempts)]


@pytest.mark.covers("A7.36")
def test_defaults_of_a_retrier():
    (retrier,) = compile_retriers([{"ErrorEquals": ["E"]}])
    assert (retrier.interval_seconds, retrier.max_attempts, retrier.backoff_rate) == (1, 3, 2.0)
    assert retrier.max_delay_seconds is None
    assert not retrier.full_jitter


@pytest.mark.covers("A7.36")
def test_max_attempts_may_be_zero():
    (retrier,) = compile_retriers([{"ErrorEquals": ["E"], "MaxAttempts": 0}])
    assert retrier.max_attempts == 0


@pytest.mark.covers("A7.37")
def test_delays_grow_by_the_rate_and_may_be_fractional():
    assert delays({"IntervalSeconds": 3, "BackoffRate": 1.5}, 3) == [3, 4.5, 6.75]


@pytest.mark.covers("A7.37")
def test_the_cap_is_applied_before_the_jitter():
    settings = {"IntervalSeconds": 3, "BackoffRate": 2, "MaxDelaySeconds": 5}
    assert delays(settings, 3) == [3, 5, 5]
    assert delays({**settings, "JitterStrategy": "FULL"}, 3) == [1.5, 2.5, 2.5]
    assert delays({**settings, "JitterStrategy": "NONE"}, 3) == [3, 5, 5]


@pytest.mark.covers("A7.37")
@given(
    interval=st.integers(1, 99_999_999),
    rate=st.floats(1, 1000),
    attempt=st.integers(0, 99_999_999),
    cap=st.none() | st.integers(1, 31_622_399),
    drawn=st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_never_longer_than_its_cap(interval, rate, attempt, cap, drawn):
    settings = {"ErrorEquals": ["E"], "IntervalSeconds": interval, "BackoffRate": rate, "JitterStrategy": "FULL"}
    (retrier,) = compile_retriers([settings | ({"MaxDelaySeconds": cap} if cap else {})])
    assert 0 <= retrier.delay(attempt, lambda: drawn) <= (cap or 99_999_999)


@pytest.mark.covers("A7.38")
def test_the_first_match_wins():
    machine = state(["A", "B"], ["C"], ["States.ALL"])
    assert [match_retrier(machine, error) for error in "ABCD"] == [0, 0, 1, 2]
    assert [match_catcher(machine, error) for error in "ABCD"] == [0, 0, 1, 2]


@pytest.mark.covers("A6 States.ALL", "A6 States.Runtime")
def test_nothing_matches_states_runtime():
    machine = state(["States.Runtime"], ["States.TaskFailed"], ["States.ALL"])
    assert match_retrier(machine, "States.Runtime") is None
    assert match_catcher(machine, "States.Runtime") is None


@pytest.mark.covers("A6 States.TaskFailed")
@pytest.mark.parametrize(
    ("error", "matched"),
    [
        ("Custom", True),
        ("Lambda.Unknown", True),
        ("States.Permissions", True),
        ("States.QueryEvaluationError", True),
        ("States.Timeout", False),
        ("States.Runtime", False),
    ],
)
def test_task_failed_is_a_wildcard_for_all_but_timeouts(error, matched):
    assert error_matches(frozenset({"States.TaskFailed"}), error) is matched


@pytest.mark.covers("A6 States.DataLimitExceeded")
@pytest.mark.parametrize("name", ["States.DataLimitExceeded", "States.ALL"])
def test_an_exceeded_data_limit_can_be_caught(name):
    assert error_matches(frozenset({name}), "States.DataLimitExceeded")


@pytest.mark.covers("A6 States.Timeout", "A6 States.HeartbeatTimeout")
@pytest.mark.parametrize(
    ("name", "by_timeout", "by_heartbeat"),
    [
        ("States.Timeout", True, True),
        ("States.HeartbeatTimeout", False, True),
        ("States.ALL", True, True),
        ("States.TaskFailed", False, False),
    ],
)
def test_a_missed_heartbeat_has_two_names(name, by_timeout, by_heartbeat):
    names = frozenset({name})
    assert error_matches(names, "States.Timeout") is by_timeout
    assert error_matches(names, "States.Timeout", heartbeat=True) is by_heartbeat


def test_a_failure_without_a_name_is_taken_by_wildcards_only():
    assert error_matches(frozenset({"States.ALL"}), None)
    assert not error_matches(frozenset({"E"}), None)


@pytest.mark.covers("A7.41")
def test_the_error_output_has_null_for_what_the_failure_had_not():
    assert error_output("E", "why") == {"Error": "E", "Cause": "why"}
    assert error_output("E", None) == {"Error": "E", "Cause": None}
    assert error_output(None, "why") == {"Error": None, "Cause": "why"}
    assert error_output(None, None) == {"Error": None, "Cause": None}  # R 2024-04-29
    assert error_output("States.Timeout", None) == {"Error": "States.Timeout", "Cause": ""}  # R, and logs of AWS
    assert error_output("States.Timeout", "why") == {"Error": "States.Timeout", "Cause": "why"}
