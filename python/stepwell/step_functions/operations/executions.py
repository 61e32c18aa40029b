"""Executions: they are started, described, listed, stopped and redriven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.errors import ExecutionNotFound
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.service import Operation, Service


async def describe_execution(service: Service, request: model.DescribeExecutionInput) -> dict[str, Any]:
    """An execution, as far as it has come."""
    arns.own(request.execution_arn, errors.no_execution(request.execution_arn), arns.EXECUTION)
    try:
        context = service.client.queries.context(request.execution_arn)
    except ExecutionNotFound as error:
        raise errors.no_execution(request.execution_arn) from error
    return {"executionArn": request.execution_arn, "name": context.name}


OPERATIONS: Mapping[str, Operation] = {"DescribeExecution": describe_execution}
