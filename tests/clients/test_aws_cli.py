"""The AWS CLI, in a virtual environment of its own: it wants versions of botocore that boto3 does not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.support import Served

from .support import RUN_SECONDS, environment, installed, python

VERSION = "1.46.2"
ROLE = "arn:aws:iam::000000000000:role/none"
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


class Cli:
    """``aws stepfunctions``, with a server."""

    def __init__(self, program: Path, url: str) -> None:
        self._program, self._environment = program, environment(url)

    def run(self, operation: str, **options: str) -> subprocess.CompletedProcess[str]:
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        command = [str(self._program), "stepfunctions", operation, "--output", "json", *words]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )

    def __call__(self, operation: str, **options: str) -> Any:
        done = self.run(operation, **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}


pytestmark = pytest.mark.timeout(900)  # it may be installed first


@pytest.fixture(scope="module")
def aws(served: Served) -> Iterator[Cli]:
    def install(folder: Path) -> list[list[str]]:
        return [
            [python(), "-m", "venv", "--clear", "venv"],
            ["venv/bin/python", "-m", "pip", "install", "--quiet", f"awscli=={VERSION}"],
            ["touch", f"installed-{VERSION}"],
        ]

    with installed("aws-cli", f"installed-{VERSION}", install) as folder:
        yield Cli(folder / "venv" / "bin" / "aws", served.url)


def test_a_machine_is_created_changed_and_run(aws: Cli) -> None:
    arn = aws("create-state-machine", name="cli", definition=PASS, role_arn=ROLE)["stateMachineArn"]
    assert aws("describe-state-machine", state_machine_arn=arn)["name"] == "cli"
    assert "cli" in {each["name"] for each in aws("list-state-machines")["stateMachines"]}
    changed = PASS.replace('"Pass"', '"Pass", "Result": 7')
    assert "revisionId" in aws("update-state-machine", state_machine_arn=arn, definition=changed)
    started = aws("start-execution", state_machine_arn=arn, name="one", input='{"a": 1}')
    execution = started["executionArn"]
    events = aws("get-execution-history", execution_arn=execution)["events"]
    while events[-1]["type"] != "ExecutionSucceeded":
        events = aws("get-execution-history", execution_arn=execution)["events"]
    described = aws("describe-execution", execution_arn=execution)
    assert (described["status"], described["output"], described["input"]) == ("SUCCEEDED", "7", '{"a": 1}')
    listed = aws("list-executions", state_machine_arn=arn, status_filter="SUCCEEDED")["executions"]
    assert [each["name"] for each in listed] == ["one"]
    aws("delete-state-machine", state_machine_arn=arn)


def test_an_activity_is_polled_and_answered(aws: Cli) -> None:
    activity = aws("create-activity", name="cli")["activityArn"]
    state = {"Type": "Task", "Resource": activity, "End": True}
    definition = json.dumps({"StartAt": "T", "States": {"T": state}})
    arn = aws("create-state-machine", name="cli-polled", definition=definition, role_arn=ROLE)["stateMachineArn"]
    execution = aws("start-execution", state_machine_arn=arn)["executionArn"]
    task = aws("get-activity-task", activity_arn=activity, worker_name="cli")
    aws("send-task-heartbeat", task_token=task["taskToken"])
    aws("send-task-failure", task_token=task["taskToken"], error="Refused", cause="by hand")
    described = aws("describe-execution", execution_arn=execution)
    while described["status"] == "RUNNING":
        described = aws("describe-execution", execution_arn=execution)
    assert (described["status"], described["error"]) == ("FAILED", "Refused")
    aws("redrive-execution", execution_arn=execution)
    aws("stop-execution", execution_arn=execution, error="Enough")
    assert aws("list-activities")["activities"]


def test_express_machines_and_single_states_answer_at_once(aws: Cli) -> None:
    arn = aws("create-state-machine", name="cli-express", definition=PASS, role_arn=ROLE, type="EXPRESS")
    answer = aws("start-sync-execution", state_machine_arn=arn["stateMachineArn"], input="[1]")
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "[1]")
    tested = aws("test-state", definition='{"Type": "Pass", "End": true}', role_arn=ROLE, input="7")
    assert (tested["status"], tested["output"]) == ("SUCCEEDED", "7")
    assert aws("validate-state-machine-definition", definition=PASS)["result"] == "OK"


def test_errors_are_named(aws: Cli) -> None:
    unknown = "arn:aws:states:us-east-1:000000000000:stateMachine:none"
    done = aws.run("start-execution", state_machine_arn=unknown)
    assert done.returncode != 0
    assert "(StateMachineDoesNotExist) when calling the StartExecution operation" in done.stderr
    assert f"State Machine Does Not Exist: '{unknown}'" in done.stderr
