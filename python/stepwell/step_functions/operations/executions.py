"""Executions: they are started, described, listed, stopped and redriven (API semantics, chapter 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from stepwell.engine.arns import arn_of
from stepwell.engine.client import commands, express
from stepwell.engine.client.client import Client
from stepwell.engine.limits import STANDARD
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import StartExecutionCommand
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import OVER
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.engine.storage.redrive_tokens import redriven_with
from stepwell.errors import (
    ExecutionAlreadyExists,
    ExecutionNotFound,
    InvalidInput,
    InvalidName,
    NotRedrivable,
    WaitTimeout,
    WorkflowDeleting,
    WorkflowNotFound,
)
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.documents import execution_input
from stepwell.step_functions.in_thread import reading
from stepwell.step_functions.mock_cases import checked_qualifier, split_case
from stepwell.step_functions.service import Operation, Service
from stepwell.step_functions.shapes import METADATA_ONLY, described, machine_arn, synchronous

from .state_machines import resolve, settings


async def start_execution(service: Service, request: model.StartExecutionInput) -> dict[str, Any]:
    """Start an execution; durable when it is answered."""
    workflow, command, id = await _start(service, request)
    # The command's name is that of the execution, also if that was there already.
    arn = arn_of(workflow.name, command.type, command.name, id)
    row = await service.read(service.client.host.storage.execution, id)
    return {"executionArn": arn, "startDate": errors.date(row.started_at)}


async def start_sync_execution(service: Service, request: model.StartSyncExecutionInput) -> dict[str, Any]:
    """Run an EXPRESS state machine to its end."""
    _, _, id = await _start(service, request, synchronous=True)
    context = await service.read(service.client.host.storage.execution, id)
    if context.status not in OVER:
        execution = service.execution(id)
        try:
            await execution.wait(express.SECONDS)
        except WaitTimeout:
            await service.ask(express.time_out(id))
            await execution.wait()
        context = await service.read(execution.context)
    return synchronous(context, request.trace_header, with_data=request.included_data != METADATA_ONLY)


async def _start(
    service: Service,
    request: model.StartExecutionInput | model.StartSyncExecutionInput,
    *,
    synchronous: bool = False,
) -> tuple[Workflow, StartExecutionCommand, str]:
    """What was started, the command, and the execution's id. Raises ``Fault``."""
    client = service.client
    machine, test_case = split_case(request.state_machine_arn)
    workflow, qualifier = await resolve(service, machine)
    if synchronous:
        express.check_express(workflow)
    if test_case is not None:
        qualifier = checked_qualifier(service, workflow, qualifier, test_case)
    document = _input(request.input)
    if client.starts.quota.must_count and workflow.context.type == STANDARD:
        await asyncio.to_thread(client.starts.quota.count)
    try:
        start = client.starts.start_with(
            workflow,
            document,
            request.name,
            synchronous=synchronous,
            qualifier=qualifier,
            trace_header=request.trace_header,
        )
        client.deployments.check_handlers(workflow, is_mocked=test_case is not None)
        id = await service.ask(start)
    except InvalidName as error:
        raise errors.invalid_name(request.name or "") from error
    except ExecutionAlreadyExists as error:
        about = client.queries.arn(await service.read(client.queries.context, error.execution_id or ""))
        raise errors.Fault("ExecutionAlreadyExists", f"Execution Already Exists: '{about}'") from error
    except WorkflowDeleting as error:
        raise errors.machine_deleting(request.state_machine_arn) from error
    except WorkflowNotFound as error:
        raise errors.no_machine(request.state_machine_arn) from error
    assert isinstance(start.command, StartExecutionCommand)
    return workflow, start.command, id


def _input(text: str | None) -> Document:
    try:
        return execution_input(text)
    except InvalidInput as error:
        raise errors.Fault("InvalidExecutionInput", str(error)) from error


def describe_execution(service: Service, request: model.DescribeExecutionInput) -> dict[str, Any]:
    """An execution, as far as it has come."""
    context = find_execution(service, request.execution_arn, children=True)
    client = service.client
    return described(client, context, with_data=request.included_data != METADATA_ONLY)


def describe_state_machine_for_execution(
    service: Service, request: model.DescribeStateMachineForExecutionInput
) -> dict[str, Any]:
    """The definition that an execution runs, which its state machine may have no more."""
    context = find_execution(service, request.execution_arn, children=True)
    queries = service.client.queries
    workflow = queries.workflow_of(context.workflow_id)
    found = settings(service, workflow, with_definition=request.included_data != METADATA_ONLY)
    found["stateMachineArn"] = machine_arn(queries, context)
    found["updateDate"] = errors.date(workflow.context.created_at)
    if context.parent_iteration_id is not None:
        found["mapRunArn"] = described(service.client, context, with_data=False)["mapRunArn"]
        found["label"] = workflow.name.partition("/")[2]
    return found


async def stop_execution(service: Service, request: model.StopExecutionInput) -> dict[str, Any]:
    """Stop an execution; one that has ended stays as it is."""
    context = await service.read(find_execution, service, request.execution_arn)
    if context.status not in OVER:
        await service.ask(commands.stop(context.id, request.error, request.cause))
        context = await service.read(service.client.queries.context, context.id)
    return {"stopDate": errors.date(context.stopped_at)}


async def redrive_execution(service: Service, request: model.RedriveExecutionInput) -> dict[str, Any]:
    """Continue an execution from the states that did not succeed; once for each client token."""
    context = await service.read(find_execution, service, request.execution_arn)
    client, token = service.client, request.client_token
    redriven_at = _redriven_at(client, context, token)
    if redriven_at is None:
        try:
            await service.ask(await asyncio.to_thread(client.redrive_request, context.id, token))
        except NotRedrivable as error:
            context = await service.read(client.queries.context, context.id)
            redriven_at = _redriven_at(client, context, token)
            if redriven_at is None:  # else a request with this token came first
                raise await service.read(_not_redrivable, service, context, error) from error
    if redriven_at is None:
        redriven_at = (await service.read(client.queries.context, context.id)).redriven_at
    return {"redriveDate": errors.date(redriven_at)}


def _redriven_at(client: Client, context: ExecutionContext, token: str | None) -> int | None:
    return None if token is None else redriven_with(context.redrive_tokens, token, client.host.clock.now())


def _not_redrivable(service: Service, context: ExecutionContext, error: NotRedrivable) -> errors.Fault:
    described_now = described(service.client, context, with_data=False)
    return errors.Fault("ExecutionNotRedrivable", described_now.get("redriveStatusReason") or str(error))


def find_execution(service: Service, text: str, *, children: bool = False) -> ExecutionContext:
    """The execution of an ARN, which is a STANDARD one; with ``children`` also an EXPRESS child of a map run."""
    arn = arns.own(text, errors.no_execution, arns.EXECUTION, *((arns.EXPRESS,) if children else ()))
    if arn.kind == arns.EXPRESS and arn.label is None:
        raise errors.invalid_arn(f"Resource type not valid in this context: {arn.kind}")
    try:
        return service.client.queries.context(text)
    except ExecutionNotFound as error:
        raise errors.no_execution(text) from error


OPERATIONS: Mapping[str, Operation] = {
    "StartExecution": start_execution,
    "StartSyncExecution": start_sync_execution,
    "DescribeExecution": reading(describe_execution),
    "DescribeStateMachineForExecution": reading(describe_state_machine_for_execution),
    "StopExecution": stop_execution,
    "RedriveExecution": redrive_execution,
}
