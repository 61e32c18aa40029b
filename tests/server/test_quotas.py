"""AWS's quotas on numbers, with small numbers in their place: what is one too many, and what makes room again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell import ApiError, Executor, Limits

from .support import PASS, ROLE, WAIT, Served, ended, machine, refusal, serving_script

SCRIPT = """
from stepwell import AsyncExecutor, Limits
from stepwell.server import serving
from stepwell.server.settings import Settings

limits = Limits(workflows=3, activities=2, open_executions=2)
executor = AsyncExecutor(profile="aws", limits=limits)
serving.run(serving.serve(executor, Settings("127.0.0.1", 0), lambda url: print("ready on", url, flush=True)))
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_script(tmp_path_factory.mktemp("small"), SCRIPT) as server:
        yield server


def test_state_machines_activities_and_open_executions_are_counted(small: Served) -> None:
    sfn: Any = small.client
    waits, nested = machine(sfn, "waits", WAIT), machine(sfn, "nested", starting("waits"))
    express = machine(sfn, "express", type="EXPRESS")
    one_more = {"name": "more", "definition": "{}", "roleArn": ROLE}
    assert refusal(sfn.create_state_machine, **one_more)[0] == "InvalidDefinition"
    code, message = refusal(machine, sfn=sfn, name="more")
    assert (code, message[:50]) == ("StateMachineLimitExceeded", "The maximum number of state machines has been reac")
    assert machine(sfn, "waits", WAIT) == waits, "the same request again creates nothing"

    activities = [sfn.create_activity(name=name)["activityArn"] for name in ("a", "b")]
    assert refusal(sfn.create_activity, name="c")[0] == "ActivityLimitExceeded"
    sfn.delete_activity(activityArn=activities[0])
    sfn.create_activity(name="c")

    first, _ = (sfn.start_execution(stateMachineArn=waits, name=name)["executionArn"] for name in ("1", "2"))
    assert refusal(sfn.start_execution, stateMachineArn=waits)[0] == "ExecutionLimitExceeded"
    assert sfn.start_sync_execution(stateMachineArn=express)["status"] == "SUCCEEDED", "EXPRESS ones do not count"
    sfn.stop_execution(executionArn=first)
    third = sfn.start_execution(stateMachineArn=nested)["executionArn"]
    assert ended(sfn, third)["error"] == "StepFunctions.ExecutionLimitExceededException"
    sfn.start_execution(stateMachineArn=waits, name="3")
    assert refusal(sfn.redrive_execution, executionArn=first)[0] == "ExecutionLimitExceeded"

    sfn.delete_state_machine(stateMachineArn=express)
    assert machine(sfn, "more", PASS)


def starting(name: str) -> dict[str, Any]:
    arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"
    task = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "End": True}
    return {"StartAt": "T", "States": {"T": {**task, "Parameters": {"StateMachineArn": arn, "Input": {}}}}}


@pytest.mark.parametrize("partitions", [1, 2])
def test_an_executor_has_the_same_quotas_and_none_by_default(tmp_path: Path, partitions: int) -> None:
    with Executor(tmp_path / "data", partitions=partitions, limits=Limits(workflows=1, open_executions=2)) as ex:
        ex.deploy("one", WAIT)
        with pytest.raises(ApiError, match="StateMachineLimitExceeded"):
            ex.deploy("two", WAIT)
        ex.deploy("one", PASS)
        ex.deploy("one", WAIT)
        started = [ex.start("one") for _ in range(2)]
        with pytest.raises(ApiError, match="ExecutionLimitExceeded"):
            ex.start("one")
        started[0].stop()
        started[0].wait(60)
        ex.start("one")
    with Executor(tmp_path / "data", partitions=partitions) as ex:
        ex.deploy("two", WAIT)
        ex.start("one")
