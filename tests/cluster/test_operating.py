"""What programs and operators do every day, on one cluster: each step at another node than the one before."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from cluster.conformance import HERE, EmbeddedCluster, Served, known_differences
from cluster.newer_version import RECORDS, VERSION
from cluster.served import NAME, SERVE, ServedCluster
from recordings import RECORDINGS, recordings_runner
from stepwell import Cluster, ExecutionNotFound, RemoteExecutor, StepwellError, testing
from stepwell.engine.cluster.overview import Overview
from stepwell.remote.connection import HttpConnection
from stepwell.remote.signing import sign_in

pytest.importorskip("nats")

SECONDS = 120.0
"""No test waits longer: this guards against a hang."""
NEWER = str(Path(__file__).with_name("newer_version.py"))
SAMPLE = {"api": 9, "execution": 12}
"""Of the recorded cases of a kind every so-manieth is run here; ``make conformance-cluster`` runs all."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    found = ServedCluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start()
        yield found
    finally:
        found.close()


def recorded(kind: str) -> list[dict[str, Any]]:
    """A sample of the cases that have to agree, and need no nodes of their own."""
    listed = known_differences() | HERE.keys()
    cases = [
        case
        for path in sorted((RECORDINGS / "cases").glob("*.json"))
        for case in json.loads(path.read_text())["cases"]
        if case["kind"] == kind and case["recorded"] and case["needs"] != "live" and case["id"] not in listed
    ]
    sample = cases[:: SAMPLE[kind]]
    if kind == "api":  # some need a mock file; and the nodes have a handler of the tests for tasks that wait
        sample = [case for case in sample if not case.get("mocks") and "waitForTaskToken" not in json.dumps(case)]
    return sample


@pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"AWS's recorded answers are not at {RECORDINGS}: set STEPWELL_SHARED"
)
def test_a_cluster_answers_as_aws_does(served: ServedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    differing: dict[str, list[str]] = {}
    embedded = EmbeddedCluster(tmp_path, served.servers.urls)
    try:
        monkeypatch.setattr(testing, "scripted_run", embedded.scripted_run)
        with recordings_runner() as runner:
            differing |= {case["id"]: runner.run_execution(case, None) for case in recorded("execution")}
            server = Served(served)
            differing |= {case["id"]: runner.run_api(case, server) for case in recorded("api")}
    finally:
        embedded.close()
    assert len(differing) > 20
    assert {id: found for id, found in differing.items() if found} == {}


@pytest.fixture
def turns(served: ServedCluster) -> Iterator[Iterator[RemoteExecutor]]:
    """A client of each node, in turn."""
    executors = [node.executor() for node in served.nodes]
    yield cycle(executors)
    for executor in executors:
        executor.close()


def machine(**state: Any) -> dict[str, Any]:
    """A state machine of one state."""
    return {"StartAt": "One", "States": {"One": {"End": True, **state}}}


def wait_until(is_so: Callable[[], Any]) -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + SECONDS
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_ended_executions_are_deleted_when_their_time_is_over(turns: Iterator[RemoteExecutor]) -> None:
    next(turns).deploy("kept-for-a-second", machine(Type="Pass"), retention=1.0)
    ids = [next(turns).start("kept-for-a-second", n).id for n in range(6)]
    for id in ids:
        try:
            assert next(turns).get(id).wait(SECONDS).status == "Succeeded"
        except ExecutionNotFound:  # it was over before it was looked at
            continue
    wait_until(lambda: next(turns).list("kept-for-a-second") == [])
    with pytest.raises(ExecutionNotFound):
        next(turns).history(ids[0])


def test_what_has_failed_is_redriven_and_what_runs_is_stopped(turns: Iterator[RemoteExecutor], tmp_path: Path) -> None:
    file = tmp_path / "late"
    next(turns).deploy("needs-a-file", machine(Type="Task", Resource="needs_file"))
    id = next(turns).start("needs-a-file", {"path": str(file)}).id
    assert next(turns).get(id).wait(SECONDS).status == "Failed"
    file.write_text("here")
    next(turns).redrive(id)
    assert next(turns).get(id).wait(SECONDS).output == "here"

    next(turns).deploy("long", machine(Type="Wait", Seconds=3600))
    id = next(turns).start("long").id
    next(turns).stop(id, "Enough", "by hand")
    context = next(turns).get(id).wait(SECONDS).context()
    assert (context.status, context.error) == ("Canceled", "Enough")


def test_tokens_and_activities_are_answered_at_any_node(turns: Iterator[RemoteExecutor], tmp_path: Path) -> None:
    send = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    message = {"token.$": "$$.Task.Token", "path.$": "$.path"}
    parameters = {"QueueUrl": "queue", "MessageBody": message}
    next(turns).deploy("asks", machine(Type="Task", Resource=send, Parameters=parameters))
    activity = "arn:aws:states:us-east-1:000000000000:activity:pack"
    next(turns).deploy("packs", machine(Type="Task", Resource=activity))
    for number in range(3):
        file = tmp_path / f"token-{number}"
        id = next(turns).start("asks", {"path": str(file)}).id
        token = wait_until(lambda file=file: file.exists() and file.read_text())
        next(turns).send_task_success(token, number)
        assert next(turns).get(id).wait(SECONDS).output == number

        id = next(turns).start("packs", number).id
        task = next(turns).get_activity_task(activity, "packer", SECONDS)
        assert task is not None
        assert json.loads(task.input) == number
        next(turns).send_task_success(task.token, "packed")
        assert next(turns).get(id).wait(SECONDS).output == "packed"


def test_versions_that_one_node_publishes_are_started_at_another(turns: Iterator[RemoteExecutor]) -> None:
    for number in (1, 2):
        next(turns).deploy("published", machine(Type="Pass", Result=number), publish=True)
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:published"
    assert next(turns).start(f"{arn}:1").wait(SECONDS).output == 1
    assert next(turns).start(arn).wait(SECONDS).output == 2


def test_changes_at_several_nodes_at_once_are_made_one_after_the_other(served: ServedCluster) -> None:
    def machine_of(number: int) -> str:
        return json.dumps(machine(Type="Pass", Result=number))

    nodes = [HttpConnection(node.url, sign_in(None, None, None, None), SECONDS) for node in served.nodes]
    made = {"name": "changed", "definition": machine_of(0), "roleArn": "arn:aws:iam::000000000000:role/r"}
    arn = nodes[0].call("CreateStateMachine", made)["stateMachineArn"]

    def change(number: int) -> str:
        node = nodes[number % 3]
        node.call("TagResource", {"resourceArn": arn, "tags": [{"key": str(number), "value": ""}]})
        update = {"stateMachineArn": arn, "definition": machine_of(number), "publish": True}
        return str(node.call("UpdateStateMachine", update)["stateMachineVersionArn"])

    with ThreadPoolExecutor(9) as pool:
        published = list(pool.map(change, range(1, 19)))
    tags = nodes[0].call("ListTagsForResource", {"resourceArn": arn})["tags"]
    assert sorted(int(tag["key"]) for tag in tags) == list(range(1, 19))
    for number, version in enumerate(published, 1):
        found = nodes[number % 3].call("DescribeStateMachine", {"stateMachineArn": version})
        assert found["definition"] == machine_of(number)
    for node in nodes:
        node.close()


@contextmanager
def working(served: ServedCluster, folder: Path) -> Iterator[None]:
    """A worker for each node, which goes on with another node."""
    (folder / "work.py").write_text("def double(n):\n    return 2 * n\n")
    urls = [node.url for node in served.nodes]
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for first in range(3):
            server = ",".join([*urls[first:], *urls[:first]])
            command = ["-m", "stepwell", "worker", "--server", server, "--handlers", str(folder / "work.py")]
            workers.append(subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL))
        yield
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait(SECONDS)


