"""EXPRESS executions that their caller waits for: StartSyncExecution's refusal, limit and answer (ASL A16.81)."""

from __future__ import annotations

from typing import Any, Final

from stepwell.engine.arns import express_arn, state_machine_arn
from stepwell.engine.limits import LONGEST_SECONDS
from stepwell.engine.log import records as r
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import SUCCEEDED
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.errors import ApiError
from stepwell.tasks.billing import BILLED_MEMORY_MB, billed_milliseconds

from .commands import ClientCommand

SECONDS: Final = float(LONGEST_SECONDS["EXPRESS"])
"""How long the caller waits; then the execution has timed out, whatever the profile."""


def check_express(workflow: Workflow) -> None:
    """Raise ``ApiError`` for a workflow that is not EXPRESS."""
    if workflow.context.type != "EXPRESS":
        raise ApiError("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")


def time_out(id: str) -> ClientCommand:
    """End an execution whose time has passed. That it ended meanwhile does not matter."""
    return ClientCommand(r.CancelExecutionCommand(id, None, None, True))


def answer(context: ExecutionContext) -> dict[str, Any]:
    """An ended execution in the names of StartSyncExecution's answer; documents are JSON text, times epoch seconds."""
    workflow = context.workflow_id.rpartition(":")[0]
    told: dict[str, Any] = {
        "executionArn": express_arn(workflow, context.name, context.id),
        "stateMachineArn": state_machine_arn(workflow),
        "name": context.name,
        "startDate": context.started_at / 1_000_000,
        "stopDate": context.stopped_at / 1_000_000,
        "status": _status(context),
        "input": context.input.decode(),
        "inputDetails": {"included": True},
        "billingDetails": {
            "billedMemoryUsedInMB": BILLED_MEMORY_MB,
            "billedDurationInMilliseconds": billed_milliseconds(context.stopped_at - context.started_at),
        },
    }
    if context.status == SUCCEEDED:
        told |= {"output": context.output.decode(), "outputDetails": {"included": True}}
    told |= {key: value for key, value in (("error", context.error), ("cause", context.cause)) if value is not None}
    return told


def _status(context: ExecutionContext) -> str:
    """The API knows no ABORTED here: nobody stops an EXPRESS execution on AWS."""
    if context.timed_out:
        return "TIMED_OUT"
    return "SUCCEEDED" if context.status == SUCCEEDED else "FAILED"
