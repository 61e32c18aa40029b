"""The workflows that the killed process runs, and how each execution must end."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Definition = dict[str, Any]

CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
TENFOLD, FLAKY, SLOW = "tenfold", "flaky", "slow"
WAIT_SECONDS = 1


def _task(resource: str, **fields: Any) -> Definition:
    return {"Type": "Task", "Resource": resource, **fields}


def _machine(**states: Definition) -> Definition:
    return {"StartAt": next(iter(states)), "States": states}


ORDER = _machine(
    Reserve=_task(TENFOLD, ResultPath="$.reserved", Next="Both"),
    Both={
        "Type": "Parallel",
        "Branches": [
            _machine(Charge=_task(TENFOLD, End=True)),
            _machine(
                Settle={"Type": "Wait", "TimestampPath": "$.until", "Next": "Ship"}, Ship=_task(TENFOLD, End=True)
            ),
        ],
        "ResultPath": "$.both",
        "Next": "Sum",
    },
    Sum={
        "Type": "Pass",
        "Parameters": {"n.$": "$.n", "charged.$": "$.both[0].n", "shipped.$": "$.both[1].n"},
        "End": True,
    },
)
BATCH = _machine(
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            **_machine(
                Shape={"Type": "Pass", "Parameters": {"n.$": "$"}, "Next": "Work"}, Work=_task(TENFOLD, End=True)
            ),
        },
        "ResultSelector": {"numbers.$": "$[*].n"},
        "End": True,
    }
)
SPREAD = _machine(
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 3,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **_machine(
                Shape={"Type": "Pass", "Parameters": {"n.$": "$"}, "Next": "Work"}, Work=_task(TENFOLD, End=True)
            ),
        },
        "ResultSelector": {"numbers.$": "$[*].n"},
        "End": True,
    }
)
APPROVAL = _machine(
    Ask=_task(
        CALLBACK,
        Parameters={"QueueUrl": "approvals", "MessageBody": {"n.$": "$.n", "token.$": "$$.Task.Token"}},
        ResultPath="$.answer",
        Next="Done",
    ),
    Done={"Type": "Pass", "OutputPath": "$.answer", "End": True},
)
RETRIED = _machine(
    Try=_task(
        FLAKY,
        Retry=[{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1.0}],
        Catch=[{"ErrorEquals": ["Flaky"], "ResultPath": "$.failure", "Next": "GaveUp"}],
        End=True,
    ),
    GaveUp={"Type": "Pass", "Parameters": {"gave_up.$": "$.n"}, "End": True},
)
PATIENT = _machine(Rest={"Type": "Wait", "Seconds": WAIT_SECONDS, "Next": "Then"}, Then=_task(TENFOLD, End=True))
SLEEPER = _machine(Sleep={"Type": "Wait", "Seconds": 100_000, "End": True})
OVERDUE = _machine(
    Work=_task(SLOW, TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Late"}], End=True),
    Late={"Type": "Pass", "Result": "late", "End": True},
)
LATER = _machine(Work=_task(TENFOLD, End=True))

DEFINITIONS: dict[str, Definition] = {
    "order": ORDER,
    "batch": BATCH,
    "spread": SPREAD,
    "approval": APPROVAL,
    "retried": RETRIED,
    "patient": PATIENT,
    "sleeper": SLEEPER,
    "overdue": OVERDUE,
    "later": LATER,
}


class Plan(NamedTuple):
    """An execution to start."""

    workflow: str
    input: dict[str, Any]
    delay: float | None = None


def draw(chance: random.Random) -> Plan:
    """A random execution."""
    workflow = chance.choice([*DEFINITIONS, "order", "order", "batch", "approval", "retried"])
    input: dict[str, Any] = {"n": chance.randrange(1000)}
    if workflow == "order":
        until = datetime.now(UTC) + timedelta(seconds=chance.uniform(0.05, 0.8))
        input["until"] = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if workflow in ("batch", "spread"):
        input["items"] = [chance.randrange(100) for _ in range(chance.randrange(7))]
    return Plan(workflow, input, chance.uniform(0.05, 0.5) if workflow == "later" else None)


def failures(n: int) -> int:
    """How many attempts of the flaky task fail."""
    return n % 3


EXPECTED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "order": lambda given: {"n": given["n"], "charged": given["n"] * 10, "shipped": given["n"] * 10},
    "batch": lambda given: {"numbers": [item * 10 for item in given["items"]]},
    "spread": lambda given: {"numbers": [item * 10 for item in given["items"]]},
    "approval": lambda given: {"approved": given["n"]},
    "retried": lambda given: {"gave_up": given["n"]} if failures(given["n"]) > 1 else {"n": given["n"] * 10},
    "patient": lambda given: {"n": given["n"] * 10},
    "overdue": lambda given: "late",
    "later": lambda given: {"n": given["n"] * 10},
}
"""Workflow → the output that follows from the input. A sleeper never ends on its own: it is stopped."""
