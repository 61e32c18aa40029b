"""A node of ``three_nodes.py``, which does what its standard input says.

``one_node.py FOLDER SERVERS NODE PARTITIONS``.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

from peers.work import STEPS, in_threads

from stepwell import Cluster, Executor, StepwellError
from stepwell.engine.cluster.host import ClusterHost

TASK = {"Type": "Task", "Resource": "add_one"}
SECONDS = 120.0
"""Nothing waits longer."""


def chain(count: int) -> dict[str, Any]:
    """``count`` tasks in a row."""
    states = {f"S{index}": {**TASK, "Next": f"S{index + 1}"} for index in range(count)}
    states[f"S{count - 1}"] = {**TASK, "End": True}
    return {"StartAt": "S0", "States": states}


WORKFLOWS = {
    "one": chain(1),
    "ten": chain(STEPS),
    "patient": {
        "StartAt": "Rest",
        "States": {"Rest": {"Type": "Wait", "Seconds": 1, "Next": "Work"}, "Work": {**TASK, "End": True}},
    },
}


class BenchNode:
    """One node."""

    def __init__(self, folder: Path, servers: str, node: str, partitions: int) -> None:
        cluster = Cluster(servers, name="bench", node=node, partitions=partitions)
        self.executor = Executor(folder / node, cluster=cluster, handlers={"add_one": lambda number: number + 1})
        self._starting = threading.Event()
        self._starters: list[threading.Thread] = []
        self._times: list[float] = []
        self._errors: list[str] = []

    def deploy(self) -> None:
        for name, definition in WORKFLOWS.items():
            self.executor.deploy(name, definition)

    def led(self) -> list[int]:
        host = self.executor.client.host
        assert isinstance(host, ClusterHost)
        return [partition.index for partition in host.partitions if partition.is_led]

    def one_by_one(self, workflow: str, count: int) -> list[float]:
        """The seconds of executions, one after the other."""
        times: list[float] = []
        for number in range(count):
            began = time.perf_counter()
            assert self.executor.start(workflow, number).wait(SECONDS).output == number + len(
                WORKFLOWS[workflow]["States"]
            )
            times.append(time.perf_counter() - began)
        return times

    def side_by_side(self, count: int, at_once: int) -> dict[str, float]:
        """The wall-clock times between which ``count`` executions of ten steps ran, ``at_once`` of them at a time."""

        def run(number: int) -> None:
            assert self.executor.start("ten", number).wait(SECONDS).output == number + STEPS

        began = time.time()
        in_threads(run, count, at_once)
        return {"began": began, "ended": time.time()}

    def patient(self, count: int) -> list[str]:
        """Start executions that wait for a second and have a task then."""
        return [self.executor.start("patient", number).id for number in range(count)]

    def wait(self, ids: list[str]) -> float:
        """Wait for executions; the wall-clock time then."""
        for id in ids:
            assert self.executor.get(id).wait(SECONDS).status == "Succeeded"
        return time.time()

    def begin_starting(self, threads: int) -> None:
        """Start executions until ``end_starting``."""
        self._starting.set()
        self._times, self._errors = [], []
        self._starters = [threading.Thread(target=self._start) for _ in range(threads)]
        for thread in self._starters:
            thread.start()

    def _start(self) -> None:
        while self._starting.is_set():
            began = time.perf_counter()
            try:
                self.executor.start("one", 1)
            except StepwellError as error:
                self._errors.append(str(error))
            self._times.append(time.perf_counter() - began)

    def end_starting(self) -> dict[str, Any]:
        self._starting.clear()
        for thread in self._starters:
            thread.join()
        return {"starts": len(self._times), "longest": max(self._times, default=0.0), "errors": self._errors}

    def messages(self) -> int:
        """The messages that the copies here have published as leaders."""
        host = self.executor.client.host
        assert isinstance(host, ClusterHost)
        copies = [leadership.copy for leadership in host.leaderships if leadership.is_led]
        return sum(copy.store.sync_stats()["syncs"] for copy in copies if copy is not None)

    def close(self) -> None:
        self.executor.close()


def main() -> None:
    logging.basicConfig(
        format=f"%(asctime)s.%(msecs)03d {sys.argv[3]} %(message)s", datefmt="%H:%M:%S", level=logging.WARNING
    )
    node = BenchNode(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order, *arguments = json.loads(line)
        print(json.dumps(getattr(node, order)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
