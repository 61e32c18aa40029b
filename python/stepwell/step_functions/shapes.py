"""Executions in the API's shapes: what DescribeExecution, ListExecutions and StartSyncExecution say of them."""

from __future__ import annotations

from typing import Any

from stepwell.engine.arns import map_run_arn, qualified_arns, state_machine_arn
from stepwell.engine.client.client import Client
from stepwell.engine.client.express import answer
from stepwell.engine.client.queries import Queries
from stepwell.engine.ids import run_of
from stepwell.engine.replay.redrive import redrive_reason
from stepwell.engine.status import AwsStatus
from stepwell.engine.storage.contexts import ExecutionContext, MapRunContext

from .errors import date

METADATA_ONLY = "METADATA_ONLY"


def machine_arn(queries: Queries, context: ExecutionContext) -> str:
    """The ARN of an execution's state machine; of a map run's child with the label of its Map state."""
    return state_machine_arn(queries.workflow_of(context.workflow_id).name)


def described(client: Client, context: ExecutionContext, *, with_data: bool) -> dict[str, Any]:
    """DescribeExecution's answer."""
    queries = client.queries
    status = queries.aws_status(context)
    answer: dict[str, Any] = {
        "executionArn": queries.arn(context),
        "stateMachineArn": machine_arn(queries, context),
        "name": context.name,
        "status": status,
        "startDate": date(context.started_at),
        "inputDetails": {"included": with_data},
        **_end(context, status),
        **_redrives(client, context, status),
    }
    if with_data:
        answer["input"] = context.input.decode()
    if status == "SUCCEEDED":
        answer["outputDetails"] = {"included": with_data}
        if with_data:
            answer["output"] = context.output.decode()
    elif with_data:
        answer |= failure(context)
    if context.parent_iteration_id is not None:
        answer["mapRunArn"] = map_run_of(queries, context.parent_iteration_id)
    if context.trace_header is not None:
        answer["traceHeader"] = context.trace_header
    return answer | qualified_arns(queries.workflow_of(context.workflow_id).name, context.qualifier)


def failure(context: ExecutionContext) -> dict[str, str]:
    """The error and the cause of an execution, as far as it has them; one that timed out has neither."""
    if context.timed_out:
        return {}
    pairs = (("error", context.error), ("cause", context.cause))
    return {name: text for name, text in pairs if text is not None}


def _end(context: ExecutionContext, status: AwsStatus) -> dict[str, float]:
    return {"stopDate": date(context.stopped_at)} if status != "RUNNING" and context.stopped_at else {}


def redrive_counts(context: ExecutionContext) -> dict[str, Any]:
    """How often, and when, an execution was redriven."""
    count: dict[str, Any] = {"redriveCount": context.redrive_count}
    return count | {"redriveDate": date(context.redriven_at)} if context.redriven_at else count


def _redrives(client: Client, context: ExecutionContext, status: AwsStatus) -> dict[str, Any]:
    counts = redrive_counts(context)
    reason = _reason(client, context, status)
    if reason is not None:
        return {**counts, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    is_child = context.parent_iteration_id is not None
    return {**counts, "redriveStatus": "REDRIVABLE_BY_MAP_RUN" if is_child else "REDRIVABLE"}


def _reason(client: Client, context: ExecutionContext, status: AwsStatus) -> str | None:
    """Why an execution cannot be redriven; None: it can."""
    if status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {status} and cannot be redriven"
    if not client.queries.is_deployed(context.workflow_id):
        return "State machine is in DELETING status"
    return redrive_reason(client.limits, context, client.host.clock.now())


def map_run_of(queries: Queries, child_id: str) -> str:
    """The ARN of the map run that an execution is a child of."""
    run: MapRunContext = queries.lookup.map_run(run_of(child_id))
    return map_run_arn(run.name, run.id)


def synchronous(context: ExecutionContext, trace_header: str | None, *, with_data: bool) -> dict[str, Any]:
    """StartSyncExecution's answer."""
    found = answer(context)
    found |= {"startDate": date(context.started_at), "stopDate": date(context.stopped_at)}
    found["outputDetails"] = {"included": with_data}
    if trace_header is not None:
        found["traceHeader"] = trace_header
    if not with_data:
        for name in ("input", "output", "error", "cause"):
            found.pop(name, None)
        found["inputDetails"] = {"included": False}
    return found
