"""A server seen from outside: metrics, and lines of the log with execution and state."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell.engine.api.follower import Follower

from .support import SECONDS, Served, serving
from .test_exposure import refused

HANDLERS = """
import logging
from stepwell import TaskError

def work(value, ctx):
    logging.getLogger("program").warning("at work on %s", value)
    if value == "fail":
        raise TaskError("Broken", "as asked\\n\\x1b[31mred")
    if value == "crash":
        raise ValueError("unexpected")
    return value

handlers = {"arn:aws:lambda:us-east-1:000000000000:function:work": work}
"""
WORK = "arn:aws:lambda:us-east-1:000000000000:function:work"
ROLE = "arn:aws:iam::000000000000:role/r"
MACHINE = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": WORK,
            "Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 1, "IntervalSeconds": 1}],
            "End": True,
        }
    },
}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("observed") / "log"


@pytest.fixture(scope="module")
def observed(log: Path) -> Iterator[Served]:
    (log.parent / "work.py").write_text(HANDLERS)
    with serving(
        *("--data", str(log.parent / "data"), "--handlers", str(log.parent / "work.py"), "--metrics"),
        *("--log-format", "json", "--access-log", "--log-events"),
        stderr=log,
    ) as served:
        yield served


def metrics(served: Served) -> dict[str, float]:
    """The samples of a scrape, by name and labels."""
    answer = served.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = [line for line in answer.data.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def run(served: Served, name: str, value: str) -> str:
    """Run an execution to its end; its ARN."""
    sfn = served.client
    machine = sfn.create_state_machine(name=name, definition=json.dumps(MACHINE), roleArn=ROLE)["stateMachineArn"]
    arn = sfn.start_execution(stateMachineArn=machine, input=json.dumps(value))["executionArn"]
    deadline = time.monotonic() + SECONDS
    while sfn.describe_execution(executionArn=arn)["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return arn


def until(read: Any, holds: Any) -> Any:
    """What is read, once it is as wanted: events are told a moment after the end."""
    deadline = time.monotonic() + SECONDS
    while not holds(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_metrics_of_executions_and_tasks(observed: Served, name: str) -> None:
    before = metrics(observed)
    run(observed, name, "well")
    run(observed, name, "fail")
    ended = f'stepwell_executions_ended_total{{status="failed",workflow="{name}"}}'
    found = until(lambda: metrics(observed), lambda found: found.get(ended) == 1)
    assert found[f'stepwell_executions_started_total{{workflow="{name}"}}'] == 2
    assert found[f'stepwell_executions_ended_total{{status="succeeded",workflow="{name}"}}'] == 1
    assert found[f'stepwell_execution_seconds_count{{workflow="{name}"}}'] == 2

    def grown(sample: str) -> float:
        return found[sample] - before.get(sample, 0)

    assert grown(f'stepwell_task_seconds_count{{resource="{WORK}",status="succeeded"}}') == 1
    assert grown(f'stepwell_task_seconds_count{{resource="{WORK}",status="failed"}}') == 2
    assert grown(f'stepwell_task_retries_total{{resource="{WORK}"}}') == 1
    assert grown("stepwell_transitions_total") == 2
    assert grown("stepwell_log_sync_seconds_count") >= 2
    assert grown("stepwell_log_sync_seconds_sum") > 0
    assert found["stepwell_executions_open"] == 0
    assert found["stepwell_up"] == 1
    assert found['stepwell_inbox{partition="0"}'] >= 0
    assert found['stepwell_log_bytes{partition="0"}'] > 0
    assert found['stepwell_storage_bytes{partition="0"}'] > 0


def test_metrics_of_requests(observed: Served) -> None:
    before = metrics(observed)
    for _ in range(3):
        observed.post("ListStateMachines", "{}")
        observed.post("NoSuchOperation" + "x" * 20, "{}")
    found = metrics(observed)
    for sample, count in (
        ('stepwell_requests_total{operation="ListStateMachines",status="200"}', 3),
        ('stepwell_requests_total{operation="(none)",status="400"}', 3),
        ('stepwell_request_seconds_count{operation="ListStateMachines"}', 3),
    ):
        assert found[sample] - before.get(sample, 0) == count
    assert found["stepwell_connections"] >= 1


def test_a_follower_is_seen_in_its_leader_s_metrics(observed: Served, log: Path, tmp_path: Path) -> None:
    with Follower(log.parent / "data", tmp_path / "copy") as follower:
        found = until(lambda: metrics(observed), lambda found: any("follower_lag" in sample for sample in found))
        (sample,) = (sample for sample in found if "follower_lag" in sample)
        assert re.fullmatch(r'stepwell_follower_lag_records\{follower="[0-9a-f]{32}",partition="0"\}', sample)
        assert found[sample] >= 0
        follower.check()


def lines(log: Path, **fields: Any) -> list[dict[str, Any]]:
    """The lines of a log that have these fields; each is JSON."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    return [each for each in records if fields.items() <= each.items()]


def test_lines_have_the_execution_and_the_state(observed: Served, log: Path, name: str) -> None:
    arn = run(observed, name, "crash")
    ended = until(
        lambda: lines(log, logger="stepwell.executions", event="execution_ended", workflow=name), lambda found: found
    )
    id = ended[0]["execution"]
    assert (ended[0]["status"], ended[0]["error"], ended[0]["level"]) == ("Failed", "ValueError", "WARNING")
    events = [each["event"] for each in lines(log, logger="stepwell.executions", execution=id)]
    assert events == [
        *("execution_started", "state_entered", "task_scheduled", "task_ended", "state_exited", "execution_ended"),
    ]
    for logger in ("program", "stepwell.handlers"):
        (line,) = lines(log, logger=logger, execution=id)
        assert (line["state"], line["attempt"]) == ("Work", 0)
        assert line["task"]
    (started,) = lines(log, logger="stepwell.access", operation="StartExecution", execution=arn)
    assert (started["status"], started["method"], started["key"]) == (200, "POST", "anybody")
    assert started["state_machine"].endswith(name)


def test_a_refused_request_is_logged_with_its_error(observed: Served, log: Path) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:execution:nothing:nothing"
    observed.post("DescribeExecution", json.dumps({"executionArn": arn}))
    observed.post("ListStateMachines", "{}", Host="evil.example")
    (line,) = until(lambda: lines(log, logger="stepwell.access", execution=arn), lambda found: found)
    assert (line["error"], line["status"]) == ("ExecutionDoesNotExist", 400)
    assert until(lambda: lines(log, logger="stepwell.access", status=403, error="AccessDeniedException"), bool)


def test_metrics_need_a_key_where_requests_do(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.touch(0o600)
    tokens.write_text("prometheus 0123456789abcdef read-only\n")
    with serving("--metrics", "--auth-token-file", str(tokens)) as served:
        assert served.get("/metrics").status == 403
        assert served.get("/metrics", Authorization="Bearer 0123456789abcdef").status == 200


def test_there_are_no_metrics_without_the_option(served: Served) -> None:
    assert served.get("/metrics").status == 404


def test_the_option_needs_the_extra(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['prometheus_client'] = None\n")
    assert "stepwell[prometheus]" in refused("--metrics", PYTHONPATH=str(tmp_path))
