"""State machines: created, described, updated, deleted, listed (API semantics, chapter 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from stepwell.asl import json
from stepwell.asl.states import MapState
from stepwell.asl.variable_references import variable_references
from stepwell.engine.arns import state_machine_arn
from stepwell.engine.client.arguments import check_name
from stepwell.engine.client.deployments import Settings
from stepwell.engine.limits import STANDARD
from stepwell.engine.state.workflows import Workflow, label_of
from stepwell.engine.storage.contexts import PublishedVersionContext
from stepwell.errors import InvalidDefinition, InvalidName, WorkflowDeleting, WorkflowNotFound
from stepwell.step_functions import arns, errors, machine_settings, model
from stepwell.step_functions.in_thread import in_thread
from stepwell.step_functions.service import Operation, Service, page_size
from stepwell.step_functions.shapes import METADATA_ONLY

from .tags import checked_tags

NO_PUBLICATION = "Version description can only be set when publish is true"
NOTHING_TO_UPDATE = (
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"
)


def create_state_machine(service: Service, request: model.CreateStateMachineInput) -> dict[str, Any]:
    """Create a state machine; the same request again gives the same one."""
    name, type, text = request.name, request.type or STANDARD, _text(request.definition)
    try:
        check_name("a state machine", name)
    except InvalidName as error:
        raise errors.invalid_name(name) from error
    tags = checked_tags(request.tags, state_machine_arn(name))
    given = machine_settings.changed(Settings(), request)
    _check_description(request)
    machine = _compiled(service, text, type)
    resources = service.client.resources
    with resources.changing:
        latest = resources.deployments.latest(name)
        if latest is None:
            publish = bool(request.publish)
            latest = resources.create(
                name, text, type, given, machine, publish=publish, description=request.version_description, tags=tags
            )
        else:
            _check_is_same(service, latest, text, type, given, request)
        published = resources.published_of(latest) if request.publish else None
    answer = {"stateMachineArn": latest.arn, "creationDate": errors.date(_created_at(service, latest))}
    return answer if published is None else answer | {"stateMachineVersionArn": version_arn(published)}


def _check_is_same(
    service: Service,
    latest: Workflow,
    text: bytes,
    type: str,
    given: Settings,
    request: model.CreateStateMachineInput,
) -> None:
    """Refuse a request for a state machine of this name that differs, except in its role and its tags."""
    check_is_kept(latest, latest.arn)
    context = latest.context
    same = (context.definition, context.type, Settings.of(context)._replace(role=given.role)) == (text, type, given)
    if same and request.publish:
        published = service.client.resources.published_of(latest)
        same = published is not None and published.description == request.version_description
    if not same:
        raise errors.Fault("StateMachineAlreadyExists", f"State Machine Already Exists: '{latest.arn}'")


def describe_state_machine(service: Service, request: model.DescribeStateMachineInput) -> dict[str, Any]:
    """The newest revision, a published version, or what a label is of."""
    text = request.state_machine_arn
    arn = arns.own(text, errors.no_machine, arns.MACHINE)
    workflow, published = _described(service, arn)
    shown = workflow if arn.label is None else _labelled(workflow, arn)
    answer: dict[str, Any] = {
        "stateMachineArn": text if published is not None or arn.label is not None else workflow.arn,
        "status": "DELETING" if workflow.context.deleting else "ACTIVE",
        "type": workflow.context.type,
        **settings(service, shown, with_definition=request.included_data != METADATA_ONLY),
    }
    if arn.label is not None:
        answer |= {"name": workflow.name, "label": arn.label}
    if published is None:
        return answer | {"creationDate": errors.date(_created_at(service, workflow))}
    answer["creationDate"] = errors.date(published.created_at)
    return answer if published.description is None else answer | {"description": published.description}


def _described(service: Service, arn: arns.Arn) -> tuple[Workflow, PublishedVersionContext | None]:
    missing = errors.no_machine(arn.text)
    latest = service.client.deployments.latest(arn.name)
    if latest is None:
        raise missing
    if arn.qualifier is None:
        return latest, None
    number = arn.version  # an alias has none: it is described by DescribeStateMachineAlias
    published = None if number is None else service.client.resources.published_version(arn.name, number)
    if published is None:
        raise missing
    return service.client.host.workflows.get(f"{arn.name}:{published.version}"), published


def _labelled(workflow: Workflow, arn: arns.Arn) -> Workflow:
    """What a Distributed Map state runs, by the state's label. Raises ``Fault``."""
    for state in workflow.machine.by_name.values():
        if isinstance(state, MapState) and state.distributed and label_of(state) == arn.label:
            return workflow.of_map_state(state.name)
    raise errors.no_machine(arn.text)


def settings(service: Service, workflow: Workflow, *, with_definition: bool) -> dict[str, Any]:
    """What a revision consists of, as DescribeStateMachine and DescribeStateMachineForExecution show it."""
    context = workflow.context
    found: dict[str, Any] = {
        "name": workflow.name,
        "definition": workflow.definition.decode() if with_definition else "{}",
        "roleArn": workflow.role,
        **machine_settings.shown(Settings.of(context)),
    }
    if context.revision_id:
        found["revisionId"] = context.revision_id
    references = variable_references(json.loads(workflow.definition)) if with_definition else None
    return found | {"variableReferences": references} if references else found


