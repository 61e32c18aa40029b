"""Workers and servers are killed under load: whatever was acknowledged ends, with the right result."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from server.support import Served, serving
from stepwell import RemoteExecutor, StorageError
from stepwell.errors import ExecutionAlreadyExists

from .support import Working, working

LONG = 100
KILLS = 6
HANDLERS = """
import time, random
def double(value):
    time.sleep(random.random() / 50)
    return value * 2
async def half(value):
    return value // 2
"""
MACHINE = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Task", "Resource": "double", "Next": "B"},
        "B": {"Type": "Task", "Resource": "double", "Next": "C"},
        "C": {"Type": "Task", "Resource": "half", "End": True},
    },
}


class Starters:
    """Threads that start executions until they are to end; what was acknowledged, by number."""

    def __init__(self, ex: RemoteExecutor) -> None:
        self._ex = ex
        self.acknowledged: dict[int, str] = {}
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(4)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self, first: int) -> None:
        number = first
        while not self._ending.is_set():
            try:
                self.acknowledged[number] = self._ex.start("machine", number, f"run-{number}").id
            except ExecutionAlreadyExists as error:  # its answer got lost, and it has ended
                self.acknowledged[number] = str(error.execution_id)
            except StorageError:  # it may have been done or not: the name says
                continue
            number += 4
            time.sleep(0.01)


def test_nothing_acknowledged_is_lost_when_workers_and_servers_are_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    handlers = tmp_path / "handlers.py"
    handlers.write_text(HANDLERS, encoding="utf-8")
    arguments = ["--data", str(tmp_path / "data"), "--profile", "default", "--wait-for-workers"]
    with ExitStack() as stack:
        served: Served = stack.enter_context(serving(*arguments))
        arguments += ["--port", served.url.rpartition(":")[2]]
        workers: list[Working] = [stack.enter_context(working(served.url, handlers)) for _ in range(2)]
        with RemoteExecutor(served.url, patience=LONG) as ex:
            ex.deploy("machine", MACHINE)
            starters = Starters(ex)
            for kill in range(KILLS):
                time.sleep(chance.uniform(0.5, 1.5))
                if kill % 2:
                    served.process.kill()
                    served.process.wait()
                    served = stack.enter_context(serving(*arguments))
                else:
                    workers.pop(0).kill()
                    workers.append(stack.enter_context(working(served.url, handlers)))
            starters.end()
            assert len(starters.acknowledged) > KILLS
            for number, id in starters.acknowledged.items():
                execution = ex.get(id).wait(LONG)
                assert (execution.status, execution.output) == ("Succeeded", number * 2), execution.cause
                ended = [event for event in execution.history() if event["type"].endswith("Succeeded")]
                assert len(ended) == 4  # each result once
