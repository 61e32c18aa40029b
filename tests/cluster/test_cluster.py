"""Three nodes over three NATS servers, seen from outside: any node answers, and the others go on when one is lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from cluster.served import NAME, PARTITIONS, ServedCluster, ServedNode
from server.support import client
from stepwell import Cluster, Executor, StepwellError, StorageError, _core

pytest.importorskip("nats")

SECONDS = 60.0
"""No test waits longer: this guards against a hang."""
TASK: dict[str, Any] = {"Type": "Task", "Resource": "tenfold", "End": True}
CHILDREN = int(os.environ.get("STEPWELL_CLUSTER_CHILDREN", "60"))
"""How many children a map run has whose leader is killed; with 10,000 the test takes minutes."""
QUICK = {"StartAt": "Work", "States": {"Work": TASK}}
PATIENT = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 3, "Next": "Work"}, "Work": TASK}}
MAP = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PATIENT},
            "End": True,
        }
    },
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    found = ServedCluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start()
        with found.nodes[0].executor() as executor:
            executor.deploy("quick", QUICK)
            executor.deploy("patient", PATIENT)
            executor.deploy("map", MAP)
        yield found
    finally:
        found.close()


def test_every_node_answers_every_request(served: ServedCluster) -> None:
    one, two, three = (node.executor() for node in served.nodes)
    with one, two, three:
        first = [executor.start("quick", {"n": 1}).id.split("/")[3] for executor in (one, two, three)]
        assert len(set(first)) == 3, "nodes have clocks of their own, so prefixes keep their first ids apart"
        ids = [two.start("quick", {"n": n}, f"order-{n}").id for n in range(9)]
        assert [three.get(id).wait(SECONDS).output for id in ids] == [{"n": 10 * n} for n in range(9)]
        assert {one.get(id).status for id in ids} == {"Succeeded"}
        histories = [[executor.history(id) for id in ids] for executor in (one, two, three)]
        assert histories[0] == histories[1] == histories[2]
        lists = [[execution.id for execution in executor.list("quick")] for executor in (one, two, three)]
        assert set(lists[0]) > set(ids)
        assert lists[0] == lists[1] == lists[2]
        # a name starts one execution, whichever node is asked
        assert three.start("quick", {"n": 1}, "order-1", if_exists="return").id == ids[1]


def test_a_list_goes_on_at_another_node(served: ServedCluster) -> None:
    clients = cycle([client(node.url) for node in served.nodes])
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:quick"
    with served.nodes[0].executor() as executor:
        started = {executor.start("quick", {"n": n}).wait(SECONDS).name for n in range(5)}
    names: list[str] = []
    page: dict[str, Any] = {}
    while "nextToken" in page or not names:
        token = {"nextToken": page["nextToken"]} if page else {}
        page = next(clients).list_executions(stateMachineArn=machine, maxResults=2, **token)
        names += [each["name"] for each in page["executions"]]
    assert started < set(names)
    assert len(names) == len(set(names))


def test_a_definition_is_known_to_all_nodes_at_once(served: ServedCluster) -> None:
    executors = [node.executor() for node in served.nodes]
    for number in range(6):
        machine = {"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Result": number, "End": True}}}
        deploying, starting = executors[number % 3], executors[(number + 1) % 3]
        assert deploying.deploy("changing", machine).version == number + 1
        assert starting.start("changing", {}).wait(SECONDS).output == number
    for executor in executors:
        executor.close()


def test_a_partition_moves_without_a_failed_request(served: ServedCluster) -> None:
    errors: list[str] = []
    started: list[str] = []
    stop = threading.Event()

    def start(node: ServedNode) -> None:
        with node.executor() as executor:
            while not stop.is_set():
                try:
                    started.append(executor.start("quick", {"n": len(started)}).id)
                except StepwellError as error:
                    errors.append(str(error))

    threads = [threading.Thread(target=start, args=(node,)) for node in served.nodes]
    for thread in threads:
        thread.start()
    before = served.leaders()
    wanted = {partition: "n1" if before[partition] == "n2" else "n2" for partition in range(PARTITIONS)}
    for partition, name in wanted.items():
        moved = served.run("move", str(partition), name)
        assert moved.returncode == 0, moved.stderr
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert served.leaders() == wanted
    with served.nodes[1].executor() as executor:
        for id in started:
            executor.get(id).wait(SECONDS)
    for partition in range(PARTITIONS):
        assert served.run("move", str(partition)).returncode == 0  # to whom it belongs


def test_executions_go_on_when_their_leader_is_killed(served: ServedCluster) -> None:
    leader = _leader_of(0, served)
    killed = next(node for node in served.nodes if node.name == leader)
    others = [node for node in served.nodes if node is not killed]
    with others[0].executor() as one, others[1].executor() as two:
        ids = [one.start("patient", {"n": n}).id for n in range(12)]
        maps = [one.start("map", [{"n": n} for n in range(CHILDREN)], name).id for name in _names_of("map")]
        killed.kill()
        assert [two.get(id).wait(SECONDS).output for id in ids] == [{"n": 10 * n} for n in range(12)]
        for id in maps:
            output = two.get(id).wait(SECONDS + CHILDREN / 10).output
            assert output == [{"n": 10 * n} for n in range(CHILDREN)]
            _check_map_run(one, id)
        assert [one.start("quick", {"n": 7}).wait(SECONDS).output for _ in range(9)] == [{"n": 70}] * 9
    assert f"node {killed.name} is taken for dead" in others[0].log()
    assert f"node {killed.name} is dead" in served.run("check").stdout
    assert "lives" in served.run("forget", others[0].name).stderr
    assert served.run("forget", killed.name).returncode == 0
    assert "is dead" not in served.run("check").stdout
    assert any("this node leads partition 0" in other.log() for other in others)
    killed.start()
    killed.wait()
    _wait_until_it_leads(served, killed.name)


def _names_of(workflow: str) -> list[str]:
    """A name for each partition: an execution of that name is there."""
    found: dict[int, str] = {}
    for name in map(str, range(100)):
        id = _core.execution_id("default", "default", _core.hash7(f"{workflow}/{name}"), 0)
        found.setdefault(_core.partition(id, PARTITIONS), name)
    return list(found.values())


def _check_map_run(executor: Executor, id: str) -> None:
    """Each item has one child, which has ended once."""
    (run,) = executor.list_map_runs(id)
    described = executor.describe_map_run(run["mapRunArn"])
    for counts in (described["itemCounts"], described["executionCounts"]):
        assert (counts["succeeded"], counts["running"], counts["total"]) == (CHILDREN, 0, CHILDREN)
    children = list(executor.executions(map_run=run["mapRunArn"]))
    assert sorted(child.input["n"] for child in children) == list(range(CHILDREN))
    for child in children[:: max(1, CHILDREN // 20)]:
        types = [event["type"] for event in child.history()]
        assert [types.count(each) for each in ("WaitStateExited", "TaskStateExited", "ExecutionSucceeded")] == [1, 1, 1]


def _leader_of(partition: int, served: ServedCluster) -> str:
    """Who leads a partition. It may be on its way back to whom it belongs."""
    deadline = time.monotonic() + SECONDS
    while (leader := served.leaders()[partition]) is None:
        assert time.monotonic() < deadline, served.run("status").stdout
    return leader


def _wait_until_it_leads(served: ServedCluster, node: str) -> None:
    """A node that comes back gets its partitions again."""
    deadline = time.monotonic() + SECONDS
    while node not in served.leaders().values():
        assert time.monotonic() < deadline, served.run("status").stdout
        time.sleep(0.2)


def test_a_server_may_be_killed(served: ServedCluster) -> None:
    server = served.servers.servers["s2"]
    server.kill()
    try:
        for node in served.nodes:
            with node.executor() as executor:
                assert _run(executor, "quick", {"n": 5}) == {"n": 50}
        assert served.run("check").returncode == 1  # a replica is missing
    finally:
        server.start()


def _run(executor: Executor, workflow: str, given: Any) -> Any:
    return executor.start(workflow, given).wait(SECONDS).output


def test_a_node_that_ends_in_order_hands_its_partitions_over(served: ServedCluster) -> None:
    leader = _leader_of(1, served)
    leaving = next(node for node in served.nodes if node.name == leader)
    other = next(node for node in served.nodes if node is not leaving)
    with other.executor() as executor:
        ids = [executor.start("patient", {"n": n}).id for n in range(6)]
        assert leaving.stop() == 0
        assert [executor.get(id).wait(SECONDS).output for id in ids] == [{"n": 10 * n} for n in range(6)]
    leaving.start()
    leaving.wait()


def test_check_finds_nothing_in_a_sound_cluster(served: ServedCluster) -> None:
    deadline = time.monotonic() + SECONDS
    while (checked := served.run("check")).returncode != 0:  # the server that was killed is catching up
        assert time.monotonic() < deadline, checked.stdout + checked.stderr
        time.sleep(0.5)


def test_what_does_not_fit_is_refused(served: ServedCluster, tmp_path: Path) -> None:
    urls = served.servers.urls
    with pytest.raises(StorageError, match=f"was made with {PARTITIONS} partitions, not 5"):
        Executor(tmp_path / "a", cluster=Cluster(urls, name=NAME, node="n9", partitions=5))
    with Executor(tmp_path / "plain"):
        pass
    with pytest.raises(StorageError, match="an executor's folder already"):
        Executor(tmp_path / "plain", cluster=Cluster(urls, name=NAME, node="n9"))
    with Executor(tmp_path / "n8", cluster=Cluster(urls, name=NAME, node="n8")) as executor:
        assert executor.workflow("quick").version == 1
        with pytest.raises(StorageError, match="the snapshots of a cluster are its backup"):
            executor.backup(tmp_path / "backup")
        assert not (tmp_path / "backup").exists()
    with pytest.raises(StorageError, match="belongs to node n8 of cluster orders"):
        Executor(tmp_path / "n8", cluster=Cluster(urls, name=NAME, node="n7"))
    with pytest.raises(StorageError, match="belongs to node n8 of cluster orders"):  # not: "the servers lost it"
        Executor(tmp_path / "n8", cluster=Cluster(urls, name="other", node="n8"))
    with pytest.raises(StorageError, match="holds the copies of a cluster's node"):
        Executor(tmp_path / "n8")
    assert served.run("move", "99", "n1").returncode == 2
    assert served.run("move", "0", "nobody").returncode == 2
