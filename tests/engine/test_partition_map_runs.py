"""Map runs and more: with one partition, with several, and at the nodes of a cluster an executor behaves the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.map_run_support import distributed
from engine.partition_support import LONG, PLACE_NAMES, PLACES, opened, until
from engine.support import machine, passing, task
from stepwell import ExecutionContext, Executor, TaskError
from stepwell.engine.log.records import StartExecutionCommand
from stepwell.engine.storage.contexts import MapChildContext, MapRunContext

START = "arn:aws:states:::states:startExecution.sync:2"
PUT = "arn:aws:states:::s3:putObject"
CREATE_ALIAS = "arn:aws:states:::aws-sdk:sfn:createStateMachineAlias"
DO = machine({"Do": task(resource="do")})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("partitions")


@pytest.fixture(scope="module", params=PLACES, ids=PLACE_NAMES)
def shared(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Executor, Path]]:
    place = folder / str(request.param)
    place.mkdir()
    with opened(request.param, place) as executor:
        (place / "files" / "out").mkdir()
        yield executor, place / "files"


@pytest.fixture
def ex(shared: tuple[Executor, Path]) -> Executor:
    return shared[0]


@pytest.fixture
def files(shared: tuple[Executor, Path]) -> Path:
    """Where result writers write."""
    return shared[1]


def run_of(ex: Executor, execution_id: str) -> dict[str, Any]:
    """The only map run of an execution."""
    (run,) = ex.list_map_runs(execution_id)
    return ex.describe_map_run(run["mapRunArn"])


def rows_of(ex: Executor, execution_id: str) -> list[str]:
    """What storage has of an execution and its children."""
    family = execution_id.rpartition("/")[0] + "/"
    kinds = (ExecutionContext, MapRunContext, MapChildContext)
    return [row.id for kind in kinds for row in ex.storage.scan(kind, limit=100_000) if row.id.startswith(family)]


def test_the_limits_of_a_map_run(ex: Executor) -> None:
    lock, free = threading.Lock(), threading.Event()
    running: set[Any] = set()
    most = 0

    def do(item: Any) -> Any:
        nonlocal most
        with lock:
            running.add(item)
            most = max(most, len(running))
        free.wait(60)
        with lock:
            running.discard(item)
        return item * 2

    ex.register("do", do)
    ex.deploy("limited", machine({"M": distributed(DO, MaxConcurrency=2, ToleratedFailureCount=1)}))
    execution = ex.start("limited", list(range(20)))
    until(lambda: len(running) == 2)
    counts = run_of(ex, execution.id)["executionCounts"]
    assert (counts["running"], counts["pending"], counts["total"]) == (2, 18, 20)
    arn = run_of(ex, execution.id)["mapRunArn"]
    ex.update_map_run(arn, max_concurrency=5)
    until(lambda: len(running) == 5)
    assert run_of(ex, execution.id)["maxConcurrency"] == 5
    assert len(ex.list(map_run=arn, status="Running")) == 5
    free.set()
    assert execution.wait(60).output == [2 * number for number in range(20)]
    assert most == 5
    children = ex.list(map_run=arn)
    assert sorted(child.input for child in children) == list(range(20))
    assert sorted(ex.list(parent=execution.id), key=lambda each: each.id) == sorted(children, key=lambda each: each.id)
    assert [child.id for child in ex.executions(map_run=arn, status="SUCCEEDED")] == [child.id for child in children]


def test_failures_that_are_tolerated_and_those_that_are_not(ex: Executor) -> None:
    failing = {3, 7, 11}

    def do(item: Any) -> Any:
        if item in failing:
            raise TaskError("Boom")
        return item

    ex.register("do", do)
    ex.deploy("tolerant", machine({"M": distributed(DO, ToleratedFailureCount=3)}))
    ex.deploy("strict", machine({"M": distributed(DO, ToleratedFailureCount=2)}))
    tolerant, strict = ex.start("tolerant", list(range(20))), ex.start("strict", list(range(20)))
    assert tolerant.wait(60).output == [number for number in range(20) if number not in failing]
    assert (strict.wait(60).status, strict.error) == ("Failed", "States.ExceedToleratedFailureThreshold")
    counts = run_of(ex, tolerant.id)["itemCounts"]
    assert (counts["succeeded"], counts["failed"], counts["running"]) == (17, 3, 0)
    failing.clear()
    assert ex.redrive(strict.id).wait(60).output == list(range(20))
    counts = run_of(ex, strict.id)["executionCounts"]
    assert (counts["succeeded"], counts["failed"], counts["aborted"], counts["total"]) == (20, 0, 0, 20)


def test_results_are_written(ex: Executor, files: Path) -> None:
    ex.register("do", lambda item: {"did": item})
    writer = {"Resource": PUT, "Parameters": {"Bucket": "out", "Prefix": "results"}}
    ex.deploy("written", machine({"M": distributed(DO, ResultWriter=writer)}))
    output = ex.start("written", list(range(30))).wait(60).output
    manifest = json.loads((files / "out" / output["ResultWriterDetails"]["Key"]).read_text())
    (written,) = manifest["ResultFiles"]["SUCCEEDED"]
    records = json.loads((files / "out" / written["Key"]).read_text())
    assert [json.loads(record["Output"]) for record in records] == [{"did": number} for number in range(30)]


def test_a_parent_that_is_stopped_stops_its_children(ex: Executor) -> None:
    ex.deploy("endless", machine({"M": distributed(LONG, MaxConcurrency=25)}))
    execution = ex.start("endless", list(range(40)))
    until(lambda: bool(ex.list_map_runs(execution.id)))
    arn = run_of(ex, execution.id)["mapRunArn"]
    until(lambda: len(ex.list(map_run=arn, status="Running")) == 25)
    ex.stop(execution.id, "Enough")
    assert execution.wait(60).status == "Canceled"
    until(lambda: len(ex.list(map_run=arn, status="ABORTED")) == 25)
    described = run_of(ex, execution.id)
    assert described["status"] == "ABORTED"
    assert (described["executionCounts"]["aborted"], described["executionCounts"]["running"]) == (25, 0)


def test_an_execution_and_its_children_are_deleted_by_hand_and_by_their_retention(ex: Executor) -> None:
    ex.deploy("kept", machine({"M": distributed(machine({"P": passing()}))}))
    ex.deploy("not-kept", machine({"M": distributed(machine({"P": passing()}))}), retention=0.2)
    kept, not_kept = ex.start("kept", list(range(100))), ex.start("not-kept", list(range(100)))
    kept.wait(60)
    until(lambda: not rows_of(ex, not_kept.id))
    (run,) = ex.list_map_runs(kept.id)
    assert len(ex.list(map_run=run["mapRunArn"])) == 100
    ex.delete(kept.id)
    until(lambda: not rows_of(ex, kept.id))
    assert ex.list("kept") == ex.list("not-kept") == []


def test_nested_map_runs_use_all_partitions(ex: Executor) -> None:
    """The children of one map run are in its partition; executions that a state starts are spread."""
    ex.register("do", lambda item: item + 1)
    ex.deploy("chunk", machine({"M": distributed(DO)}))
    start = task(resource=START, Parameters={"StateMachineArn": "chunk", "Input.$": "$"}, OutputPath="$.Output")
    chunks = {"ItemBatcher": {"MaxItemsPerBatch": 20}, "MaxConcurrency": 8}
    each = machine({"Items": passing("Start", OutputPath="$.Items"), "Start": start})
    ex.deploy("all", machine({"M": distributed(each, **chunks)}))
    execution = ex.start("all", list(range(200))).wait(60)
    assert [item for chunk in execution.output for item in chunk] == list(range(1, 201))
    inner = ex.list("chunk")
    assert len(inner) == 10
    assert len({id.id.split("/")[3] for id in inner}) == 10, "they are spread"
    assert sum(run_of(ex, each.id)["itemCounts"]["succeeded"] for each in inner) == 200


def test_versions_and_aliases(ex: Executor) -> None:
    def giving(number: int) -> dict[str, Any]:
        return machine({"P": passing(Result=number)})

    for number in (1, 2):
        ex.deploy("published", giving(number), publish=True)
    ex.deploy("published", giving(3))
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:published"
    routes = [{"StateMachineVersionArn": f"{arn}:2", "Weight": 100}]
    ex.deploy(
        "names",
        machine({"A": task(resource=CREATE_ALIAS, Parameters={"Name": "live", "RoutingConfiguration": routes})}),
    )
    alias = ex.start("names").wait(60).output["StateMachineAliasArn"]
    assert alias == f"{arn}:live"
    given = [ex.start(each).wait(60).output for each in (f"{arn}:1", alias, "published", f"{arn}:2") for _ in range(3)]
    assert given == [1, 1, 1, 2, 2, 2, 3, 3, 3, 2, 2, 2]
    assert [len(ex.list(each)) for each in (f"{arn}:1", f"{arn}:2", alias, "published")] == [3, 6, 3, 12]


def test_no_child_gets_the_id_of_its_parent() -> None:
    """Ids of parents come from the clock of a program, or of another node, which may be ahead of the partition's."""
    with Executor() as ex:
        ex.deploy("ahead", machine({"M": distributed(machine({"P": passing()}))}))
        request = ex.client.start_request("ahead", list(range(100)), None, None, None)
        command = request.command
        assert isinstance(command, StartExecutionCommand)
        prefix, _, timestamp = command.id.rpartition("/")
        command.id = f"{prefix}/{int(timestamp, 16) + 50:016x}"
        assert ex.get(ex.client.ask(request)).wait(60).output == list(range(100))
