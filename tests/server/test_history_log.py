"""AWS's logging levels: history events as lines in AWS's form."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from stepwell import Executor, TaskError
from stepwell.engine.client.deployments import Settings
from stepwell.step_functions.history_log import LARGEST_TEXT, HistoryLog, is_logged, line_of

from .support import PASS, ROLE, serving
from .support import run as run_served

SECONDS = 60
WORK = "arn:aws:lambda:us-east-1:000000000000:function:work"
MACHINE = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": WORK,
            "Catch": [{"ErrorEquals": ["Caught"], "Next": "Bad"}],
            "End": True,
        },
        "Bad": {"Type": "Fail", "Error": "Bad", "Cause": "it was\ncaught"},
    },
}


class Lines(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.hold: threading.Event | None = None
        """Each line waits for it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        if self.hold is not None:
            self.hold.wait(SECONDS)

    def of(self, arn: str) -> list[dict[str, Any]]:
        found = [json.loads(text) for text in self.texts]
        return [line for line in found if line["execution_arn"] == arn]

    def until(self, arn: str, type: str, count: int = 1) -> list[dict[str, Any]]:
        """The lines of an execution, once there are so many of a type."""
        deadline = time.monotonic() + SECONDS
        while sum(line["type"] == type for line in self.of(arn)) < count:
            assert time.monotonic() < deadline, self.of(arn)
            time.sleep(0.01)
        return self.of(arn)


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("stepwell.history")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


def work(value: Any) -> Any:
    if value == "caught":
        raise TaskError("Caught", "as asked")
    if value == "fail":
        raise TaskError("Broken")
    return {"secret": value}


@contextmanager
def logged(
    data: Path | None = None, handler: Callable[[Any], Any] = work
) -> Iterator[tuple[Executor, Callable[..., None]]]:
    """An executor whose histories are logged, and what deploys a machine with a level."""
    with Executor(data, handlers={WORK: handler}) as executor:
        log = HistoryLog(executor)

        def deploy(name: str, level: str, *, data: bool = False, type: str = "STANDARD") -> None:
            configuration = json.dumps({"level": level, "includeExecutionData": data, "destinations": []}).encode()
            text = json.dumps(MACHINE).encode()
            machine = executor.client.deployments.compiled(text, type)
            with executor.client.deployments.changing:
                executor.client.resources.create(name, text, type, Settings(logging=configuration), machine)

        try:
            yield executor, deploy
        finally:
            log.close()


def run(executor: Executor, name: str, value: Any) -> tuple[str, list[dict[str, Any]]]:
    """An execution's ARN and its history, once it has ended."""
    execution = executor.start(name, value)
    try:
        execution.wait(SECONDS)
    except Exception:
        assert value != "well"
    return execution.arn, executor.history(execution.id)


def test_all_events_are_logged_in_aws_s_form(lines: Lines) -> None:
    with logged() as (executor, deploy):
        deploy("machine", "ALL", data=True)
        arn, history = run(executor, "machine", "well")
        found = lines.until(arn, "ExecutionSucceeded")
    assert [line["type"] for line in found] == [event["type"] for event in history]
    first, second = found[:2]
    assert list(first) == [
        *("id", "type", "details", "redrive_count", "previous_event_id", "event_timestamp", "execution_arn"),
    ]
    assert (first["id"], first["previous_event_id"], first["redrive_count"]) == ("1", "0", "0")
    assert first["event_timestamp"] == str(round(history[0]["timestamp"] * 1000))
    assert first["details"]["input"] == '"well"'
    assert first["details"]["inputDetails"] == {"truncated": False}
    assert second["details"]["name"] == "Work"
    assert found[-1]["details"]["output"] == '{"secret":"well"}'


def test_no_data_is_logged_unless_it_is_wanted(lines: Lines) -> None:
    with logged() as (executor, deploy):
        deploy("machine", "ALL")
        arn, _ = run(executor, "machine", "well")
        found = lines.until(arn, "ExecutionSucceeded")
    assert all("secret" not in json.dumps(line["details"]) for line in found)
    assert found[1]["details"] == {"name": "Work"}
    assert "roleArn" in found[0]["details"]


