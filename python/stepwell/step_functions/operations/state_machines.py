"""State machines: what ``deploy`` keeps, under their ARNs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.asl import json
from stepwell.asl.variable_references import variable_references
from stepwell.engine.state.workflows import Workflow
from stepwell.errors import InvalidDefinition, InvalidName, WorkflowNotFound
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.service import Operation, Service
from stepwell.step_functions.shapes import METADATA_ONLY


async def create_state_machine(service: Service, request: model.CreateStateMachineInput) -> dict[str, Any]:
    """Keep a definition under a name."""
    try:
        workflow = await service.executor.deploy(request.name, request.definition, type=request.type or "STANDARD")
    except InvalidName as error:
        raise errors.invalid_name(request.name) from error
    except InvalidDefinition as error:
        raise errors.Fault("InvalidDefinition", str(error)) from error
    return {"stateMachineArn": workflow.arn, "creationDate": errors.date(workflow.context.created_at)}


async def describe_state_machine(service: Service, request: model.DescribeStateMachineInput) -> dict[str, Any]:
    """The newest definition."""
    workflow = find(service, request.state_machine_arn)
    return {
        "stateMachineArn": workflow.arn,
        "status": "ACTIVE",
        "type": workflow.context.type,
        "creationDate": errors.date(workflow.context.created_at),
        **settings(service, workflow, with_definition=request.included_data != METADATA_ONLY),
    }


def settings(service: Service, workflow: Workflow, *, with_definition: bool) -> dict[str, Any]:
    """What a revision consists of, as DescribeStateMachine and DescribeStateMachineForExecution show it."""
    definition = json.loads(workflow.context.definition)
    references = variable_references(definition)
    found: dict[str, Any] = {
        "name": workflow.name,
        "definition": workflow.context.definition.decode() if with_definition else "{}",
        "roleArn": workflow.role,
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    return found | {"variableReferences": references} if references and with_definition else found


async def delete_state_machine(service: Service, request: model.DeleteStateMachineInput) -> dict[str, Any]:
    """Delete a state machine, if there is one."""
    arn = arns.parse(request.state_machine_arn, arns.MACHINE)
    try:
        await service.executor.delete_workflow(arn.name)
    except WorkflowNotFound:
        return {}
    return {}


async def list_state_machines(service: Service, request: model.ListStateMachinesInput) -> dict[str, Any]:
    """All state machines."""
    found = await service.executor.workflows()
    items = [
        {
            "stateMachineArn": each.arn,
            "name": each.name,
            "type": each.context.type,
            "creationDate": errors.date(each.context.created_at),
        }
        for each in found
    ]
    return {"stateMachines": items}


def find(service: Service, text: str) -> Workflow:
    """The state machine of an ARN. Raises ``Fault``."""
    arn = arns.own(text, errors.no_machine, arns.MACHINE)
    try:
        return service.client.queries.workflow(arn.name)
    except WorkflowNotFound as error:
        raise errors.no_machine(text) from error


OPERATIONS: Mapping[str, Operation] = {
    "CreateStateMachine": create_state_machine,
    "DescribeStateMachine": describe_state_machine,
    "DeleteStateMachine": delete_state_machine,
    "ListStateMachines": list_state_machines,
}
