"""EXPRESS executions whose caller waits: StartSyncExecution's refusal, time limit and answer (ASL A16.81)."""

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
"""How long the caller waits. Then the execution times out, in every profile."""


def check_express(workflow: Workflow) -> None:
    """Raise ``ApiError`` for a workflow that is not EXPRESS."""
    if workflow.context.type != "EXPRESS":
        raise ApiError("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")


def time_out(id: str) -> ClientCommand:
    """Time out an execution. If it has ended, nothing happens."""
    return ClientCommand(r.CancelExecutionCommand(id, None, None, True))


def answer(context: ExecutionContext) -> dict[str, Any]:
    """An ended execution as StartSyncExecution's answer. Documents are JSON text, times seconds since the epoch."""
    workflow = context.workflow_id.rpartition(":")[0]
    result: dict[str, Any] = {
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
        result |= {"output": context.output.decode(), "outputDetails": {"included": True}}
    result |= {key: value for key, value in (("error", context.error), ("cause", context.cause)) if value is not None}
    return result


def _status(context: ExecutionContext) -> str:
    """The API has no ABORTED here: an EXPRESS execution cannot be stopped on AWS."""
    if context.timed_out:
        return "TIMED_OUT"
    return "SUCCEEDED" if context.status == SUCCEEDED else "FAILED"