@pytest.mark.parametrize(
    ("level", "value", "types"),
    [
        ("ERROR", "well", []),
        ("ERROR", "fail", ["LambdaFunctionFailed", "ExecutionFailed"]),
        ("ERROR", "caught", ["LambdaFunctionFailed", "FailStateEntered", "ExecutionFailed"]),
        ("FATAL", "well", []),
        ("FATAL", "caught", ["ExecutionFailed"]),
        ("OFF", "fail", []),
    ],
)
@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_levels(lines: Lines, level: str, value: str, types: list[str], type: str) -> None:
    with logged() as (executor, deploy):
        deploy("machine", level, type=type)
        deploy("last", "ALL")
        arn, _ = run(executor, "machine", value)
        after, _ = run(executor, "last", "well")
        lines.until(after, "ExecutionSucceeded")  # one thread logs all, in order
        assert [line["type"] for line in lines.of(arn)] == types


def test_a_redrive_counts_on(lines: Lines) -> None:
    with logged() as (executor, deploy):
        deploy("machine", "ERROR")
        execution = executor.start("machine", "fail")
        lines.until(execution.arn, "ExecutionFailed")
        executor.redrive(execution.id)
        found = lines.until(execution.arn, "ExecutionFailed", 2)
    assert [(line["type"], line["redrive_count"]) for line in found] == [
        ("LambdaFunctionFailed", "0"),
        ("ExecutionFailed", "0"),
        ("LambdaFunctionFailed", "1"),
        ("ExecutionFailed", "1"),
    ]
    assert len({line["id"] for line in found}) == 4


def test_nothing_is_logged_twice_when_a_redrive_overtakes_the_log(lines: Lines) -> None:
    first, again = threading.Event(), threading.Event()
    lines.hold = first
    calls: list[Any] = []

    def fails(value: Any) -> Any:
        calls.append(value)
        if len(calls) > 1:
            again.wait(SECONDS)
        raise TaskError("Broken")

    with logged(handler=fails) as (executor, deploy):
        deploy("machine", "ALL")
        execution = executor.start("machine", 1)
        assert execution.wait(SECONDS).status == "Failed"
        executor.redrive(execution.id)
        first.set()
        lines.until(execution.arn, "ExecutionRedriven")
        again.set()
        found = lines.until(execution.arn, "ExecutionFailed", 2)
    assert [int(line["id"]) for line in found] == list(range(1, len(found) + 1))


def test_nothing_is_logged_twice_over_a_restart(lines: Lines, tmp_path: Path) -> None:
    waiting = {
        "StartAt": "Wait",
        "States": {
            "Wait": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": {"FunctionName": "wait", "Payload.$": "$$.Task.Token"},
                "End": True,
            }
        },
    }
    tokens: list[str] = []
    configuration = Settings(logging=b'{"level":"ALL"}')
    with Executor(tmp_path / "data", handlers={"wait": tokens.append}) as executor:
        log = HistoryLog(executor)
        text = json.dumps(waiting).encode()
        machine = executor.client.deployments.compiled(text, "STANDARD")
        executor.client.resources.create("machine", text, "STANDARD", configuration, machine)
        execution = executor.start("machine")
        arn = execution.arn
        deadline = time.monotonic() + SECONDS
        while executor.history(execution.id)[-1]["type"] != "TaskSubmitted":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        log.close()
        assert lines.of(arn)[-1]["type"] == "TaskSubmitted"
    with Executor(tmp_path / "data", handlers={"wait": print}) as executor:
        log = HistoryLog(executor)
        executor.send_task_success(tokens[0], {})
        found = lines.until(arn, "ExecutionSucceeded")
        log.close()
        history = executor.history(execution.id)
    assert [line["id"] for line in found] == [str(event["id"]) for event in history]


