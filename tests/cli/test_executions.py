"""``stepwell deploy|workflows|delete-workflow|start|list|show|stop|redrive|delete``: what is in a data folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cli.support import Deploy, Machine, Stepwell, assert_golden
from stepwell import Executor

PASS = {"Greet": {"Type": "Pass", "Result": "hello", "End": True}}
WAIT = {"Sleep": {"Type": "Wait", "Seconds": 3600, "End": True}}


@pytest.fixture
def deployed(deploy: Deploy) -> None:
    deploy("greeting", PASS)
    deploy("sleep", WAIT)


def test_deploy_says_what_it_deployed(stepwell: Stepwell, machine: Machine) -> None:
    machine(PASS)
    assert stepwell("deploy", "greeting", "machine.json", "--data", "data").out == "deployed greeting\n"
    assert stepwell("deploy", "greeting", "machine.json", "--data", "data", "--json").document["workflow"] == "greeting"


@pytest.mark.usefixtures("deployed")
def test_start_prints_the_id_and_wait_the_output(stepwell: Stepwell) -> None:
    started = stepwell("start", "sleep", "--data", "data")
    assert started.code == 0
    assert started.out.startswith("/default/default/e")
    waited = stepwell("start", "greeting", "--data", "data", "--wait")
    assert (waited.code, waited.out) == (0, '"hello"\n')


@pytest.mark.usefixtures("deployed")
def test_a_name_starts_an_execution_once(stepwell: Stepwell) -> None:
    first = stepwell("start", "sleep", "--data", "data", "--name", "nap")
    again = stepwell("start", "sleep", "--data", "data", "--name", "nap")
    assert first.out == again.out
    other = stepwell("start", "sleep", "--data", "data", "--name", "nap", "--input", "1")
    assert other.code == 2
    assert other.error_line().startswith(f"the name belongs to execution {first.out.strip()} (Running)")


@pytest.mark.usefixtures("deployed")
def test_a_delayed_start_is_pending(stepwell: Stepwell) -> None:
    stepwell("start", "greeting", "--data", "data", "--delay", "3600")
    assert stepwell("list", "--data", "data", "--json").document["status"] == "Pending"


@pytest.mark.usefixtures("deployed")
def test_list_filters_by_workflow_and_status(stepwell: Stepwell) -> None:
    stepwell("start", "greeting", "--data", "data", "--name", "a", "--wait")
    stepwell("start", "sleep", "--data", "data", "--name", "b")

    def names(*options: str) -> list[str]:
        return [record["name"] for record in stepwell("list", "--data", "data", "--json", *options).documents]

    assert names() == ["b", "a"]
    assert names("--workflow", "greeting") == ["a"]
    assert names("--status", "Running") == ["b"]
    assert names("--status", "Failed") == []
    assert_golden("list.txt", stepwell("list", "--data", "data").out)


@pytest.mark.usefixtures("deployed")
def test_show_tells_the_outcome_and_the_history(stepwell: Stepwell) -> None:
    id = stepwell("start", "greeting", "--data", "data", "--name", "a", "--wait", "--json").document["id"]
    assert_golden("show.txt", stepwell("show", id, "--data", "data").out)
    document = stepwell("show", id, "--data", "data", "--json").document
    assert document["output"] == "hello"
    assert [event["type"] for event in document["history"]] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert "history" not in stepwell("show", id, "--data", "data", "--json", "--no-history").document


def test_show_tells_how_far_a_map_run_is(stepwell: Stepwell, deploy: Deploy, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("def work(value):\n    return 1 // value\n")
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": {"Type": "Task", "Resource": "work", "End": True}},
    }
    tolerant = {"Type": "Map", "ItemProcessor": processor, "ToleratedFailureCount": 1, "End": True}
    deploy("many", {"Each": tolerant})
    options = ("--data", "data", "--handlers", "work.py", "--input", "[1, 0, 1]", "--wait", "--json")
    id = stepwell("start", "many", *options).document["id"]
    (line,) = [line for line in stepwell("show", id, "--data", "data").out.splitlines() if line.startswith("map run:")]
    assert line.endswith(" SUCCEEDED: of 3 items 2 succeeded, 1 failed")
    (run,) = stepwell("show", id, "--data", "data", "--json", "--no-history").document["map_runs"]
    assert (run["itemCounts"]["total"], run["itemCounts"]["failed"]) == (3, 1)


@pytest.mark.usefixtures("deployed")
def test_stop_cancels_with_the_error_and_cause_given(stepwell: Stepwell) -> None:
    id = stepwell("start", "sleep", "--data", "data").out.strip()
    stopped = stepwell("stop", id, "--data", "data", "--error", "Morning", "--cause", "the sun is up")
    assert (stopped.code, stopped.out) == (0, f"{id} Canceled\n")
    document = stepwell("show", id, "--data", "data", "--json").document
    assert (document["status"], document["error"], document["cause"]) == ("Canceled", "Morning", "the sun is up")


def test_the_folder_may_be_named_by_the_environment(stepwell: Stepwell, machine: Machine) -> None:
    assert stepwell("deploy", "greeting", machine(PASS), STEPWELL_DATA="here").code == 0
    assert stepwell("start", "greeting", "--wait", STEPWELL_DATA="here").out == '"hello"\n'


def test_looking_into_a_folder_does_no_harm_to_executions_that_need_handlers(
    stepwell: Stepwell, deploy: Deploy, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text("def work(value):\n    return 'worked'\n")
    states = {
        "Sleep": {"Type": "Wait", "Seconds": 1, "Next": "Work"},
        "Work": {"Type": "Task", "Resource": "work", "End": True},
    }
    deploy("later", states)
    id = stepwell("start", "later", "--data", "data", "--name", "a", "--handlers", "work.py").out.strip()
    time.sleep(1.1)  # the wait is over, and the next process to open the folder has no handlers
    assert stepwell("list", "--data", "data", "--json").document["status"] == "Running"
    assert stepwell("show", id, "--data", "data", "--json").document["status"] == "Running"
    finished = stepwell("start", "later", "--data", "data", "--name", "a", "--handlers", "work.py", "--wait")
    assert (finished.code, finished.out) == (0, '"worked"\n'), finished.err


def test_a_folder_with_several_partitions_is_opened_with_as_many(
    stepwell: Stepwell, machine: Machine, tmp_path: Path
) -> None:
    Executor(tmp_path / "data", partitions=3).close()
    assert stepwell("deploy", "greeting", machine(PASS), "--data", "data").code == 0
    ids = {stepwell("start", "greeting", "--data", "data", "--name", name, "--wait").out for name in ("a", "b", "c")}
    assert ids == {'"hello"\n'}
    assert len(stepwell("list", "--data", "data", "--json").out.splitlines()) == 3


def test_redrive_runs_on_from_what_failed(stepwell: Stepwell, deploy: Deploy, tmp_path: Path) -> None:
    handlers = tmp_path / "work.py"
    handlers.write_text("def work(value):\n    raise ValueError('not yet')\n")
    deploy("work", {"Work": {"Type": "Task", "Resource": "work", "End": True}})
    failed = stepwell("start", "work", "--data", "data", "--handlers", "work.py", "--wait", "--json")
    assert failed.code == 1
    (id,) = [record["id"] for record in stepwell("list", "--data", "data", "--json").documents]
    handlers.write_text("def work(value):\n    return 'worked'\n")
    redriven = stepwell("redrive", id, "--data", "data", "--handlers", "work.py", "--wait")
    assert (redriven.code, redriven.out) == (0, '"worked"\n'), redriven.err
    again = stepwell("redrive", id, "--data", "data")
    assert again.code == 2
    assert "only a STANDARD execution that failed" in again.error_line()


@pytest.mark.usefixtures("deployed")
def test_delete_removes_what_has_ended_only(stepwell: Stepwell) -> None:
    asleep = stepwell("start", "sleep", "--data", "data").out.strip()
    refused = stepwell("delete", asleep, "--data", "data")
    assert refused.code == 2
    assert "has not ended" in refused.error_line()
    stepwell("stop", asleep, "--data", "data")
    assert stepwell("delete", asleep, "--data", "data").out == f"deleted {asleep}\n"
    assert stepwell("show", asleep, "--data", "data").code == 2


def test_executions_of_a_workflow_deployed_with_a_retention_go_by_themselves(
    stepwell: Stepwell, machine: Machine
) -> None:
    machine(PASS)
    kept = ("--data", "data", "--type", "EXPRESS", "--retention")
    assert stepwell("deploy", "brief", "machine.json", *kept, "0").code == 0
    stepwell("start", "brief", "--data", "data", "--wait")
    time.sleep(0.01)  # it is deleted by the first process that has the folder open after that
    stepwell("list", "--data", "data")
    assert stepwell("list", "--data", "data", "--json").out == ""
    refused = stepwell("deploy", "brief", "machine.json", *kept, "-1")
    assert refused.code == 2


@pytest.mark.usefixtures("deployed")
def test_list_shows_more_than_a_page_and_has_a_limit(stepwell: Stepwell, tmp_path: Path) -> None:
    with Executor(tmp_path / "data") as executor:
        ids = [executor.start("greeting", number, f"n{number}").wait(60).id for number in range(1_200)]
    listed = [record["id"] for record in stepwell("list", "--data", "data", "--json").documents]
    assert listed == ids[::-1]
    assert len(stepwell("list", "--data", "data").out.splitlines()) == 1 + len(ids)
    newest = stepwell("list", "--data", "data", "--json", "--limit", "3").documents
    assert [record["id"] for record in newest] == ids[:-4:-1]


@pytest.mark.usefixtures("deployed")
def test_list_filters_by_name_and_time(stepwell: Stepwell) -> None:
    for name in ("order-1", "order-2", "other"):
        stepwell("start", "sleep", "--data", "data", "--name", name)
    records = stepwell("list", "--data", "data", "--json").documents
    started = {record["name"]: record["started"] for record in records}

    def names(*options: str) -> list[str]:
        return [record["name"] for record in stepwell("list", "--data", "data", "--json", *options).documents]

    assert names("--name-prefix", "order-") == ["order-2", "order-1"]
    assert names("--after", "2026-01-01", "--before", started["order-2"][:-1]) == ["order-1"]
    assert names("--after", "2999-01-01T00:00:00Z") == []
    for option, value in (("--after", "yesterday"), ("--limit", "0"), ("--limit", "x"), ("--status", "Nothing")):
        refused = stepwell("list", "--data", "data", option, value)
        assert refused.code == 2
        assert value in refused.err


def test_workflows_are_listed_by_version_and_deleted(stepwell: Stepwell, machine: Machine) -> None:
    stepwell("deploy", "greeting", machine(PASS), "--data", "data")
    stepwell("deploy", "greeting", machine(WAIT), "--data", "data", "--retention", "60")
    stepwell("deploy", "other", machine(PASS), "--data", "data", "--type", "EXPRESS")
    assert_golden("workflows.txt", stepwell("workflows", "--data", "data").out)
    versions = stepwell("workflows", "greeting", "--data", "data", "--json").documents
    assert [(each["version"], each["retention"]) for each in versions] == [(2, 60), (1, None)]
    id = stepwell("start", "greeting", "--data", "data").out.strip()
    refused = stepwell("delete-workflow", "greeting", "--data", "data")
    assert "have not ended" in refused.error_line()
    stepwell("stop", id, "--data", "data")
    assert stepwell("delete-workflow", "greeting", "--data", "data").out == "deleted greeting\n"
    assert [each["workflow"] for each in stepwell("workflows", "--data", "data", "--json").documents] == ["other"]
    for words in (("delete-workflow", "greeting"), ("workflows", "greeting"), ("start", "greeting")):
        assert stepwell(*words, "--data", "data").code == 2
