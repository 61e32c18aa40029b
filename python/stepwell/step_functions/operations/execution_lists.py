"""ListExecutions: executions of a state machine, a version, an alias, or a map run (API semantics, chapter 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepwell.asl.json import loads
from stepwell.asl.states import MapState
from stepwell.engine.arns import arn_of, execution_arn, map_run_arn, qualified_arns, state_machine_arn
from stepwell.engine.client import listings
from stepwell.engine.client.listings import Asked, Page
from stepwell.engine.client.queries import Queries
from stepwell.engine.ids import execution_of
from stepwell.engine.limits import EXPRESS
from stepwell.engine.storage.contexts import ListingContext, MapRunContext
from stepwell.errors import MapRunNotFound
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.in_thread import in_thread
from stepwell.step_functions.service import Operation, Service, page_size

_NAME = "ListExecutions"
_NOT_SUPPORTED = "This operation is not supported by this type of state machine"


def list_executions(service: Service, request: model.ListExecutionsInput) -> dict[str, Any]:
    """A page of executions, the newest first."""
    _check(request)
    asked, shown = _of_map_run(service, request) if request.map_run_arn else _of_machine(service, request)
    about = request.map_run_arn or request.state_machine_arn
    filters = [about, request.status_filter, request.redrive_filter]
    position = service.pages.read(_NAME, filters, request.next_token)
    found: Page = listings.page(
        service.client.host.storage,
        asked,
        None if position is None else (position[0], position[1]),
        page_size(request.max_results),
    )
    answer: dict[str, Any] = {"executions": [_item(row) | shown(row) for row in found.rows]}
    if found.position is not None:
        answer["nextToken"] = service.pages.make(_NAME, filters, found.position)
    return answer


def _check(request: model.ListExecutionsInput) -> None:
    if request.state_machine_arn is None and request.map_run_arn is None:
        raise errors.invalid("1 validation error detected: Must provide a StateMachine ARN or MapRun ARN")
    if request.state_machine_arn is None:
        return
    if request.map_run_arn is not None:
        raise errors.invalid("1 validation error detected: Must provide a StateMachine ARN or MapRun ARN, not both")
    if request.redrive_filter is not None:
        raise errors.invalid("1 validation error detected: redriveFilter can only be given with a MapRun ARN")
    if request.status_filter == "PENDING_REDRIVE":
        raise errors.invalid("1 validation error detected: PENDING_REDRIVE can only be given with a MapRun ARN")


_Shown = Callable[[ListingContext], dict[str, Any]]
"""What an item of a list says besides ``_item``."""


def _of_machine(service: Service, request: model.ListExecutionsInput) -> tuple[Asked, _Shown]:
    text = request.state_machine_arn or ""
    arn = arns.own(text, errors.no_machine, arns.MACHINE)
    client = service.client
    workflow = client.deployments.latest(arn.name)
    if workflow is None or arn.label is not None or not _is_there(service, arn):
        raise errors.no_machine(text)
    context = workflow.context
    if context.type == EXPRESS:
        raise errors.Fault("StateMachineTypeNotSupported", _NOT_SUPPORTED)
    name = arn.name if arn.qualifier is None else f"{arn.name}:{arn.qualifier}"
    first = client.host.workflows.get(f"{arn.name}:{context.first}").context
    asked = Asked(name, request.status_filter, first=context.first, since=first.created_at)
    machine = state_machine_arn(arn.name)

    def shown(row: ListingContext) -> dict[str, Any]:
        return {
            "executionArn": execution_arn(arn.name, row.name),
            "stateMachineArn": machine,
            **qualified_arns(arn.name, row.qualifier),
        }

    return asked, shown


def _is_there(service: Service, arn: arns.Arn) -> bool:
    """Whether there is the version or the alias that an ARN names, if it names one."""
    resources = service.client.resources
    if arn.version is not None:
        return resources.published_version(arn.name, arn.version) is not None
    return arn.qualifier is None or resources.alias(arn.name, arn.qualifier) is not None


def _of_map_run(service: Service, request: model.ListExecutionsInput) -> tuple[Asked, _Shown]:
    text = request.map_run_arn or ""
    arns.own(text, _no_map_run, arns.MAP_RUN)
    queries = service.client.queries
    try:
        run = queries.lookup.map_run(text)
    except MapRunNotFound as error:
        raise _no_map_run(text) from error
    asked = Asked(listings.of_map_run(run.id), request.status_filter, request.redrive_filter)
    return asked, lambda row: _child(queries, run, row)


def _no_map_run(text: str) -> errors.Fault:
    return errors.no_resource(f"Map Run Does Not Exist: '{text}'", text)


def _child(queries: Queries, run: MapRunContext, row: ListingContext) -> dict[str, Any]:
    """Where a child belongs, and how many items it has."""
    context = queries.context(row.execution_id)
    state = queries.workflow_of(queries.context(execution_of(run.id)).workflow_id).machine.by_name[run.state_name]
    is_batch = isinstance(state, MapState) and state.batcher is not None
    return {
        "executionArn": arn_of(run.name, context.type, row.name, row.execution_id),
        "stateMachineArn": state_machine_arn(run.name),
        "mapRunArn": map_run_arn(run.name, run.id),
        "itemCount": len(loads(context.input)["Items"]) if is_batch else 1,
    }


def _item(row: ListingContext) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": row.name,
        "status": row.status,
        "startDate": errors.date(row.started_at),
        "redriveCount": row.redrive_count,
    }
    if row.stopped_at:
        item["stopDate"] = errors.date(row.stopped_at)
    if row.redriven_at:
        item["redriveDate"] = errors.date(row.redriven_at)
    return item


OPERATIONS: Mapping[str, Operation] = {_NAME: in_thread(list_executions)}
