"""Stepwell: ``stepwell_client.py FOLDER``."""

from __future__ import annotations

import os
import sys
from typing import Any

from work import STEPS, measure

from stepwell import Executor

TASK = {"Type": "Task", "Resource": "add_one"}


def chain(count: int) -> dict[str, Any]:
    """``count`` tasks in a row."""
    states = {f"S{index}": {**TASK, "Next": f"S{index + 1}"} for index in range(count)}
    states[f"S{count - 1}"] = {**TASK, "End": True}
    return {"StartAt": "S0", "States": states}


def main() -> None:
    with Executor(sys.argv[1], handlers={"add_one": lambda number: number + 1}) as executor:
        executor.deploy("one", chain(1))
        executor.deploy("ten", chain(STEPS))
        executor.deploy("waiting", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})

        def run(workflow: str, number: int) -> Any:
            return executor.start(workflow, number).wait().output

        measure(
            "stepwell",
            [os.getpid()],
            lambda number: run("one", number),
            lambda number: run("ten", number),
            lambda number: executor.start("waiting", number),
        )


if __name__ == "__main__":
    main()