def test_who_logs_nothing_listens_to_nothing() -> None:
    with logged() as (executor, deploy):
        deploy("machine", "OFF")
        executor.deploy("other", {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
        assert executor._listeners.names == frozenset()
        deploy("wanted", "FATAL")
        assert executor._listeners.names


TYPES: list[str] = (
    botocore.session.get_session().get_service_model("stepfunctions").shape_for("HistoryEventType").enum  # type: ignore[attr-defined]
)
ERRORS = frozenset(
    {
        *("ActivityFailed", "ActivityScheduleFailed", "ActivityTimedOut", "EvaluationFailed"),
        *("ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut", "FailStateEntered"),
        *(
            "LambdaFunctionFailed",
            "LambdaFunctionScheduleFailed",
            "LambdaFunctionStartFailed",
            "LambdaFunctionTimedOut",
        ),
        *("MapIterationAborted", "MapIterationFailed", "MapRunAborted", "MapRunFailed"),
        *("MapStateAborted", "MapStateFailed", "ParallelStateAborted", "ParallelStateFailed"),
        *("TaskFailed", "TaskStartFailed", "TaskStateAborted", "TaskSubmitFailed", "TaskTimedOut", "WaitStateAborted"),
    }
)


@pytest.mark.parametrize("type", TYPES)
def test_aws_s_table_of_levels(type: str) -> None:
    assert is_logged("ALL", type)
    assert is_logged("ERROR", type) == (type in ERRORS)
    assert is_logged("FATAL", type) == (type in ("ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"))
    assert not is_logged("OFF", type)


@pytest.mark.parametrize(("text", "is_cut"), [("x" * LARGEST_TEXT, False), ("é" * LARGEST_TEXT, True)])
def test_long_texts_are_cut_off(text: str, is_cut: bool) -> None:
    details = {"input": text, "inputDetails": {"truncated": False}, "name": "A"}
    event = {
        "id": 2,
        "previousEventId": 0,
        "type": "PassStateEntered",
        "timestamp": 1.5,
        "stateEnteredEventDetails": details,
    }
    found = json.loads(line_of(event, 0, {"execution_arn": "arn"}, has_data=True))["details"]
    assert found["inputDetails"] == {"truncated": is_cut}
    assert len(found["input"].encode()) <= LARGEST_TEXT
    assert text.startswith(found["input"])
    assert details["inputDetails"] == {"truncated": False}


def test_a_server_logs_a_machine_as_its_settings_say(tmp_path: Path, name: str) -> None:
    """In both forms of the log the lines have AWS's."""
    log = tmp_path / "log"
    group = "arn:aws:logs:us-east-1:000000000000:log-group:group:*"
    with serving(stderr=log) as served:
        machine = served.client.create_state_machine(
            name=name,
            definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::000000000000:role/r",
            loggingConfiguration={
                "level": "ALL",
                "includeExecutionData": True,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
            },
        )["stateMachineArn"]
        arn = served.client.start_execution(stateMachineArn=machine, input='{"a": "\\u001b"}')["executionArn"]
        assert served.stop() == 0
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [(line["type"], line["execution_arn"]) for line in found] == [
        *(("ExecutionStarted", arn), ("SucceedStateEntered", arn), ("SucceedStateExited", arn)),
        ("ExecutionSucceeded", arn),
    ]
    assert found[0]["details"]["input"] == '{"a": "\\u001b"}'


def test_a_machine_is_logged_at_once_by_whichever_door_its_settings_came(tmp_path: Path) -> None:
    """A machine that a task creates, and another version of it that a process deploys through the control socket."""
    log, data = tmp_path / "log", str(tmp_path / "data")
    group = "arn:aws:logs:us-east-1:000000000000:log-group:group:*"
    with serving("--data", data, stderr=log) as served:
        request = {
            "Name": "made",
            "Definition": json.dumps(PASS),
            "RoleArn": ROLE,
            "LoggingConfiguration": {
                "Level": "ALL",
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
            },
        }
        task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:createStateMachine", "Parameters": request}
        maker = run_served(served.client, "maker", {"StartAt": "T", "States": {"T": {**task, "End": True}}})
        assert maker["status"] == "SUCCEEDED"
        machine = maker["executionArn"].replace(":execution:maker", ":stateMachine:made").rpartition(":")[0]
        served.client.start_execution(stateMachineArn=machine, name="1")
        with Executor(data, connect=True) as connected:
            connected.deploy("made", PASS | {"Comment": "deployed"})
            connected.start("made", execution_name="2").wait(SECONDS)
        assert served.stop() == 0
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    ended = [line["execution_arn"].rpartition(":")[2] for line in found if line["type"] == "ExecutionSucceeded"]
    assert ended == ["1", "2"]
