"""Executions through the public API: started, found, waited for, stopped, deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.support import machine, passing, task
from stepwell import (
    Execution,
    ExecutionAlreadyExists,
    ExecutionContext,
    ExecutionNotFound,
    ExecutionRunning,
    Executor,
    InvalidInput,
    WaitTimeout,
)

ECHO = machine({"Echo": passing()})
WORK = machine({"Work": task(resource="work")})
LONG = machine({"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}})


@pytest.fixture
def ex() -> Iterator[Executor]:
    with Executor() as executor:
        executor.deploy("echo", ECHO)
        executor.deploy("long", LONG)
        yield executor


def test_an_execution_runs_from_its_start_to_its_output(ex: Executor) -> None:
    execution = ex.start("echo", {"a": [1, 2.5, "ß", None, True]})
    assert execution.wait(60) is execution
    assert execution.status == "Succeeded"
    assert execution.input == execution.output == {"a": [1, 2.5, "ß", None, True]}
    assert (execution.error, execution.cause, execution.workflow) == (None, None, "echo")
    assert [event["type"] for event in execution.history()] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    times = [event["timestamp"] for event in execution.history()]
    assert times == sorted(times)
    assert abs(times[0] - time.time()) < 60


@pytest.mark.covers("A1.4")
def test_no_input_is_an_empty_object_and_any_json_value_is_an_input(ex: Executor) -> None:
    assert ex.start("echo").wait(60).output == {}
    for value in (0, "", [], False, "text", 1.5):
        assert ex.start("echo", value).wait(60).output == value


def test_a_failure_is_reported_and_wait_does_not_raise_it(ex: Executor) -> None:
    ex.deploy("fails", machine({"F": {"Type": "Fail", "Error": "Broken", "Cause": "beyond repair"}}))
    execution = ex.start("fails").wait(60)
    assert (execution.status, execution.output) == ("Failed", None)
    assert (execution.error, execution.cause) == ("Broken", "beyond repair")


def test_wait_gives_up_after_its_timeout_and_the_execution_goes_on(ex: Executor) -> None:
    execution = ex.start("long")
    with pytest.raises(WaitTimeout, match=execution.id):
        execution.wait(0.02)
    with pytest.raises(TimeoutError):  # so that it can be caught without knowing Stepwell
        execution.wait(0)
    assert execution.status == "Running"
    assert not ex.client.host.ends.waited_for(), "nobody waits any more"


def test_many_may_wait_for_one_execution(ex: Executor) -> None:
    execution = ex.start("long")
    woken: list[str] = []
    threads = [threading.Thread(target=lambda: woken.append(execution.wait(60).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    execution.stop()
    for thread in threads:
        thread.join(10)
    assert woken == ["Canceled"] * 8


def test_an_ended_execution_can_be_read_after_the_close() -> None:
    with Executor() as ex:
        ex.deploy("echo", ECHO)
        execution = ex.start("echo", 7).wait(60)
    assert (execution.status, execution.output) == ("Succeeded", 7)


def test_run_gives_the_context_and_keeps_the_definition(ex: Executor) -> None:
    context = ex.run(ECHO, {"a": 1})
    assert isinstance(context, ExecutionContext)
    assert (context.status, context.output) == ("Succeeded", b'{"a":1}')
    assert ex.run(ECHO, 2).workflow_id == context.workflow_id
    assert ex.get(context.id).output == {"a": 1}


def test_wait_execution_done_waits_for_the_one_started_last(ex: Executor) -> None:
    with Executor() as fresh, pytest.raises(ExecutionNotFound):
        fresh.wait_execution_done()
    execution = ex.start("echo", "last")
    context = ex.wait_execution_done(10)
    assert (context.id, context.output) == (execution.id, b'"last"')


def test_get_finds_an_execution_and_handles_are_equal_by_id(ex: Executor) -> None:
    execution = ex.start("echo")
    assert ex.get(execution.id) == execution
    assert len({execution, ex.get(execution.id)}) == 1
    assert execution.id in repr(execution)


@pytest.mark.parametrize("id", ["", "x", "/a/b", "/default/default/e0000000/0000000000000001", "/\0/", 7])
@pytest.mark.parametrize("call", ["get", "stop", "delete", "context", "history"])
def test_what_is_not_there_is_not_found(ex: Executor, call: str, id: Any) -> None:
    with pytest.raises(ExecutionNotFound, match="no execution"):
        getattr(ex, call)(id)


# names


@pytest.mark.covers("A16.74")
def test_the_same_name_and_input_give_the_same_execution_while_it_runs(ex: Executor) -> None:
    first = ex.start("long", {"b": 1, "a": 2}, "nightly")
    assert first.name == "nightly"
    assert ex.start("long", {"a": 2, "b": 1}, "nightly") == first
    assert len(ex.list("long")) == 1


@pytest.mark.covers("A16.74")
@pytest.mark.parametrize("other", [{"n": 2}, {"n": True}, {"n": "1"}, {}, [{"n": 1}]])
def test_the_same_name_with_another_input_is_refused(ex: Executor, other: Any) -> None:
    first = ex.start("long", {"n": 1}, "nightly")
    with pytest.raises(ExecutionAlreadyExists, match="the name belongs to") as caught:
        ex.start("long", other, "nightly")
    assert caught.value.execution_id == first.id


@pytest.mark.covers("A16.74")
def test_the_name_of_an_ended_execution_is_refused_even_with_its_input(ex: Executor) -> None:
    first = ex.start("echo", 1, "once").wait(60)
    with pytest.raises(ExecutionAlreadyExists) as caught:
        ex.start("echo", 1, "once")
    assert caught.value.execution_id == first.id


def test_a_name_belongs_to_its_workflow(ex: Executor) -> None:
    assert ex.start("echo", 1, "same") != ex.start("long", 1, "same")


@pytest.mark.covers("A16.74")
def test_names_outlive_a_restart(tmp_path: Path) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("long", LONG)
        first = ex.start("long", 1, "kept")
    with Executor(tmp_path) as ex:
        assert ex.start("long", 1, "kept") == first
        with pytest.raises(ExecutionAlreadyExists):
            ex.start("long", 2, "kept")


def test_of_many_threads_that_start_one_name_one_starts_it(ex: Executor) -> None:
    together, ids = threading.Barrier(16), []

    def start() -> None:
        together.wait()
        ids.append(ex.start("long", 1, "race").id)

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ids) == 16
    assert len(set(ids)) == len(ex.list("long")) == 1


# a later start


def test_a_delayed_start_is_pending_until_its_time(ex: Executor) -> None:
    before = time.time()
    execution = ex.start("echo", 1, delay=0.3)
    assert execution.status == "Pending"
    assert ex.list(status="Pending") == [execution]
    assert execution.wait(60).output == 1
    assert time.time() - before >= 0.3
    assert ex.list(status="Pending") == []


def test_a_start_may_have_its_time_as_a_number_or_with_a_time_zone(ex: Executor) -> None:
    for at in (time.time() + 3600, datetime.now(UTC) + timedelta(hours=1)):
        execution = ex.start("echo", at=at)
        assert execution.status == "Pending"
        assert abs(execution.context().start_at / 1e6 - time.time() - 3600) < 60
    assert ex.start("echo", 5, at=1.0).wait(60).output == 5  # long past: at once


def test_a_pending_execution_can_be_stopped(ex: Executor) -> None:
    execution = ex.start("echo", delay=3600)
    assert execution.stop("Changed", "my mind").status == "Canceled"
    assert (execution.error, execution.cause) == ("Changed", "my mind")
    assert ex.client.host.partition.state.timers.next_due() is None


@pytest.mark.parametrize(
    "times",
    [
        {"delay": 1, "at": 1},
        {"delay": -1},
        {"delay": float("nan")},
        {"delay": float("inf")},
        {"delay": "soon"},
        {"delay": True},
        {"at": datetime(2030, 1, 1)},
        {"at": 1e18},
        {"delay": 1e300},
    ],
)
def test_times_that_make_no_sense_are_refused(ex: Executor, times: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ex.start("echo", **times)
    assert ex.list() == []


def test_a_delay_outlives_a_restart(tmp_path: Path) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("echo", ECHO)
        execution = ex.start("echo", 1, delay=0.2)
        assert execution.status == "Pending"
    with Executor(tmp_path) as ex:
        assert ex.get(execution.id).wait(60).output == 1


# stopping and deleting


def test_stop_cancels_and_a_second_stop_changes_nothing(ex: Executor) -> None:
    execution = ex.start("long")
    assert isinstance(ex.stop(execution.id, "Enough", "said so"), Execution)
    assert (execution.wait(60).status, execution.error, execution.cause) == ("Canceled", "Enough", "said so")
    ex.stop(execution.id, "Other")
    assert ex.get(execution.id).error == "Enough"
    assert execution.history()[-1]["type"] == "ExecutionAborted"


def test_stop_leaves_an_ended_execution_as_it_is(ex: Executor) -> None:
    execution = ex.start("echo").wait(60)
    assert execution.stop().status == "Succeeded"


def test_delete_takes_everything_of_an_ended_execution(ex: Executor) -> None:
    execution = ex.start("echo", 1, "gone").wait(60)
    with pytest.raises(ExecutionRunning, match="stop it"):
        ex.delete(ex.start("long").id)
    ex.delete(execution.id)
    with pytest.raises(ExecutionNotFound):
        ex.get(execution.id)
    assert ex.list("echo") == []
    assert ex.start("echo", 2, "gone").wait(60).output == 2  # the name is free again


# versions of a definition


@pytest.mark.covers("A16.75")
def test_a_running_execution_keeps_its_definition(tmp_path: Path) -> None:
    first = machine({"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": passing(Result="old")})
    second = machine({"P": passing(Result="new")})
    with Executor(tmp_path) as ex:
        assert ex.deploy("w", first).id == "w:1"
        old = ex.start("w")
        assert ex.deploy("w", second).id == "w:2"
        assert ex.start("w").wait(60).output == "new"
    with Executor(tmp_path) as ex:
        assert ex.get(old.id).wait(60).output == "old"
        assert ex.start("w").wait(60).output == "new"
        assert ex.workflow("w").id == "w:2"


@pytest.mark.covers("A16.75")
def test_the_same_definition_is_the_same_version_however_it_is_written(ex: Executor, tmp_path: Path) -> None:
    (tmp_path / "echo.json").write_text('{"States": {"Echo": {"End": true, "Type": "Pass"}},\n "StartAt": "Echo"}')
    (tmp_path / "echo.yaml").write_text("StartAt: Echo\nStates:\n  Echo: {Type: Pass, End: true}\n")
    forms = [
        ECHO,
        '{"StartAt":"Echo","States":{"Echo":{"Type":"Pass","End":true}}}',
        b'{"StartAt":"Echo","States":{"Echo":{"Type":"Pass","End":true}}}',
        tmp_path / "echo.json",
        str(tmp_path / "echo.json"),
        tmp_path / "echo.yaml",
    ]
    assert {ex.deploy("echo", form).id for form in forms} == {"echo:1"}
    assert ex.deploy("echo", ECHO, type="EXPRESS").id == "echo:2"


@pytest.mark.covers("A16.75")
def test_threads_that_deploy_at_once_make_no_version_twice(ex: Executor) -> None:
    ids: list[str] = []
    definitions = [machine({"P": passing(Result=n)}) for n in range(12)]
    threads = [threading.Thread(target=lambda d=d: ids.append(ex.deploy("many", d).id)) for d in definitions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ids) == sorted(f"many:{n}" for n in range(1, 13))
    assert ex.workflow("many").id == "many:12"
    outputs = {ex.run(d).output for d in definitions}
    assert len(outputs) == 12
