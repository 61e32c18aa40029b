"""Tasks go to all nodes that have their handler: n1 leads everything, n2 shares its tasks, n3 is killed with one."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from cluster.network import Network
from cluster.nodes import Node
from cluster.servers import Servers, binary
from stepwell import Cluster, Execution, Executor, HandlerContext
from stepwell.engine.cluster.host import ClusterHost
from stepwell.engine.cluster.offers import Give
from stepwell.engine.cluster.overview import Overview
from stepwell.engine.control import messages
from stepwell.engine.control.workers import record

pytest.importorskip("nats")

SECONDS = 60.0
"""No test waits longer: this guards against a hang."""
PARTITIONS = 2
OPTIONS: dict[str, Any] = {"name": "sharing", "dispatch": "any", "lease": 2.0}


class MortalNode(Node):
    """A node in a process of its own."""

    def start(self) -> None:
        given = {"data": str(self.data), "cluster": {"servers": self._servers, "node": self.name, **OPTIONS}}
        self._launch(Path(__file__).with_name("sharing_node.py"), json.dumps(given))

    def wait(self) -> None:
        assert self._answer() == "ready"

    def task(self) -> str:
        """The id of the task that it has got."""
        return self._answer()


class Sharing:
    """The servers, and the nodes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._network = folder, Network()
        self.servers = Servers(self._network, folder / "nats", binary())
        self.n3 = MortalNode(self._network.host("n3"), folder, self.servers.urls)
        self.executors: list[Executor] = []

    def start(self) -> None:
        self.servers.start()
        self.servers.wait()
        self.n1 = self._join("n1", partitions=PARTITIONS)
        self.n2 = self._join("n2")
        self.move("n1")

    def _join(self, node: str, **options: Any) -> Executor:
        cluster = Cluster(self.servers.urls, node=node, **OPTIONS, **options)
        self.executors.append(Executor(self._folder / node, cluster=cluster))
        return self.executors[-1]

    def move(self, node: str) -> None:
        """Let a node lead everything."""
        overview = Overview(Cluster(self.servers.urls, node="x", **OPTIONS))
        for partition in range(PARTITIONS):
            overview.move(partition, node)
        overview.close()

    def run(self, handler: str, *inputs: Any, **more: Any) -> list[Execution]:
        """Start executions with one task each, for a handler."""
        task = {"Type": "Task", "Resource": handler, "End": True, **more}
        self.n1.deploy(handler, {"StartAt": "Work", "States": {"Work": task}})
        return [self.n1.start(handler, each) for each in inputs]

    def close(self) -> None:
        self.n3.kill()
        for executor in reversed(self.executors):
            executor.close()
        self.servers.close()
        self._network.close()


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharing]:
    found = Sharing(tmp_path_factory.mktemp("sharing"))
    try:
        found.start()
        yield found
    finally:
        found.close()


def test_each_node_does_as_much_as_it_may(sharing: Sharing) -> None:
    both, lock = threading.Barrier(2, timeout=SECONDS), threading.Lock()
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def at(node: str) -> Callable[[Any], str]:
        def meet(given: Any) -> str:
            with lock:
                running[node] += 1
                most[node] = max(most[node], running[node])
            both.wait()  # two tasks run at the same time, and no node may run two
            with lock:
                running[node] -= 1
            return node

        return meet

    sharing.n1.register("meet", at("n1"), concurrency=1)
    sharing.n2.register("meet", at("n2"), concurrency=1)
    executions = sharing.run("meet", *range(8))
    assert Counter(each.wait(SECONDS).output for each in executions) == {"n1": 4, "n2": 4}
    assert most == {"n1": 1, "n2": 1}


def test_a_node_without_the_handler_gets_no_task(sharing: Sharing) -> None:
    async def special(given: Any) -> Any:
        return given

    sharing.n2.register("special", special)
    executions = sharing.run("special", *range(20))
    assert [each.wait(SECONDS).output for each in executions] == list(range(20))


