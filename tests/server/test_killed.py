"""A server that is killed under load: everything that it has answered is there afterwards."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from .support import PASS, WAIT, client, ended, machine, refusal, serving

CLIENTS = 6
CLOSED = ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


class Load:
    """What clients asked for, and what was answered."""

    def __init__(self, url: str, machines: dict[str, str], activity: str) -> None:
        self._url, self._machines, self._activity = url, machines, activity
        self.started: dict[str, str] = {}
        """Each execution, and the input that it was started with."""
        self.stopped: set[str] = set()
        self.answered: set[str] = set()
        """Tokens of tasks whose results were taken."""
        self.redriven: dict[str, Any] = {}

    def run(self, number: int) -> None:
        sfn, drawn = client(self._url, read_timeout=20), random.Random(number)
        try:
            for count in range(10_000):
                self._act(sfn, drawn, f"{number}-{count}")
        except (BotoCoreError, ClientError):
            return  # the server was killed

    def _act(self, sfn: Any, drawn: random.Random, name: str) -> None:
        kind = drawn.choice(list(self._machines))
        text = json.dumps({"name": name})
        execution = sfn.start_execution(stateMachineArn=self._machines[kind], name=name, input=text)["executionArn"]
        self.started[execution] = text
        if kind == "wait":
            sfn.stop_execution(executionArn=execution, error="Enough")
            self.stopped.add(execution)
            self.redriven[execution] = sfn.redrive_execution(executionArn=execution, clientToken="t")["redriveDate"]
        if kind == "task":
            token = sfn.get_activity_task(activityArn=self._activity)["taskToken"]
            sfn.send_task_success(taskToken=token, output="1")
            self.answered.add(token)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_answered_is_lost(tmp_path: Path, seed: int) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data) as server:
        activity = server.client.create_activity(name="work")["activityArn"]
        work = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": activity, "End": True}}}
        definitions = {"pass": PASS, "wait": WAIT, "task": work}
        machines = {name: machine(server.client, name, definition) for name, definition in definitions.items()}
        load = Load(server.url, machines, activity)
        threads = [threading.Thread(target=load.run, args=(seed * 100 + number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(1.5 + seed * 0.4)
        server.process.kill()
        for thread in threads:
            thread.join()
    assert len(load.started) > CLIENTS
    with serving("--data", data) as server:
        sfn = server.client
        for execution, text in load.started.items():
            assert sfn.describe_execution(executionArn=execution)["input"] == text
        for execution in load.stopped - set(load.redriven):
            found = sfn.describe_execution(executionArn=execution)
            assert (found["status"], found.get("error")) in (("ABORTED", "Enough"), ("RUNNING", None))
        for execution, date in load.redriven.items():
            found = sfn.describe_execution(executionArn=execution)
            assert (found["redriveCount"], found["redriveDate"]) == (1, date)
        for token in load.answered:  # the same as before: a token works once
            assert refusal(sfn.send_task_heartbeat, taskToken=token)[0] == "TaskTimedOut"
            assert refusal(sfn.send_task_success, taskToken=token, output="1") == CLOSED
            assert refusal(sfn.send_task_failure, taskToken=token) == CLOSED
        for execution in load.started:
            if ":pass:" in execution:
                assert ended(sfn, execution)["status"] == "SUCCEEDED"
        assert server.stop() == 0
