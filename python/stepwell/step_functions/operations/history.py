"""GetExecutionHistory: the events of an execution, a page at a time, from either end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from stepwell.step_functions import errors, model
from stepwell.step_functions.service import Operation, Service, page_size

from .executions import find_execution


async def get_execution_history(service: Service, request: model.GetExecutionHistoryInput) -> dict[str, Any]:
    """A page of events. A page's token names the event that it ends with."""
    context = await service.read(partial(find_execution, service, request.execution_arn, children=True))
    is_reverse, size = bool(request.reverse_order), page_size(request.max_results)
    filters = (request.execution_arn, is_reverse, request.include_execution_data)
    after = service.pages.read("GetExecutionHistory", filters, request.next_token) or 0
    read = partial(
        service.client.queries.history,
        context.id,
        size + 1,
        reverse=is_reverse,
        after=after,
        include_data=request.include_execution_data is not False,
    )
    events = await asyncio.to_thread(read)
    page = [{**event, "timestamp": errors.date(round(event["timestamp"] * 1_000_000))} for event in events[:size]]
    if len(events) <= size:
        return {"events": page}
    return {"events": page, "nextToken": service.pages.make("GetExecutionHistory", filters, page[-1]["id"])}


OPERATIONS: Mapping[str, Operation] = {"GetExecutionHistory": get_execution_history}