def test_the_handler_elsewhere_is_canceled(sharing: Sharing) -> None:
    begun, canceled = threading.Semaphore(0), threading.Semaphore(0)

    async def endless(given: Any) -> None:
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            canceled.release()

    sharing.n2.register("endless", endless)
    (stopped,) = sharing.run("endless", "stopped")
    assert begun.acquire(timeout=SECONDS)
    assert stopped.stop().wait(SECONDS).status == "Canceled"
    assert canceled.acquire(timeout=SECONDS)
    deadline = time.monotonic() + SECONDS
    while True:  # on a slow machine a task's time may be over before its handler is called
        (late,) = sharing.run("endless", "late", TimeoutSeconds=1)
        assert late.wait(SECONDS).error == "States.Timeout"
        if begun.acquire(timeout=1.0):
            break
        assert time.monotonic() < deadline
    assert canceled.acquire(timeout=SECONDS)


def test_what_is_lost_on_the_way_is_sent_again(sharing: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def once(given: Any, context: HandlerContext) -> Any:
        calls.append(context.task_id)
        return given

    sharing.n2.register("once", once)
    leader, other = sharing.n1.client.host, sharing.n2.client.host
    assert isinstance(leader, ClusterHost)
    assert isinstance(other, ClusterHost)
    spreading = leader.spreading
    assert spreading is not None
    post, answers = spreading._post, [partition.answer for partition in other.partitions]  # pyright: ignore[reportPrivateUsage]
    lost: list[Any] = []

    def lose_first_task(boot: str, message: Any) -> None:
        if isinstance(message, Give) and not lost:
            lost.append(message)
        else:
            post(boot, message)

    with monkeypatch.context() as patched:
        patched.setattr(spreading, "_post", lose_first_task)
        (execution,) = sharing.run("once", 1)
        assert execution.wait(SECONDS).output == 1
    assert len(calls) == len(lost) == 1

    def lose_first_result(results: list[Any], answer: Callable[[list[Any]], None]) -> None:
        if len(lost) == 1:
            lost.append(results)
        else:
            answer(results)

    with monkeypatch.context() as patched:
        for partition, answer in zip(other.partitions, answers, strict=True):
            patched.setattr(partition, "answer", lambda results, answer=answer: lose_first_result(results, answer))
        (execution,) = sharing.run("once", 2)
        assert execution.wait(SECONDS).output == 2
    assert len(calls) == len(lost) == 2  # the handler was not called again


def test_the_next_leader_learns_who_has_a_task(sharing: Sharing) -> None:
    calls, may_end = threading.Semaphore(0), threading.Event()

    def long(given: Any) -> Any:
        calls.release()
        may_end.wait(SECONDS)
        return given

    sharing.n2.register("long", long)
    executions = sharing.run("long", 1, 2, 3, 4)
    for _ in executions:
        assert calls.acquire(timeout=SECONDS)
    for node in ("n2", "n1"):
        sharing.move(node)
    (last,) = sharing.run("long", 5)  # the new leader works
    assert calls.acquire(timeout=SECONDS)
    may_end.set()
    assert [each.wait(SECONDS).output for each in [*executions, last]] == [1, 2, 3, 4, 5]
    assert not calls.acquire(blocking=False)


def test_a_worker_at_any_node_gets_tasks_of_all_partitions(sharing: Sharing) -> None:
    host, assigned = sharing.n2.client.host, SimpleQueue[Any]()
    results: list[Any] = []

    def poll() -> None:
        host.remote_handlers().poll("worker", ["remote"], 2, [], 1.0, assigned.put)

    poll()
    executions = sharing.run("remote", *range(5))
    while len(results) < len(executions):
        for call in assigned.get(timeout=SECONDS).calls:
            results.append(call.id)
            recorded = SimpleQueue[Any]()
            result = messages.TaskResult(call.id, call.resource, call.input, None, None, False)
            record(host, messages.Results(1, "worker", [result], []), lambda *done, queue=recorded: queue.put(done))
            assert recorded.get(timeout=SECONDS) == (([], []), None)
        poll()
    assert [each.wait(SECONDS).output for each in executions] == list(range(5))
    assert len(set(results)) == len(results) == 5


def test_others_get_what_a_node_had_that_was_killed(sharing: Sharing) -> None:
    ids: list[str] = []

    def mortal(given: Any, context: HandlerContext) -> Any:
        ids.append(context.task_id)
        return given

    sharing.n3.start()
    sharing.n3.wait()
    (execution,) = sharing.run("mortal", "work")
    task = sharing.n3.task()
    sharing.n2.register("mortal", mortal)
    sharing.n3.kill()
    assert execution.wait(SECONDS).output == "work"
    assert ids == [task]
