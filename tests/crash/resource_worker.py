"""A process that changes AWS's resources until it is killed: ``resource_worker.py FOLDER PARTITIONS``.

It prints a line for each change that was acknowledged: the machine's number, and how far its changes have come.
"""

from __future__ import annotations

import sys
from itertools import count

from stepwell import Executor
from stepwell.asl.json import dumps
from stepwell.engine.client.deployments import Settings

TEXT = dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
OTHER = dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 1, "End": True}}})
STEPS = ("created", "aliased", "updated", "tagged", "started", "deleted")


def main() -> None:
    with Executor(sys.argv[1], partitions=int(sys.argv[2])) as ex:
        print("ready", flush=True)
        for number in count(len(ex.client.host.workflows.names())):  # with those that were deleted
            change(ex, number)


def change(ex: Executor, number: int) -> None:
    """The life of one machine; every third is deleted at its end."""
    resources, name = ex.client.resources, f"m{number}"
    machine = ex.client.deployments.compiled(TEXT, "STANDARD")
    resources.create(name, TEXT, "STANDARD", Settings("role"), machine, publish=True, tags=[["n", str(number)]])
    tell(number, "created")
    resources.put_alias(name, "prod", [(1, 100)], "first")
    tell(number, "aliased")
    workflow = ex.workflow(name)
    resources.update(
        workflow, OTHER, Settings("role-2"), ex.client.deployments.compiled(OTHER, "STANDARD"), publish=True
    )
    tell(number, "updated")
    resources.put_tags(f"stateMachine:{name}", [["n", str(number)], ["more", ""]])
    tell(number, "tagged")
    arn = f"{ex.workflow(name).arn}:prod"
    ex.start(arn, execution_name="one").wait(60)
    tell(number, "started")
    if number % 3 == 0:
        ex.client.deployments.begin_deletion(name)
        tell(number, "deleted")
    resources.put_activity(name, b"", [])


def tell(number: int, step: str) -> None:
    print(number, STEPS.index(step), flush=True)


if __name__ == "__main__":
    main()
