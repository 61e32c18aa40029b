"""Aliases of state machines, which route to one or two of their published versions (API semantics, chapter 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepwell.engine.arns import state_machine_arn
from stepwell.engine.client.resources import Route, routes_of
from stepwell.engine.storage.contexts import AliasContext
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.errors import Fault
from stepwell.step_functions.in_thread import in_thread
from stepwell.step_functions.service import Operation, Service, page_size

from .state_machines import check_is_kept

MOST_ALIASES = 100
_ALL = 100
"""What the weights of a routing come to."""
_WRONG_ROUTING = "INVALID_ROUTING_CONFIGURATION"


def create_state_machine_alias(service: Service, request: model.CreateStateMachineAliasInput) -> dict[str, Any]:
    """Create an alias; the same request again gives the same one."""
    name = request.name
    workflow, routes = _routing(request.routing_configuration)
    resources = service.client.resources
    with resources.changing:
        _check_routes(service, workflow, routes)
        row = resources.alias(workflow.name, name)
        if row is None:
            if len(resources.aliases(workflow.name)) >= MOST_ALIASES:
                text = f"A state machine has at most {MOST_ALIASES} aliases."
                raise Fault("ServiceQuotaExceededException", text)
            row = resources.put_alias(workflow.name, name, routes, request.description)
        elif (routes_of(row), row.description) != (routes, request.description):
            raise Fault(
                "ConflictException",
                "Failed to create alias because an alias with the same name and a different routing configuration "
                "already exists.",
            )
    return {"stateMachineAliasArn": alias_arn(row), "creationDate": errors.date(row.created_at)}


def describe_state_machine_alias(service: Service, request: model.DescribeStateMachineAliasInput) -> dict[str, Any]:
    """An alias and its routes."""
    row = _found(service, request.state_machine_alias_arn)
    machine = state_machine_arn(row.workflow)
    answer: dict[str, Any] = {
        "stateMachineAliasArn": alias_arn(row),
        "name": row.name,
        "routingConfiguration": [
            {"stateMachineVersionArn": f"{machine}:{number}", "weight": weight} for number, weight in routes_of(row)
        ],
        "creationDate": errors.date(row.created_at),
        "updateDate": errors.date(row.updated_at),
    }
    return answer if row.description is None else answer | {"description": row.description}


def update_state_machine_alias(service: Service, request: model.UpdateStateMachineAliasInput) -> dict[str, Any]:
    """Change the description or the routes of an alias."""
    given = request.routing_configuration
    if given is None and request.description is None:
        text = "Either the description or the routing configuration must be specified"
        raise errors.invalid(text, "MISSING_REQUIRED_PARAMETER")
    routing = None if given is None else _routing(given)
    resources = service.client.resources
    with resources.changing:
        row = _found(service, request.state_machine_alias_arn)
        routes = routes_of(row)
        if routing is not None:
            workflow, routes = routing
            if workflow.name != row.workflow:
                raise _of_two_machines()
            _check_routes(service, workflow, routes)
        description = row.description if request.description is None else request.description
        row = resources.put_alias(row.workflow, row.name, routes, description, row.created_at)
    return {"updateDate": errors.date(row.updated_at)}


def delete_state_machine_alias(service: Service, request: model.DeleteStateMachineAliasInput) -> dict[str, Any]:
    """Delete an alias; nothing happens if there is none. Its versions stay."""
    arn = _alias(request.state_machine_alias_arn)
    resources = service.client.resources
    with resources.changing:
        if arn.is_ours and resources.alias(arn.name, arn.qualifier or "") is not None:
            resources.delete_alias(arn.name, arn.qualifier or "")
    return {}


def list_state_machine_aliases(service: Service, request: model.ListStateMachineAliasesInput) -> dict[str, Any]:
    """The aliases of a state machine, or those that route to one of its versions, the oldest first."""
    text = request.state_machine_arn
    arn = arns.own(text, errors.no_machine, arns.MACHINE)
    workflow = service.client.deployments.latest(arn.name)
    if workflow is None or arn.label is not None or (arn.qualifier is not None and arn.version is None):
        raise errors.no_machine(text)
    check_is_kept(workflow, text)
    rows = service.client.resources.aliases(arn.name)
    if arn.version is not None:
        rows = [row for row in rows if arn.version in dict(routes_of(row))]
    after = service.pages.read("ListStateMachineAliases", text, request.next_token)
    rows = rows if after is None else [row for row in rows if _place(row) > tuple(after)]
    most = page_size(request.max_results)
    answer: dict[str, Any] = {
        "stateMachineAliases": [
            {"stateMachineAliasArn": alias_arn(row), "creationDate": errors.date(row.created_at)} for row in rows[:most]
        ]
    }
    if len(rows) > most:
        answer["nextToken"] = service.pages.make("ListStateMachineAliases", text, _place(rows[most - 1]))
    return answer


def alias_arn(row: AliasContext) -> str:
    """The ARN of an alias."""
    return f"{state_machine_arn(row.workflow)}:{row.name}"


def _place(row: AliasContext) -> tuple[int, str]:
    return (row.created_at, row.name)


def _alias(text: str) -> arns.Arn:
    arn = arns.parse(text, arns.MACHINE)
    if arn.qualifier is None or arn.label is not None:
        raise errors.invalid_arn(text)
    return arn


def _found(service: Service, text: str) -> AliasContext:
    arn = _alias(text)
    row = service.client.resources.alias(arn.name, arn.qualifier or "") if arn.is_ours else None
    if row is None:
        raise _no_such()
    return row


def _no_such() -> Fault:
    return errors.no_resource("Request references a resource that does not exist.")


def _of_two_machines() -> Fault:
    text = "Routing configuration must contain versions of one state machine, that of the alias."
    return errors.invalid(text, _WRONG_ROUTING)


def _routing(items: Sequence[model.RoutingConfigurationListItem]) -> tuple[arns.Arn, list[Route]]:
    """The state machine that a routing is of, and its routes. Raises ``Fault``."""
    given = [item.state_machine_version_arn for item in items]
    listed = f"Received: [{', '.join(given)}]"
    versions = [arns.parse(text, arns.MACHINE) for text in given]
    if any(arn.version is None or arn.label is not None for arn in versions):
        raise errors.invalid(f"Routing configuration must contain state machine version ARNs. {listed}", _WRONG_ROUTING)
    if len(set(given)) < len(given):
        text = f"Routing configuration must contain distinct state machine version ARNs. {listed}"
        raise errors.invalid(text, _WRONG_ROUTING)
    weights = [item.weight for item in items]
    if sum(weights) != _ALL:
        text = f"Sum of routing configuration weights must equal {_ALL}. Received: {weights}"
        raise errors.invalid(text, _WRONG_ROUTING)
    if len({arn.name for arn in versions}) > 1:
        raise _of_two_machines()
    return versions[0], [(arn.version or 0, weight) for arn, weight in zip(versions, weights, strict=True)]


def _check_routes(service: Service, machine: arns.Arn, routes: list[Route]) -> None:
    workflow = service.client.deployments.latest(machine.name) if machine.is_ours else None
    if workflow is None:
        raise _no_such()
    check_is_kept(workflow, workflow.arn)
    resources = service.client.resources
    if any(resources.published_version(machine.name, number) is None for number, _ in routes):
        raise _no_such()


OPERATIONS: Mapping[str, Operation] = {
    "CreateStateMachineAlias": in_thread(create_state_machine_alias),
    "DescribeStateMachineAlias": in_thread(describe_state_machine_alias),
    "UpdateStateMachineAlias": in_thread(update_state_machine_alias),
    "DeleteStateMachineAlias": in_thread(delete_state_machine_alias),
    "ListStateMachineAliases": in_thread(list_state_machine_aliases),
}