def update_state_machine(service: Service, request: model.UpdateStateMachineInput) -> dict[str, Any]:
    """Change a state machine. What was changed is a new revision."""
    arn = unlabelled(request.state_machine_arn)
    parts = (
        request.definition,
        request.role_arn,
        request.logging_configuration,
        request.tracing_configuration,
        request.encryption_configuration,
    )
    if parts == (None,) * len(parts):
        raise errors.Fault("MissingRequiredParameter", NOTHING_TO_UPDATE)
    _check_description(request)
    resources = service.client.resources
    with resources.changing:
        latest = _changeable(service, arn)
        given = machine_settings.changed(Settings.of(latest.context), request)
        text = latest.context.definition if request.definition is None else _text(request.definition)
        machine = latest.machine if text == latest.context.definition else _compiled(service, text, latest.context.type)
        workflow, published = resources.update(
            latest,
            text,
            given,
            machine,
            publish=bool(request.publish),
            description=request.version_description,
        )
    is_new = workflow.version != latest.version
    answer: dict[str, Any] = {
        "updateDate": errors.date(workflow.context.created_at if is_new else service.client.host.clock.now())
    }
    if workflow.context.revision_id:
        answer["revisionId"] = workflow.context.revision_id
    return answer if published is None else answer | {"stateMachineVersionArn": version_arn(published)}


def delete_state_machine(service: Service, request: model.DeleteStateMachineInput) -> dict[str, Any]:
    """Delete a state machine, once its executions have ended; nothing happens if there is none."""
    arn = unlabelled(request.state_machine_arn)
    if arn.is_ours and arn.qualifier is None:
        service.client.deployments.begin_deletion(arn.name)
    return {}


def list_state_machines(service: Service, request: model.ListStateMachinesInput) -> dict[str, Any]:
    """The state machines, by name."""
    after = service.pages.read("ListStateMachines", None, request.next_token)
    most = page_size(request.max_results)
    found = service.client.resources.workflows(after, most + 1)
    items = [
        {
            "stateMachineArn": each.arn,
            "name": each.name,
            "type": each.context.type,
            "creationDate": errors.date(_created_at(service, each)),
        }
        for each in found[:most]
    ]
    if len(found) <= most:
        return {"stateMachines": items}
    return {
        "stateMachines": items,
        "nextToken": service.pages.make("ListStateMachines", None, found[most - 1].name),
    }


# what other operations need


async def resolve(service: Service, text: str) -> tuple[Workflow, str]:
    """The revision that an ARN starts, and the qualifier of its executions; an alias draws one of its versions.

    Raises ``Fault``.
    """
    arn = unlabelled(text)
    if not arn.is_ours:
        raise errors.no_machine(text)
    client = service.client
    try:
        if arn.qualifier is None:  # definitions are in memory; published versions and aliases are rows
            workflow, qualifier = client.queries.target(text)
        else:
            workflow, qualifier = await service.read(client.queries.target, text)
        if workflow.context.name in client.host.workflows.deleting:
            await asyncio.to_thread(client.deployments.check_startable, workflow)
    except WorkflowDeleting as error:
        raise errors.machine_deleting(text) from error
    except WorkflowNotFound as error:
        raise errors.no_machine(text) from error
    return workflow, qualifier


def unlabelled(text: str) -> arns.Arn:
    """The ARN of a state machine, without a label of one of its Map states. Raises ``Fault``."""
    arn = arns.parse(text, arns.MACHINE)
    if arn.label is not None:
        reason = "API_DOES_NOT_SUPPORT_LABELED_ARNS"
        raise errors.invalid(f"The operation does not take the ARN of a labeled Map state: '{text}'", reason)
    return arn


def existing(service: Service, arn: arns.Arn) -> Workflow:
    """The state machine of an ARN without version and alias. Raises ``Fault``."""
    latest = service.client.deployments.latest(arn.name) if arn.is_ours and arn.qualifier is None else None
    if latest is None:
        raise errors.no_machine(arn.text)
    return latest


def check_is_kept(workflow: Workflow, arn: str) -> None:
    """Refuse what is asked of a state machine that is being deleted."""
    if workflow.context.deleting:
        raise errors.machine_deleting(arn)


def version_arn(row: PublishedVersionContext) -> str:
    """The ARN of a published version."""
    return f"{state_machine_arn(row.workflow)}:{row.number}"


def _changeable(service: Service, arn: arns.Arn) -> Workflow:
    workflow = existing(service, arn)
    check_is_kept(workflow, arn.text)
    return workflow


def _created_at(service: Service, workflow: Workflow) -> int:
    """When a state machine was created: its first revision's time."""
    context = workflow.context
    if context.first == context.version:
        return context.created_at
    return service.client.host.workflows.get(f"{context.name}:{context.first}").context.created_at


def _check_description(request: model.CreateStateMachineInput | model.UpdateStateMachineInput) -> None:
    if request.version_description is not None and not request.publish:
        raise errors.invalid(NO_PUBLICATION)


def _compiled(service: Service, text: bytes, type: str) -> Any:
    try:
        return service.client.deployments.compiled(text, type)
    except InvalidDefinition as error:
        raise errors.Fault("InvalidDefinition", str(error)) from error


def _text(definition: str) -> bytes:
    return definition.encode("utf-8", "surrogatepass")


OPERATIONS: Mapping[str, Operation] = {
    "CreateStateMachine": in_thread(create_state_machine),
    "DescribeStateMachine": in_thread(describe_state_machine),
    "UpdateStateMachine": in_thread(update_state_machine),
    "DeleteStateMachine": in_thread(delete_state_machine),
    "ListStateMachines": in_thread(list_state_machines),
}
