"""``/console/`` and ``/stepwell/…`` over HTTP: who may ask, what is answered, what browsers are told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from server.support import WAIT, Served, ended, machine, serving

TOKEN, READER = "0123456789abcdef-full", "0123456789abcdef-read"
FAIL = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Broken", "Cause": "it was"}}}
APPROVE = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
            "End": True,
        }
    },
}
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:review"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving("--data", str(tmp_path_factory.mktemp("console") / "data")) as server:
        sfn = server.client
        waits, passes, fails = machine(sfn, "waits", WAIT), machine(sfn, "passes"), machine(sfn, "fails", FAIL)
        for number in range(7):
            ended(sfn, sfn.start_execution(stateMachineArn=passes, name=f"order-{number}")["executionArn"])
        ended(sfn, sfn.start_execution(stateMachineArn=fails, name="bad")["executionArn"])
        sfn.start_execution(stateMachineArn=waits, name="slow", input='{"a": 1}')
        sfn.create_activity(name="review")
        task = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
        sfn.start_execution(stateMachineArn=machine(sfn, "reviews", task), name="review-1")
        yield server


def got(served: Served, path: str, **headers: str) -> Any:
    answer = served.get(path, **headers)
    assert answer.status == 200, answer.data
    return json.loads(answer.data)


def test_executions_are_listed_newest_first_by_pages(served: Served) -> None:
    names: list[str] = []
    path = "/stepwell/executions?limit=4"
    page = got(served, path)
    while True:
        names += [each["name"] for each in page["executions"]]
        if "next" not in page:
            break
        page = got(served, f"{path}&next={page['next']}")
    assert names == ["review-1", "slow", "bad", *(f"order-{number}" for number in range(6, -1, -1))]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=FAILED", ["bad"]),
        ("status=RUNNING,FAILED&workflow=waits", ["slow"]),
        ("prefix=order-5", ["order-5"]),
        ("prefix=sl", ["slow"]),
        ("workflow=passes&prefix=order-3", ["order-3"]),
        ("before=1000000", []),
        ("status=ABORTED,TIMED_OUT", []),
    ],
)
def test_executions_are_filtered(served: Served, query: str, names: list[str]) -> None:
    assert [each["name"] for each in got(served, f"/stepwell/executions?{query}")["executions"]] == names


def test_an_execution_is_found_by_its_id_and_its_arn(served: Served) -> None:
    (slow,) = got(served, "/stepwell/executions?prefix=slow")["executions"]
    for text in (slow["id"], slow["arn"]):
        assert [each["name"] for each in got(served, f"/stepwell/executions?prefix={text}")["executions"]] == ["slow"]


def test_executions_are_counted_by_status(served: Served) -> None:
    found = got(served, "/stepwell/counts")
    assert found["counts"] == {"RUNNING": 2, "SUCCEEDED": 7, "FAILED": 1, "TIMED_OUT": 0, "ABORTED": 0}
    assert got(served, "/stepwell/counts?workflow=fails")["counts"]["FAILED"] == 1


def test_an_execution_says_in_which_states_it_is_and_its_events_come_after_a_number(served: Served) -> None:
    (slow,) = got(served, "/stepwell/executions?prefix=slow")["executions"]
    found = got(served, f"/stepwell/executions/{slow['id']}")
    assert (found["status"], found["input"], [each["name"] for each in found["states"]]) == (
        "RUNNING",
        '{"a": 1}',
        ["Wait"],
    )
    path = f"/stepwell/executions/{slow['id']}/events"
    assert [each["id"] for each in got(served, f"{path}?after=1")["events"]] == [2]
    with_data, without = got(served, f"{path}?data=1")["events"][0], got(served, path)["events"][0]
    assert "input" in with_data["executionStartedEventDetails"]
    assert "input" not in without["executionStartedEventDetails"]


def test_waiting_tasks_and_activities(served: Served) -> None:
    (task,) = got(served, "/stepwell/waiting")["tasks"]
    assert (task["resource"], task["executionName"], task["state"]) == (ACTIVITY, "review-1", "Ask")
    assert got(served, "/stepwell/waiting?resource=other")["tasks"] == []
    (activity,) = got(served, "/stepwell/activities")["activities"]
    assert (activity["name"], activity["queued"], activity["pollers"]) == ("review", 1, 0)


def test_the_system_says_what_it_is(served: Served) -> None:
    found = got(served, "/stepwell/system")
    assert found["health"] == "ok"
    assert len(found["partitions"]) == len(found["files"]) == 1
    assert found["limits"]["profile"] == "aws"


def test_what_runs_is_not_deleted_and_what_has_ended_is(served: Served) -> None:
    (slow,) = got(served, "/stepwell/executions?prefix=slow")["executions"]
    sfn = served.client
    ended(sfn, sfn.start_execution(stateMachineArn=machine(sfn, "gone"), name="gone")["executionArn"])
    (gone,) = got(served, "/stepwell/executions?prefix=gone")["executions"]
    answers = [urllib3.request("DELETE", f"{served.url}/stepwell/executions/{each['id']}") for each in (slow, gone)]
    assert [answer.status for answer in answers] == [400, 200]
    assert got(served, "/stepwell/executions?prefix=gone")["executions"] == []


def test_a_stream_tells_that_executions_began(served: Served) -> None:
    answer = urllib3.request("GET", f"{served.url}/stepwell/live", preload_content=False, timeout=30)
    stream = answer.stream(64)
    assert b"retry" in next(stream)
    served.client.start_execution(stateMachineArn=machine(served.client, "passes"), name="told")
    assert b"event: change" in next(part for part in stream if b"event" in part)
    answer.close()


def test_a_stream_of_a_map_run_tells_that_its_counts_change(served: Served) -> None:
    processor = {**WAIT, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}}
    arn = machine(served.client, "each", each)
    execution = served.client.start_execution(stateMachineArn=arn, input="[1, 2]")["executionArn"]
    while not (runs := served.client.list_map_runs(executionArn=execution)["mapRuns"]):
        pass
    path = f"{served.url}/stepwell/live?mapRun={runs[0]['mapRunArn']}"
    answer = urllib3.request("GET", path, preload_content=False, timeout=30)
    stream = answer.stream(64)
    assert b"retry" in next(stream)
    served.client.update_map_run(mapRunArn=runs[0]["mapRunArn"], maxConcurrency=7)
    assert b"mapRun" in next(part for part in stream if b"event" in part)
    answer.close()
    served.client.stop_execution(executionArn=execution)


def test_revisions_are_told_with_the_versions_that_stand_for_them(served: Served) -> None:
    sfn = served.client
    arn = machine(sfn, "revised")
    for number in range(3):
        definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": number, "End": True}}}
        sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition), publish=number == 1)
    page = got(served, "/stepwell/workflows/revised/revisions?limit=3")
    assert [each["version"] for each in page["revisions"]] == [4, 3, 2]
    assert [[one["number"] for one in each["published"]] for each in page["revisions"]] == [[], [1], []]
    rest = got(served, f"/stepwell/workflows/revised/revisions?before={page['before']}")
    assert [each["version"] for each in rest["revisions"]] == [1]
    assert "before" not in rest
    found = got(served, "/stepwell/workflows/revised:3")
    assert json.loads(found["definition"])["States"]["P"]["Result"] == 1
    assert served.get("/stepwell/workflows/revised:9").status == 404


def test_a_retry_has_its_last_error_however_many_events_came_since(served: Served) -> None:
    fails = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution", "End": True}
    fails |= {"Parameters": {"ExecutionArn": "arn:aws:states:us-east-1:000000000000:execution:passes:nobody"}}
    fails |= {"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600}]}
    busy: dict[str, Any] = {f"P{number}": {"Type": "Pass", "Next": f"P{number + 1}"} for number in range(40)}
    busy["P40"] = {"Type": "Wait", "Seconds": 600, "End": True}
    branches = [{"StartAt": "F", "States": {"F": fails}}, {"StartAt": "P0", "States": busy}]
    arn = machine(
        served.client,
        "retries",
        {"StartAt": "B", "States": {"B": {"Type": "Parallel", "Branches": branches, "End": True}}},
    )
    execution = served.client.start_execution(stateMachineArn=arn)["executionArn"]
    while not (waits := got(served, "/stepwell/retries")["retries"]):
        pass
    assert (waits[0]["state"], waits[0]["error"]) == ("F", "Sfn.ExecutionDoesNotExistException")
    served.client.stop_execution(executionArn=execution)


@pytest.mark.parametrize("path", ["/stepwell/nothing", "/stepwell/executions/nobody", "/console/0000/app.js"])
def test_what_is_not_there_is_said_to_be_missing(served: Served, path: str) -> None:
    assert served.get(path).status == 404


@pytest.mark.parametrize("query", ["status=NONE", "limit=x", "after=soon", "next=forged"])
def test_a_query_that_cannot_be_read_is_refused(served: Served, query: str) -> None:
    assert served.get(f"/stepwell/executions?{query}").status == 400


def test_files_tell_browsers_to_be_strict_and_are_kept_by_their_hash(served: Served) -> None:
    page = served.get("/console/executions?status=FAILED")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-cache"
    assert served.get("/console/", **{"If-None-Match": page.headers["etag"]}).status == 304
    script = re.search(r'src="([^"]+app\.js)"', page.data.decode())
    assert script is not None
    assert "immutable" in served.get(script[1]).headers["cache-control"]
    assert b"<script>" not in page.data
    assert served.get("/console").headers["location"] == "/console/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
def test_pages_of_other_sites_are_refused(served: Served, headers: dict[str, str]) -> None:
    assert served.get("/stepwell/executions", **headers).status == 403
    assert served.get("/stepwell/session", **headers).status == 403
    assert served.post("ListStateMachines", "{}", **headers)[0] == 403


def test_a_token_is_needed_where_the_server_has_tokens_and_a_read_only_one_changes_nothing(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"boss {TOKEN}\nviewer {READER} read-only\n")
    tokens.chmod(0o600)
    with serving("--auth-token-file", str(tokens)) as server:
        viewer, boss = ({"Authorization": f"Bearer {token}"} for token in (READER, TOKEN))
        assert got(server, "/stepwell/session") == {"auth": "token", "access": "none"}
        assert got(server, "/stepwell/session", **viewer)["access"] == "read-only"
        assert got(server, "/stepwell/session", **boss)["access"] == "full"
        assert server.get("/console/").status == 200
        assert server.get("/stepwell/executions").status == 403
        assert server.get("/stepwell/executions", **viewer).status == 200
        task = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
        for operation, body in (
            ("CreateActivity", {"name": "review"}),
            (
                "CreateStateMachine",
                {"name": "m", "definition": json.dumps(task), "roleArn": "arn:aws:iam::000000000000:role/r"},
            ),
            ("StartExecution", {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"}),
        ):
            assert server.post(operation, json.dumps(body), **boss)[0] == 200
        server.post("GetActivityTask", json.dumps({"activityArn": ACTIVITY}), **boss)
        assert "token" in got(server, "/stepwell/waiting", **boss)["tasks"][0]
        assert "token" not in got(server, "/stepwell/waiting", **viewer)["tasks"][0]
        refused = urllib3.request("DELETE", f"{server.url}/stepwell/executions/x", headers=viewer)
        assert json.loads(refused.data)["__type"].endswith("AccessDeniedException")
        stream = urllib3.request("GET", f"{server.url}/stepwell/live", headers=viewer, preload_content=False)
        assert b"retry" in next(stream.stream(64))
        assert server.stop() == 0  # though a page is open
        stream.close()


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_folder_that_nobody_has_open_is_only_read(tmp_path: Path, partitions: int) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data, "--partitions", str(partitions)) as server:
        server.client.start_execution(stateMachineArn=machine(server.client, "waits", WAIT), name="slow")
        server.process.kill()
        server.process.wait()
    with consoling(data) as server:
        assert got(server, "/stepwell/session")["access"] == "read-only"
        (slow,) = got(server, "/stepwell/executions")["executions"]
        assert (slow["name"], slow["status"]) == ("slow", "RUNNING")
        assert server.post("StopExecution", json.dumps({"executionArn": slow["arn"]}))[0] == 400
        system = got(server, "/stepwell/system")
        assert (system["health"], len(system["partitions"])) == ("ok", partitions)
    with serving("--data", data) as server:
        (slow,) = got(server, "/stepwell/executions")["executions"]
        assert slow["status"] == "RUNNING"
        server.client.stop_execution(executionArn=slow["arn"])


def test_a_folder_that_a_process_has_open_is_shown_through_it(served: Served, tmp_path: Path) -> None:
    data = got(served, "/stepwell/system")["folder"]
    with consoling(data) as server:
        assert got(server, "/stepwell/session")["access"] == "full"
        assert got(server, "/stepwell/executions?prefix=slow")["executions"][0]["status"] == "RUNNING"
        assert got(server, "/stepwell/system")["role"] == "executor"


def consoling(data: str) -> Any:
    return serving("--data", data, command="console")