def test_workers_and_clients_go_on_when_their_node_dies(served: ServedCluster, tmp_path: Path) -> None:
    double = "arn:aws:lambda:::function:double"
    with working(served, tmp_path), RemoteExecutor([node.url for node in served.nodes], patience=SECONDS) as client:
        for node in served.nodes:
            with node.executor() as executor:
                wait_until(lambda handlers=executor.client.host.handlers: handlers.knows(double))
        client.deploy("doubled", machine(Type="Task", Resource=double))
        before = [client.start("doubled", n) for n in range(12)]
        served.nodes[0].kill()
        after = [client.start("doubled", n) for n in range(12)]
        assert [execution.wait(SECONDS).output for execution in before + after] == [2 * n for n in range(12)] * 2
    served.nodes[0].start()
    served.nodes[0].wait()


@contextmanager
def starting(served: ServedCluster, started: list[str], errors: list[str]) -> Iterator[None]:
    """Clients that start executions meanwhile."""
    urls, stop = [node.url for node in served.nodes], threading.Event()

    def start(urls: list[str]) -> None:
        with RemoteExecutor(urls, patience=SECONDS) as executor:
            while not stop.wait(0.05):
                try:
                    started.append(executor.start("quick", {"n": 7}).id)
                except StepwellError as error:
                    errors.append(str(error))

    threads = [threading.Thread(target=start, args=([*urls[first:], *urls[:first]],)) for first in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def overview(served: ServedCluster) -> Iterator[Overview]:
    found = Overview(Cluster(served.servers.urls, name=NAME))
    yield found
    found.close()


def test_a_rolling_upgrade_fails_no_request_and_an_older_node_takes_nothing_newer(
    served: ServedCluster, overview: Overview
) -> None:
    started: list[str] = []
    errors: list[str] = []
    with served.nodes[0].executor() as executor:
        executor.deploy("quick", machine(Type="Task", Resource="tenfold"))
    with starting(served, started, errors):
        for number, node in enumerate(served.nodes):
            assert node.stop() == 0
            node.program = (NEWER,)
            node.start()
            node.wait()
            partitions = wait_until(lambda name=node.name: _with_version(overview, name))
            older = {each.name for each in served.nodes[number + 1 :]}
            if older:  # what they lead all nodes can read
                assert {each["leader"] for each in partitions} <= older
                assert not any(each["problems"] for each in partitions)
    assert errors == []
    with served.nodes[2].executor() as executor:
        assert {json.dumps(executor.get(id).wait(SECONDS).output) for id in started} == {'{"n": 70}'}

        # with a folder of the newer version it would not start: it reads the streams from their beginning
        older = served.nodes[0]
        assert older.stop() == 0
        shutil.rmtree(older.data)
        older.program = SERVE
        older.start()
        older.wait()
        problems = wait_until(lambda: _problems(overview, older.name))
        assert all(f"record format {RECORDS}" in text and "upgrade this node" in text for text in problems)
        with older.executor() as beside:
            assert executor.start("quick", {"n": 1}).wait(SECONDS).output == {"n": 10}
            assert beside.start("quick", {"n": 1}).wait(SECONDS).output == {"n": 10}
    checked = served.run("check")
    assert checked.returncode == 1
    assert f"node {older.name}: " in checked.stdout

    older.stop()
    older.program = (NEWER,)
    older.start()
    older.wait()
    wait_until(lambda: served.run("check").returncode == 0)


def _with_version(overview: Overview, node: str) -> list[dict[str, Any]] | None:
    """The partitions, once a node lives in the newer version and each partition has a leader."""
    found = {each["node"]: each for each in overview.nodes()}.get(node, {})
    partitions = overview.partitions()
    is_so = found.get("version") == VERSION and found["alive"] and all(each["leader"] for each in partitions)
    return partitions if is_so else None


def _problems(overview: Overview, node: str) -> list[str] | None:
    """Why the copies of a node have stopped, once all have."""
    overview.nodes()
    problems = [each["problems"].get(node) for each in overview.partitions()]
    return None if None in problems else problems
