"""Handlers in workers: what a program may rely on there, and what becomes of tasks when workers and servers end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.support import Served, serving
from stepwell import Execution, RemoteExecutor

from . import worker_handlers
from .support import Working, working

LONG = 60
HANDLERS = Path(worker_handlers.__file__)


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": resource, "End": True, **more}}}


def notes(folder: Path, what: str) -> list[str]:
    """The tasks of which this was noted."""
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.new")]
    return [text.split()[1] for text in texts if text.split()[0] == what]


def until(condition: Any) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = str(tmp_path_factory.mktemp("worker") / "data")
    with serving("--data", data, "--profile", "default", "--wait-for-workers") as server:
        yield server


@pytest.fixture(scope="module")
def ex(served: Served) -> Iterator[RemoteExecutor]:
    with RemoteExecutor(served.url) as executor:
        yield executor


@pytest.fixture(scope="module")
def worker(served: Served) -> Iterator[Working]:
    with working(served.url, HANDLERS) as one:
        yield one


def run(ex: RemoteExecutor, resource: str, input: Any, **more: Any) -> Execution:
    ex.deploy(resource.rpartition(":")[2].replace(".", "-"), task(resource, **more))
    return ex.start(resource.rpartition(":")[2].replace(".", "-"), input)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("resource", ["echo", "on_a_loop", "arn:aws:lambda:us-east-1:000000000000:function:echo"])
def test_functions_and_coroutines_of_a_worker_do_tasks(ex: RemoteExecutor, resource: str) -> None:
    assert run(ex, resource, {"n": [1, "é"]}).wait(LONG).output == {"n": [1, "é"]}


@pytest.mark.usefixtures("worker")
def test_a_lambda_is_invoked_in_a_worker(ex: RemoteExecutor) -> None:
    parameters = {"FunctionName": "echo", "Payload.$": "$"}
    execution = run(ex, "arn:aws:states:::lambda:invoke", 7, Parameters=parameters).wait(LONG)
    assert execution.output == {"ExecutedVersion": "$LATEST", "Payload": 7, "StatusCode": 200}


@pytest.mark.usefixtures("worker")
def test_handlers_of_a_worker_know_their_task(ex: RemoteExecutor) -> None:
    execution = run(ex, "context", 0).wait(LONG)
    assert execution.output == ["S", "context", 0, execution.id, execution.arn]


@pytest.mark.usefixtures("worker")
def test_errors_of_a_worker_are_caught_and_retried_as_others(ex: RemoteExecutor) -> None:
    retrier = {"ErrorEquals": ["Declined"], "MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 1.0}
    execution = run(ex, "fail", 0, Retry=[retrier]).wait(LONG)
    assert (execution.error, execution.cause) == ("Declined", "over the limit")
    failures = [event for event in execution.history() if event["type"].endswith("Failed")]
    assert len(failures) == 4  # three attempts, and the execution


@pytest.mark.usefixtures("worker")
def test_types_are_checked_in_the_worker(ex: RemoteExecutor) -> None:
    assert run(ex, "typed", {"total": 1}).wait(LONG).output == {"total": 2}
    wrong = run(ex, "typed", {"total": "x"}).wait(LONG)
    assert wrong.error == "States.Runtime"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("resource", ["until_cancelled", "awaiting"])
def test_a_worker_is_told_that_a_task_has_ended(ex: RemoteExecutor, resource: str, tmp_path: Path) -> None:
    execution = run(ex, resource, {"notes": str(tmp_path)})
    until(lambda: notes(tmp_path, "began"))
    execution.stop().wait(LONG)
    until(lambda: notes(tmp_path, "cancelled"))


@pytest.mark.usefixtures("worker")
def test_heartbeats_of_a_worker_keep_its_task(ex: RemoteExecutor) -> None:
    execution = run(ex, "beating", {"seconds": 3}, HeartbeatSeconds=2)
    assert execution.wait(LONG).output == "done"


@pytest.mark.usefixtures("worker")
def test_a_task_that_waits_for_its_token_is_submitted_by_a_worker(ex: RemoteExecutor, tmp_path: Path) -> None:
    parameters = {"FunctionName": "with_token", "Payload": {"notes": str(tmp_path), "token.$": "$$.Task.Token"}}
    execution = run(ex, "arn:aws:states:::lambda:invoke.waitForTaskToken", 7, Parameters=parameters)
    until((tmp_path / "token").is_file)
    until(lambda: any(event["type"] == "TaskSubmitted" for event in execution.history()))
    (waiting,) = ex.open_tasks(execution.id)
    assert waiting.token is not None
    ex.send_task_success(waiting.token, "answered")
    assert execution.wait(LONG).output == "answered"


@pytest.mark.usefixtures("worker")
def test_many_tasks_pass_a_worker_and_each_once(ex: RemoteExecutor, tmp_path: Path) -> None:
    ex.deploy("many", task("slow"))
    executions = [ex.start("many", {"notes": str(tmp_path), "seconds": 0}) for _ in range(100)]
    ids = [execution.wait(LONG).output for execution in executions]
    assert sorted(notes(tmp_path, "began")) == sorted(ids)


# ends of workers


def test_a_worker_finishes_what_it_holds_before_it_ends(served: Served, ex: RemoteExecutor, tmp_path: Path) -> None:
    ex.deploy("finished", task("slow_alone"))
    handlers = tmp_path / "alone.py"
    handlers.write_text("from remote.worker_handlers import slow as slow_alone\nhandlers = {'slow_alone': slow_alone}")
    execution = ex.start("finished", {"notes": str(tmp_path), "seconds": 2})
    with working(served.url, handlers) as alone:
        until(lambda: notes(tmp_path, "began"))
        assert alone.stop() == 0
    assert execution.wait(LONG).output in notes(tmp_path, "ended")
    assert len(notes(tmp_path, "began")) == 1


def test_a_worker_gives_back_what_it_cannot_finish(served: Served, ex: RemoteExecutor, tmp_path: Path) -> None:
    ex.deploy("given-back", task("slow_back"))
    handlers = tmp_path / "back.py"
    handlers.write_text("from remote.worker_handlers import slow\nhandlers = {'slow_back': slow}")
    execution = ex.start("given-back", {"notes": str(tmp_path), "seconds": 3})
    with working(served.url, handlers, "--grace", "0.1") as first:
        until(lambda: notes(tmp_path, "began"))
        assert first.stop() == 0
        with working(served.url, handlers):
            task_id = execution.wait(LONG).output
    assert Counter(notes(tmp_path, "began")) == {task_id: 2}  # the same task id


def test_the_tasks_of_a_killed_worker_go_to_others(served: Served, ex: RemoteExecutor, tmp_path: Path) -> None:
    ex.deploy("killed", task("slow_killed"))
    handlers = tmp_path / "killed.py"
    handlers.write_text("from remote.worker_handlers import slow\nhandlers = {'slow_killed': slow}")
    execution = ex.start("killed", {"notes": str(tmp_path), "seconds": 2})
    with working(served.url, handlers) as first:
        until(lambda: notes(tmp_path, "began"))
        first.kill()
    with working(served.url, handlers):
        task_id = execution.wait(LONG).output
    assert Counter(notes(tmp_path, "began")) == {task_id: 2}


def test_tasks_wait_for_a_worker(served: Served, ex: RemoteExecutor, tmp_path: Path) -> None:
    ex.deploy("waiting", task("echo_later"))
    execution = ex.start("waiting", 5)
    handlers = tmp_path / "later.py"
    handlers.write_text("def echo_later(value):\n    return value")
    with working(served.url, handlers):
        assert execution.wait(LONG).output == 5


def test_a_worker_goes_on_when_its_server_starts_again(tmp_path: Path) -> None:
    arguments = ("--data", str(tmp_path / "data"), "--profile", "default", "--wait-for-workers")
    with serving(*arguments) as served:
        port = served.url.rpartition(":")[2]
        with RemoteExecutor(served.url) as ex, working(served.url, HANDLERS):
            ex.deploy("slow", task("slow"))
            execution = ex.start("slow", {"notes": str(tmp_path), "seconds": 2})
            until(lambda: notes(tmp_path, "began"))
            served.process.kill()
            served.process.wait()
            with serving(*arguments, "--port", port):
                assert execution.wait(LONG).output in notes(tmp_path, "ended")
                assert ex.start("slow", {"notes": str(tmp_path), "seconds": 0}).wait(LONG).status == "Succeeded"
            assert len(notes(tmp_path, "began")) == 2  # the worker said that it had the first one


def test_a_server_that_stops_does_not_wait_for_workers(tmp_path: Path) -> None:
    with (
        serving("--data", str(tmp_path / "data"), "--profile", "default") as served,
        RemoteExecutor(served.url) as ex,
        working(served.url, HANDLERS) as one,
    ):
        ex.deploy("slow", task("slow"))
        ex.start("slow", {"notes": str(tmp_path), "seconds": 3600})
        until(lambda: notes(tmp_path, "began"))
        assert served.stop() == 0
        one.kill()


def test_a_handler_of_the_server_is_no_workers(tmp_path: Path) -> None:
    handlers = tmp_path / "own.py"
    handlers.write_text("def own(value):\n    return value")
    with (
        serving("--data", str(tmp_path / "data"), "--handlers", str(handlers)) as served,
        working(served.url, handlers) as one,
    ):
        assert one.process.wait(LONG) != 0


# activities

ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:"


def test_a_worker_polls_activities_too(served: Served, ex: RemoteExecutor, tmp_path: Path) -> None:
    names = ["of-worker", "failing", "beating-activity"]
    for name in names:
        served.client.create_activity(name=name)
        ex.deploy(name, task(ACTIVITY + name, HeartbeatSeconds=2, TimeoutSeconds=LONG))
    handlers = tmp_path / "activities.py"
    handlers.write_text(
        "from remote.worker_handlers import beating, echo, fail\n"
        f"handlers = {{'{ACTIVITY}of-worker': echo, '{ACTIVITY}failing': fail, '{ACTIVITY}beating-activity': beating}}"
    )
    with working(served.url, handlers, "--name", "activities", "--concurrency", "2") as one:
        executions = [ex.start("of-worker", number) for number in range(20)]
        assert [execution.wait(LONG).output for execution in executions] == list(range(20))
        failed = ex.start("failing").wait(LONG)
        assert (failed.error, failed.cause) == ("Declined", "over the limit")
        beating = ex.start("beating-activity", {"seconds": 3})
        assert beating.wait(LONG).output == "done"
        started = [event for event in beating.history() if event["type"] == "ActivityStarted"]
        assert started[0]["activityStartedEventDetails"]["workerName"].startswith("activities-")
        assert one.stop() == 0
