"""A process that is killed while it deletes workflows: each one is deleted, everywhere, or is there as before."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stepwell import Executor, WorkflowNotFound
from stepwell.engine.storage.contexts import WorkflowContext

KILLS = 6
PROGRAM = """
import sys
from stepwell import Executor

def giving(result):
    return {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": result, "End": True}}}

with Executor(sys.argv[1], partitions=int(sys.argv[2])) as ex:
    print("READY", flush=True)
    while True:
        first = ex.deploy("order", giving("a")).version
        second = ex.deploy("order", giving("b")).version
        kept = [ex.start(f"order:{version}", n).wait(60).id for n in range(2) for version in (first, second)]
        print("deleting", second, *kept, flush=True)
        ex.delete_workflow("order")
        print("deleted", second, flush=True)
        for id in kept:
            ex.delete(id)
        print("empty", second, flush=True)
"""


def killed(folder: Path, partitions: int, seconds: float) -> list[str]:
    """What a process said that was killed so many seconds after its opening."""
    command = [sys.executable, "-c", PROGRAM, str(folder), str(partitions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        time.sleep(seconds)
        process.kill()
        return process.stdout.read().splitlines()


def versions(ex: Executor) -> list[int]:
    """The versions of the workflow; none: it is deleted."""
    try:
        return [workflow.version for workflow in ex.workflows("order")]
    except WorkflowNotFound:
        return []


def assert_whole(ex: Executor, said: list[str]) -> None:
    """What is there is what was said last, or was on the way then; each version that is there can be started."""
    there = versions(ex)
    for version in there:
        assert ex.start(f"order:{version}", "new").wait(60).output in ("a", "b")
    last = next((line.split() for line in reversed(said) if " " in line), None)
    if last is None:
        return
    word, newest, *kept = last
    if word == "deleting":
        assert there in ([], [int(newest), int(newest) - 1])
        for id in kept:
            assert len(ex.history(id)) == 4
    else:  # it is deleted, and may be deployed again
        assert there in ([], [int(newest) + 1], [int(newest) + 2, int(newest) + 1])


def assert_next_number_is_new(ex: Executor, said: list[str]) -> None:
    definition: dict[str, Any] = {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}
    numbers = [int(line.split()[1]) for line in said if " " in line]
    assert ex.deploy("order", definition).version > max(numbers, default=0)


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_kill_within_a_deletion_leaves_a_workflow_deleted_or_as_it_was(tmp_path: Path, partitions: int) -> None:
    seed = int(os.environ.get("STEPWELL_SEED", "7"))
    drawn = random.Random(seed)
    for _ in range(KILLS):
        said = killed(tmp_path / "data", partitions, drawn.uniform(0.0, 0.3))
        with Executor(tmp_path / "data", partitions=partitions) as ex:
            assert_whole(ex, said)
            assert_next_number_is_new(ex, said)
            ex.delete_workflow("order")
            assert versions(ex) == []
            for execution in ex.list("order"):
                ex.delete(execution.id)
        with Executor(tmp_path / "data", partitions=partitions) as ex:
            rows = list(ex.storage.scan(WorkflowContext, "order"))
            assert [(row.definition, row.deleted) for row in rows] == [(b"", True)]
