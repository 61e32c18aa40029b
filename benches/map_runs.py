"""What a Distributed Map costs with one partition and with several: processor time of all processes, and time.

``python benches/map_runs.py [ITEMS [ROUNDS]]`` runs, in turn: one map run in one partition; the same in three; ten
nested map runs, which are spread over three; and each item as an execution of its own that a state starts, which is
what children in other partitions would be like. Each item has one Task state.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from stepwell import Executor

CHUNKS = 10
START = "arn:aws:states:::states:startExecution.sync:2"


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def mapped(mode: str, processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    config = {"Mode": mode, "ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {"Mode": mode}
    state = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **processor}, "End": True}
    return machine(Each={**state, **fields})


WORK = machine(Work={"Type": "Task", "Resource": "work", "End": True})
ONE_RUN = mapped("DISTRIBUTED", WORK)
NESTED = {"Type": "Task", "Resource": START, "End": True, "OutputPath": "$.Output"}
TEN_RUNS = mapped("INLINE", machine(Start={**NESTED, "Parameters": {"StateMachineArn": "one-run", "Input.$": "$"}}))
EACH_ITEM = mapped(
    "DISTRIBUTED",
    machine(Start={**NESTED, "Parameters": {"StateMachineArn": "work", "Input": {"n.$": "$"}}}),
    ItemSelector={"n.$": "$$.Map.Item.Value"},
)
CASES = (
    ("one map run, 1 partition", 1, "one-run"),
    ("one map run, 3 partitions", 3, "one-run"),
    ("ten nested map runs, 3 partitions", 3, "ten-runs"),
    ("each item an execution of its own, 1 partition", 1, "each-item"),
    ("each item an execution of its own, 3 partitions", 3, "each-item"),
)


def processor_seconds(pids: list[int]) -> float:
    """What these processes have used so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(folder: Path, partitions: int, workflow: str, items: int) -> tuple[float, float]:
    """Seconds of processors and of the clock."""
    with Executor(folder, handlers={"work": lambda given: given}, partitions=partitions) as executor:
        executor.deploy("work", WORK)
        executor.deploy("one-run", ONE_RUN)
        executor.deploy("ten-runs", TEN_RUNS)
        executor.deploy("each-item", EACH_ITEM)
        given: list[Any] = list(range(items))
        if workflow == "ten-runs":
            given = [given[first::CHUNKS] for first in range(CHUNKS)]
        processes = getattr(executor.client.host, "partitions", ())
        pids = [os.getpid(), *[each.pid for each in processes]]
        before, began = processor_seconds(pids), time.monotonic()
        ended = executor.start(workflow, given).wait()
        assert ended.status == "Succeeded", (ended.error, ended.cause)
        return processor_seconds(pids) - before, time.monotonic() - began


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    for number in range(rounds):
        for name, partitions, workflow in CASES:
            with tempfile.TemporaryDirectory() as folder:
                processors, seconds = measure(Path(folder) / "data", partitions, workflow, items)
            print(f"round {number + 1}: {name}: {processors:.1f} s of processors, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
