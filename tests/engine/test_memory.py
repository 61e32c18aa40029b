"""What a process takes at most, measured from outside and held against what its limits allow."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

MIB = 1 << 20
COPIES = 10
"""How often what is under way may be there at once: as values, as text, in a turn, its rows, the log's buffer, and in
RocksDB's write buffers, before and after it was flushed."""
PROGRAM = """
import resource
import sys
from stepwell import Executor, Limits

limits = Limits(
    turn_bytes=1 << 20, batch_bytes=2 << 20, fan_out_bytes=4 << 20, live_bytes=8 << 20, inbox_bytes=8 << 20,
    task_bytes=8 << 20, log_bytes=8 << 20, document_bytes=8 << 20, execution_bytes=64 << 20,
)
folder = sys.argv[1]


def most() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def machine(**states):
    return {"StartAt": next(iter(states)), "States": states}

"""
LIMIT = (1 + 2 + 4 + 8 + 8 + 8 + 8) * MIB
"""What the limits of the program above allow to be under way."""

LOADS = {
    "Maps that select the whole input for each item": """
        each = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 1, "End": True}}}
        states = machine(M={"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"all.$": "$.text"},
                            "ItemProcessor": each, "End": True})
        with Executor(folder, limits=limits, profile="aws") as ex:
            ex.deploy("w", states)
            ex.start("w", {"text": "x", "items": [1]}).wait(60)
            before = most()
            started = [ex.start("w", {"text": "x" * 190_000, "items": list(range(300))}) for _ in range(6)]
            assert [each.wait(300).output for each in started] == [[1] * 300] * 6
    """,
    "a Distributed Map whose children all get the whole input": """
        each = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 1, "End": True}}}
        states = machine(M={"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"all.$": "$.text"},
                            "ItemProcessor": each, "End": True})
        with Executor(folder, limits=limits) as ex:
            ex.deploy("w", states)
            ex.start("w", {"text": "x", "items": [1]}).wait(60)
            before = most()
            assert ex.start("w", {"text": "x" * 200_000, "items": list(range(1500))}).wait(300).output == [1] * 1500
    """,
    "Passes that each make a large document": """
        states = {f"S{n}": {"Type": "Pass", "Parameters": {"n": n, "a.$": "$$.Execution.Input"}, "Next": f"S{n + 1}"}
                  for n in range(200)}
        states["S199"] = {"Type": "Succeed"}
        with Executor(folder, limits=limits) as ex:
            ex.deploy("w", machine(**states))
            ex.start("w", 1).wait(60)
            before = most()
            assert ex.start("w", "x" * 2_000_000).wait(300).status == "Succeeded"
    """,
    "tasks with large inputs and results": """
        each = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "echo", "ResultPath": None, "End": True}}}
        states = machine(M={"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"all.$": "$.text"}, "End": True,
                            "ItemProcessor": each, "ResultSelector": {"n.$": "States.ArrayLength($)"}})
        states["States"]["M"]["ItemProcessor"]["States"]["T"]["OutputPath"] = "$.none"
        states["States"]["M"]["ItemProcessor"]["States"]["T"]["ResultPath"] = "$.none"
        states["States"]["M"]["ItemProcessor"]["States"]["T"]["ResultSelector"] = {"done": True}
        with Executor(folder, limits=limits, handlers={"echo": lambda given: given}) as ex:
            ex.deploy("w", states)
            ex.start("w", {"text": "x", "items": [1]}).wait(60)
            before = most()
            started = [ex.start("w", {"text": "x" * 200_000, "items": list(range(300))}) for _ in range(2)]
            assert [each.wait(300).output for each in started] == [{"n": 300}] * 2
    """,
    "starts with large inputs": """
        with Executor(folder, limits=limits) as ex:
            ex.deploy("w", machine(W={"Type": "Wait", "Seconds": 1000, "End": True}))
            ex.start("w", 1)
            before = most()
            for number in range(400):
                ex.start("w", "x" * 500_000, timeout=60)
    """,
}


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_a_load_takes_no_more_than_its_limits_allow(tmp_path: Path, load: str) -> None:
    program = PROGRAM + textwrap.dedent(load) + "\nprint(most() - before)\n"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    taken = int(done.stdout)
    assert taken < COPIES * LIMIT, f"{taken / MIB:.0f} MiB, where {COPIES * LIMIT / MIB:.0f} are allowed"
    print(f"{taken / MIB:.0f} MiB of {COPIES * LIMIT / MIB:.0f}")
