"""A program that moves from an embedded engine to a server changes one line: the same calls give the same answers."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell import (
    ApiError,
    Execution,
    ExecutionAlreadyExists,
    ExecutionFailed,
    ExecutionNotFound,
    ExecutionRunning,
    Executor,
    InvalidDefinition,
    InvalidInput,
    InvalidName,
    InvalidToken,
    MapRunNotFound,
    NotRedrivable,
    TaskDoesNotExist,
    TaskTimedOut,
    WaitTimeout,
    WorkflowNotFound,
)

LONG = 60
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:"


def one(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": {**state, "End": True}}}


PASS = one({"Type": "Pass"})
WAIT = one({"Type": "Wait", "Seconds": 3600})
FAIL = {"StartAt": "S", "States": {"S": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}}


def task(resource: str) -> dict[str, Any]:
    return one({"Type": "Task", "Resource": resource})


# workflows


def test_definitions_have_versions(ex: Executor, name: str) -> None:
    assert ex.deploy(name, PASS).id == f"{name}:1"
    assert ex.deploy(name, PASS).id == f"{name}:1"
    assert ex.deploy(name, FAIL).id == f"{name}:2"
    assert [each.id for each in ex.workflows(name)] == [f"{name}:2", f"{name}:1"]
    assert ex.workflow(f"{name}:1").id == f"{name}:1"
    assert ex.workflow(f"{name}:2").name == name
    assert name in {each.name for each in ex.workflows()}


def test_a_version_is_published_and_started_by_its_arn(ex: Executor, name: str) -> None:
    ex.deploy(name, PASS)
    first = ex.deploy(name, PASS, publish=True)
    ex.deploy(name, FAIL, publish=True)
    assert ex.deploy(name, FAIL, publish=True).id == f"{name}:2"
    arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"
    assert ex.start(f"{arn}:1", 7).wait(LONG).version == first.version == 1
    assert ex.start(f"{arn}:2").wait(LONG).error == "Broken"


def test_definitions_are_refused_with_all_their_defects(ex: Executor, name: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        ex.deploy(name, {"StartAt": "A", "States": {"B": {"Type": "Nothing"}}})
    assert len(refused.value.diagnostics) > 1
    with pytest.raises(InvalidName):
        ex.deploy("a b", PASS)


def test_a_workflow_is_deleted_once_nothing_of_it_runs(ex: Executor, name: str) -> None:
    ex.deploy(name, WAIT)
    execution = ex.start(name)
    with pytest.raises(ExecutionRunning):
        ex.delete_workflow(name)
    execution.stop()
    execution.wait(LONG)
    ex.delete_workflow(name)
    with pytest.raises(WorkflowNotFound):
        ex.workflow(name)
    with pytest.raises(WorkflowNotFound):
        ex.start(name)


# executions


@pytest.mark.parametrize("value", [{}, {"a": [1, 2.5, None, "é\U0001f600"]}, "text", 0, None, [[]], "x" * 100_000])
def test_documents_arrive_as_they_are(ex: Executor, name: str, value: Any) -> None:
    ex.deploy(name, PASS)
    execution = ex.start(name, {"value": value}).wait(LONG)
    assert execution.output == execution.input == {"value": value}


def test_what_is_no_json_is_refused(ex: Executor, name: str) -> None:
    ex.deploy(name, PASS)
    for value in (object(), float("nan"), {"a": {1, 2}.__iter__}):
        with pytest.raises(InvalidInput):
            ex.start(name, value)


def test_an_execution_tells_of_itself(ex: Executor, name: str) -> None:
    ex.deploy(name, PASS)
    execution = ex.start(name, 7, "one").wait(LONG)
    assert (execution.status, execution.aws_status, execution.output) == ("Succeeded", "SUCCEEDED", 7)
    assert (execution.name, execution.workflow, execution.version, execution.parent) == ("one", name, 1, None)
    assert execution.stopped_at is not None
    assert execution.started_at <= execution.stopped_at
    assert ex.get(execution.id) == ex.get(execution.arn) == ex.get(execution.short_id) == execution
    assert ex.get(workflow=name, name="one") == execution
    assert ex.context(execution.id).output == b"7"
    assert "Succeeded" in repr(execution)


def test_a_failed_execution_says_why(ex: Executor, name: str) -> None:
    ex.deploy(name, FAIL)
    execution = ex.start(name).wait(LONG)
    assert (execution.status, execution.error, execution.cause) == ("Failed", "Broken", "on purpose")


def test_names_are_taken_as_on_aws(ex: Executor, name: str) -> None:
    ex.deploy(name, WAIT)
    execution = ex.start(name, 1, "taken")
    assert ex.start(name, 1, "taken") == execution
    with pytest.raises(ExecutionAlreadyExists) as taken:
        ex.start(name, 2, "taken")
    assert taken.value.execution_id == execution.id
    assert ex.start(name, 2, "taken", if_exists="return") == execution
    with pytest.raises(ExecutionAlreadyExists):
        ex.start(name, 1, "taken", if_exists="raise")
    execution.stop("Enough", "of it").wait(LONG)
    assert (execution.status, execution.error, execution.cause) == ("Canceled", "Enough", "of it")


def test_waits_end_in_time(ex: Executor, name: str) -> None:
    ex.deploy(name, WAIT)
    execution = ex.start(name)
    with pytest.raises(WaitTimeout):
        execution.wait(0.01)
    with pytest.raises(WaitTimeout):
        ex.wait_execution_done(0.01)
    ex.stop(execution.id)
    assert execution.wait(LONG).aws_status == "ABORTED"


def test_many_threads_wait_for_one_execution_and_others(ex: Executor, name: str) -> None:
    ex.deploy(name, WAIT)
    executions = [ex.start(name) for _ in range(5)] * 4
    ended: list[str] = []
    threads = [threading.Thread(target=lambda each=each: ended.append(each.wait(LONG).status)) for each in executions]
    for thread in threads:
        thread.start()
    for execution in executions[:5]:
        execution.stop()
    for thread in threads:
        thread.join()
    assert ended == ["Canceled"] * 20


def test_a_start_may_be_put_off(ex: Executor, name: str) -> None:
    ex.deploy(name, PASS)
    later = ex.start(name, delay=3600)
    assert later.status == "Pending"
    later.stop()
    soon = ex.start(name, 1, at=datetime.now(UTC) + timedelta(milliseconds=50))
    assert soon.wait(LONG).output == 1


def test_lists_find_what_is_asked_for(ex: Executor, name: str) -> None:
    ex.deploy(name, PASS)
    began = time.time()
    ids = [ex.start(name, number, f"run-{number}").wait(LONG).id for number in range(5)]
    assert [each.id for each in ex.list(name)] == ids[::-1]
    assert [each.id for each in ex.list(name, limit=2)] == ids[:2:-1]
    assert [each.id for each in ex.executions(name, name_prefix="run-3")] == [ids[3]]
    assert ex.list(name, status="FAILED") == []
    assert len(ex.list(name, status=["Succeeded", "Failed"], started_after=began - 1)) == 5
    assert ex.list(name, started_before=began - 3600) == []
    with pytest.raises(InvalidInput):
        ex.list(name, status="NO_STATUS")


def test_an_execution_is_deleted_once_it_has_ended(ex: Executor, name: str) -> None:
    ex.deploy(name, WAIT)
    execution = ex.start(name)
    with pytest.raises(ExecutionRunning):
        ex.delete(execution.id)
    execution.stop().wait(LONG)
    ex.delete(execution.id)
    with pytest.raises(ExecutionNotFound):
        ex.get(execution.id)


def test_unknown_executions_are_not_found(ex: Executor) -> None:
    for call in (ex.get, ex.context, ex.stop, ex.redrive, ex.delete, ex.history, ex.list_map_runs):
        with pytest.raises(ExecutionNotFound):
            call("/default/default/e1234567/0123456789abcdef")
    with pytest.raises(MapRunNotFound):
        ex.describe_map_run("/default/default/e1234567/0123456789abcdef/1")


def test_an_express_workflow_answers_at_once(ex: Executor, name: str) -> None:
    ex.deploy(name, PASS, type="EXPRESS")
    answer = ex.start_sync(name, {"n": 1}, "quick")
    assert (answer["status"], answer["output"], answer["name"]) == ("SUCCEEDED", '{"n":1}', "quick")
    ex.deploy(f"{name}-standard", PASS)
    with pytest.raises(ApiError) as refused:
        ex.start_sync(f"{name}-standard")
    assert refused.value.code == "StateMachineTypeNotSupported"


def test_a_definition_runs_without_a_name(ex: Executor) -> None:
    assert ex.run(PASS, [1]).output == b"[1]"
    assert ex.run(FAIL).error == "Broken"


def test_a_failed_execution_is_redriven(ex: Executor, name: str) -> None:
    ex.deploy(name, task("fail"))
    execution = ex.start(name).wait(LONG)
    assert (execution.status, execution.error, execution.cause) == ("Failed", "Declined", "over the limit")
    assert ex.redrive(execution.id) == execution
    assert execution.wait(LONG).context().redrive_count == 1
    ex.deploy(f"{name}-p", PASS)
    with pytest.raises(NotRedrivable):
        ex.redrive(ex.start(f"{name}-p").wait(LONG).id)


# handlers, histories


def test_handlers_do_the_tasks(ex: Executor, name: str) -> None:
    ex.deploy(name, task("describe"))
    execution = ex.start(name).wait(LONG)
    assert execution.output == ["S", "describe", 0, execution.id]


def test_histories_are_read_both_ways_and_in_part(ex: Executor, name: str) -> None:
    ex.deploy(name, task("echo"))
    execution = ex.start(name, {"n": 1}).wait(LONG)
    events = ex.history(execution.id)
    types = [event["type"] for event in events]
    assert (types[0], types[-1]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert execution.history(reverse=True) == events[::-1]
    assert ex.history(execution.id, 2, after=1) == events[1:3]
    assert list(execution.events()) == events
    assert "input" not in ex.history(execution.id, 1, include_data=False)[0]["executionStartedEventDetails"]


def test_events_are_followed_while_they_come(ex: Executor, name: str) -> None:
    ex.deploy(name, task(ACTIVITY + name))
    execution = ex.start(name)
    followed: list[str] = []
    thread = threading.Thread(target=lambda: followed.extend(event["type"] for event in execution.events()))
    thread.start()
    execution.wait_for("S", LONG)
    execution.complete("S", 5)
    thread.join()
    assert followed[-1] == "ExecutionSucceeded"
    assert execution.output == 5
    with pytest.raises(ExecutionFailed):
        execution.wait_for("S", LONG)


# tasks


def polled(ex: Executor, name: str, input: Any = None) -> tuple[Execution, str]:
    ex.deploy(name, task(ACTIVITY + name))
    execution = ex.start(name, input)
    found = ex.get_activity_task(ACTIVITY + name, "worker", timeout=LONG)
    assert found is not None
    assert found.token is not None
    return execution, found.token


def test_an_activity_is_polled_and_answered(ex: Executor, name: str) -> None:
    execution, token = polled(ex, name, {"n": 1})
    ex.send_task_heartbeat(token)
    assert [each.token for each in ex.open_tasks(execution.id)] == [token]
    ex.send_task_success(token, {"m": 2})
    assert execution.wait(LONG).output == {"m": 2}
    with pytest.raises(TaskTimedOut):
        ex.send_task_success(token, 1)
    assert ex.open_tasks(execution.id) == []
    assert ex.get_activity_task(ACTIVITY + name, timeout=0.01) is None


def test_an_activity_fails(ex: Executor, name: str) -> None:
    execution, token = polled(ex, name)
    ex.send_task_failure(token, "Bad", "luck")
    assert execution.wait(LONG).error == "Bad"


def test_a_poll_waits_for_a_task(ex: Executor, name: str) -> None:
    ex.deploy(name, task(ACTIVITY + name))
    found: list[Any] = []
    poll = threading.Thread(target=lambda: found.append(ex.get_activity_task(ACTIVITY + name, timeout=LONG)))
    poll.start()
    execution = ex.start(name, 3)
    poll.join()
    assert found[0].input == b"3"
    execution.fail("S", "Over")
    assert execution.wait(LONG).error == "Over"


def test_tokens_that_nobody_made_are_refused(ex: Executor) -> None:
    with pytest.raises(InvalidToken):
        ex.send_task_success("no token", 1)
    with pytest.raises(TaskDoesNotExist):
        ex.send_task_heartbeat("no token")


# map runs


def test_map_runs_are_described(ex: Executor, name: str) -> None:
    states = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **states}
    ex.deploy(name, one({"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor}))
    execution = ex.start(name, {"items": [1, 2, 3]}).wait(LONG)
    assert execution.output == [1, 2, 3]
    (run,) = ex.list_map_runs(execution.id)
    described = ex.describe_map_run(run["mapRunArn"])
    assert (described["status"], described["itemCounts"]["succeeded"]) == ("SUCCEEDED", 3)
    assert len(ex.list(map_run=run["mapRunArn"])) == len(list(ex.executions(parent=execution.id))) == 3


# the engine


def test_counters_grow(ex: Executor, name: str) -> None:
    before = ex.stats()
    ex.deploy(name, PASS)
    ex.start(name).wait(LONG)
    after = ex.stats()
    assert after.batches > before.batches
    ex.check()
