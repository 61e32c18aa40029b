"""Map runs: listed, described and changed (API semantics, chapter 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from stepwell.errors import MapRunEnded, MapRunNotFound
from stepwell.step_functions import arns, errors, model
from stepwell.step_functions.service import Operation, Service, page_size

from .executions import find_execution

_DATES = ("startDate", "stopDate", "redriveDate")


async def list_map_runs(service: Service, request: model.ListMapRunsInput) -> dict[str, Any]:
    """The map runs of an execution, the newest first."""
    context = await service.read(find_execution, service, request.execution_arn)
    runs = await asyncio.to_thread(service.client.map_runs.of, context.id)
    last = service.pages.read("ListMapRuns", request.execution_arn, request.next_token)
    if last is not None:
        runs = [run for run in runs if (run["startDate"], run["mapRunArn"]) < tuple(last)]
    size = page_size(request.max_results)
    page = runs[:size]
    answer: dict[str, Any] = {"mapRuns": [_dated(run) for run in page]}
    if len(runs) > size:
        position = (page[-1]["startDate"], page[-1]["mapRunArn"])
        answer["nextToken"] = service.pages.make("ListMapRuns", request.execution_arn, position)
    return answer


async def describe_map_run(service: Service, request: model.DescribeMapRunInput) -> dict[str, Any]:
    """A map run, with its limits and its children counted."""
    _check(request.map_run_arn)
    try:
        return _dated(await asyncio.to_thread(service.client.map_runs.describe, request.map_run_arn))
    except MapRunNotFound as error:
        raise _missing(request.map_run_arn) from error


async def update_map_run(service: Service, request: model.UpdateMapRunInput) -> dict[str, Any]:
    """Change the limits of a map run that runs."""
    _check(request.map_run_arn)
    limits = (request.max_concurrency, request.tolerated_failure_count, request.tolerated_failure_percentage)
    if limits == (None, None, None):
        raise errors.invalid("A setting of the Map Run must be given.", "MISSING_REQUIRED_PARAMETER")
    try:
        await service.ask(await service.read(service.client.map_runs.update, request.map_run_arn, *limits))
    except MapRunNotFound as error:
        raise _missing(request.map_run_arn) from error
    except MapRunEnded as error:
        raise errors.invalid(
            "The Map Run has ended: it cannot be updated any more.", "CANNOT_UPDATE_COMPLETED_MAP_RUN"
        ) from error
    return {}


def _check(text: str) -> None:
    arns.own(text, _missing, arns.MAP_RUN)


def _missing(text: str) -> errors.Fault:
    return errors.no_resource(f"Map Run Does Not Exist: '{text}'", text)


def _dated(run: dict[str, Any]) -> dict[str, Any]:
    """The map run with its times as the API has them."""
    return run | {name: errors.date(round(run[name] * 1_000_000)) for name in _DATES if name in run}


OPERATIONS: Mapping[str, Operation] = {
    "ListMapRuns": list_map_runs,
    "DescribeMapRun": describe_map_run,
    "UpdateMapRun": update_map_run,
}
