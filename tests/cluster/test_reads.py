"""Who answers a query: copies need no leader and say how old they are, and no former leader answers what was true once.

Four nodes: n1 leads everything, is served, and is paused in the end. n2 is in this process, and n3 takes over from n1
when the tests want it to. n4 is served, and answers from its copies.
"""

from __future__ import annotations

import http.client
import json
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.network import Network
from cluster.nodes import Node
from cluster.servers import Servers, binary
from stepwell import Cluster, Executor, InvalidInput, RemoteExecutor, StorageError
from stepwell.engine.cluster import requests
from stepwell.engine.cluster.overview import Overview

pytest.importorskip("nats")

SECONDS = 60.0
"""No test waits longer: this guards against a hang."""
PARTITIONS = 2
WAITING = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 3600, "End": True}}}
ARN = "arn:aws:states:us-east-1:000000000000:execution:waiting:"


class Question:
    """A request that was sent, and whose answer is read once."""

    def __init__(self, url: str, method: str, path: str, operation: str, body: dict[str, Any]) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)
        headers = {"x-amz-target": f"AWSStepFunctions.{operation}"} if operation else {}
        self._connection.request(method, path, json.dumps(body) if operation else None, headers)

    def answer(self) -> tuple[int, dict[str, Any], str | None]:
        """The status, the body and how old it is."""
        try:
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers["Stepwell-Age"]
        finally:
            self._connection.close()


class ServedNode(Node):
    """A node that serves the API, with options of ``Cluster``."""

    url = ""
    options: dict[str, Any]

    def start(self) -> None:
        cluster = {"servers": self._servers, "name": "reads", "node": self.name, "partitions": PARTITIONS}
        given = {"data": str(self.data), "host": self.host.address, "cluster": cluster | self.options}
        self._launch(Path(__file__).with_name("serving_node.py"), json.dumps(given))

    def wait(self) -> None:
        self.url = self._answer()["ready"]

    def get(self, path: str) -> Question:
        return Question(self.url, "GET", f"/stepwell/{path}", "", {})

    def describe(self, name: str) -> Question:
        return Question(self.url, "POST", "/", "DescribeExecution", {"executionArn": ARN + name})

    def stop(self, name: str) -> Question:
        return Question(self.url, "POST", "/", "StopExecution", {"executionArn": ARN + name})


class Four:
    """The servers and the nodes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.network = folder, Network()
        self.servers = Servers(self.network, folder / "nats", binary())
        self.n1, self.n4 = (ServedNode(self.network.host(name), folder, self.servers.urls) for name in ("n1", "n4"))
        self.n1.options, self.n4.options = {"lease": 1.0}, {"lease": 60.0, "consistency": "local"}
        self.executors: list[Executor] = []

    def start(self) -> None:
        self.servers.start()
        self.servers.wait()
        self.n1.start()
        self.n1.wait()
        with RemoteExecutor(self.n1.url) as executor:
            executor.deploy("waiting", WAITING)
        overview = Overview(Cluster(self.servers.urls, name="reads", node="x"))
        for partition in range(PARTITIONS):
            overview.move(partition, "n1")
        overview.close()
        self.n4.start()
        self.n2 = self.join("n2", lease=60.0)
        self.n4.wait()

    def join(self, node: str, **options: Any) -> Executor:
        """Another node, in this process."""
        self.executors.append(
            Executor(self.folder / node, cluster=Cluster(self.servers.urls, name="reads", node=node, **options))
        )
        return self.executors[-1]

    def close(self) -> None:
        self.n1.kill()
        for executor in reversed(self.executors):
            executor.close()
        self.n4.kill()
        self.servers.close()
        self.network.close()


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Four]:
    found = Four(tmp_path_factory.mktemp("reads"))
    try:
        found.start()
        yield found
    finally:
        found.close()


def test_a_copy_has_what_was_done_through_its_node(four: Four) -> None:
    for number in range(20):
        with four.n2.reading("local") as reading:
            execution = four.n2.start("waiting", number)
            assert execution.status == "Running"
            assert execution.id in [each.id for each in four.n2.list("waiting")]
            execution.stop().wait(SECONDS)
            assert execution.status == "Canceled"
            assert four.n2.history(execution.id)[-1]["type"] == "ExecutionAborted"
        assert reading.consistency == "local"
        assert 0 < reading.age < math.inf


def test_a_node_may_answer_from_its_copies(four: Four) -> None:
    four.n2.start("waiting", 1, "shown")
    assert four.n4.stop("shown").answer()[0] == 200
    status, described, age = four.n4.describe("shown").answer()  # what n4 was told of, its copy has
    assert (status, described["status"]) == (200, "ABORTED")
    assert float(age or 0) > 0
    assert four.n1.describe("shown").answer()[2] is None  # the leader answers


def test_what_is_no_consistency_is_refused(four: Four, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match='consistency is "leader" or "local"'):
        Cluster(four.servers.urls, consistency="eventual")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInput, match='consistency is "leader" or "local"'):
        four.n2.reading("eventual")  # pyright: ignore[reportArgumentType]
    with Executor(tmp_path / "alone") as alone, pytest.raises(InvalidInput, match="only a node of a cluster"):
        alone.reading("local")


def test_copies_need_no_leader_and_no_former_leader_answers(four: Four, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [four.n2.start("waiting", number, f"order-{number}").id for number in range(8)]
    four.n1.process.send_signal(signal.SIGSTOP)

    # nobody leads: n2 and n4 do not take n1 for dead before a minute has gone by
    with four.n2.reading("local") as reading:
        assert {execution.id for execution in four.n2.list("waiting", "Running")} == set(ids)
        assert four.n2.workflow("waiting").version == 1
        assert len(four.n2.history(ids[0])) == 2
        assert four.n2.stats().open_executions == 0  # counters are the leaders'
    assert reading.age < math.inf
    assert four.n4.get("counts").answer()[0] == 200
    for path in ("system", "workflows/waiting", "waiting"):
        status, shown, age = four.n4.get(path).answer()
        assert (status, age is not None) == (200, True), shown
    names, deadline = {f"order-{number}" for number in range(8)}, time.monotonic() + SECONDS
    shown = four.n4.get("executions").answer()[1]
    while not names <= {each["name"] for each in shown["executions"]}:  # n4's copy follows the stream by itself
        assert time.monotonic() < deadline, shown
        shown = four.n4.get("executions").answer()[1]
    assert shown["age"] > 0
    with monkeypatch.context() as patched:
        patched.setattr(requests, "GIVE_UP_SECONDS", 1.0)
        with pytest.raises(StorageError, match=r"no leader of partition \d has answered for 1 s"):
            four.n2.list("waiting")

    n3 = four.join("n3", lease=1.0)
    assert n3.get(ids[0]).stop().wait(SECONDS).status == "Canceled"
    n3.start("waiting", {}, "made-meanwhile")
    # n1 wakes up, and finds questions that came while it was paused
    stopped, made = four.n1.describe("order-0"), four.n1.describe("made-meanwhile")
    four.n1.process.send_signal(signal.SIGCONT)
    assert stopped.answer()[1]["status"] == "ABORTED"
    status, described, _ = made.answer()
    assert status == 200, described
