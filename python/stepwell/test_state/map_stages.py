"""A Map state's stages: its items, the input of each iteration, its limits, and tolerated failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from stepwell.asl import json
from stepwell.asl.errors import AslError
from stepwell.asl.flow import JSONPATH
from stepwell.asl.scope import Scope
from stepwell.asl.states import MapState
from stepwell.asl.states.distributed import STATE_DATA, ReadRequest
from stepwell.asl.states.map import Items
from stepwell.errors import TaskError
from stepwell.tasks.items.readers import Member, items_of_text
from stepwell.test_state.inspection import Inspection
from stepwell.test_state.request import refuse

EXCEEDED = "States.ExceedToleratedFailureThreshold"


def run_map(
    state: MapState,
    scope: Scope,
    work: Callable[[Any], Any],
    failures: int,
    reader_data: str | None,
    seen: Inspection,
) -> Any:
    """The result of a Map state with ``failures`` failed iterations; ``work`` gives the results of the others."""
    if state.query_language == JSONPATH:
        seen.show("afterInputPath", state.effective_input(scope))
    request = None if state.reader is None else state.reader.evaluate(scope)
    items = _items(state, scope, request, reader_data, seen)
    source = STATE_DATA if request is None else request.place
    inputs = [_item_input(state, scope, index, items, source) for index in range(len(items.values))]
    if not state.item_identity:
        seen.show("afterItemSelector", inputs)
    inputs = _batched(state, scope, inputs, seen)
    _check_limits(state, scope, len(inputs), failures, seen)
    result = work(inputs)
    if isinstance(result, list) and not failures and len(cast("list[Any]", result)) != len(inputs):
        refuse("Input array does not equal the mocked result array's size.")
    return cast("Any", result)


def _items(
    state: MapState, scope: Scope, request: ReadRequest | None, reader_data: str | None, seen: Inspection
) -> Items:
    if request is None:
        items: Items = state.items(scope)
        if "ItemsPath" in state.definition:
            seen.show("afterItemsPath", items.values)
        return items
    if reader_data is None:
        refuse("ItemReader data must be specified when testing a Map state with ItemReader specified.")
    items = _read(reader_data, request)
    if "ItemsPointer" in request.config:
        seen.show("afterItemsPointer", items.values)
    return items


def _read(data: str, request: ReadRequest) -> Items:
    """The items that an ItemReader reads from a file's text (ASL A12.60)."""
    try:
        values = items_of_text(data, request.config, request.max_items)
    except TaskError as error:
        raise AslError(error.error, error.cause) from error
    return Items(values, are_members=bool(values) and isinstance(values[0], Member))


def _item_input(state: MapState, scope: Scope, index: int, items: Items, source: str) -> Any:
    item = items.values[index]
    shown = {"Index": index, **(item if items.are_members else {"Value": item}), "Source": source}
    context = {**scope.context, "Map": {"Item": shown}}
    return state.item_input(Scope(scope.input, scope.variables, lambda: context), index, item)


def _batched(state: MapState, scope: Scope, inputs: list[Any], seen: Inspection) -> list[Any]:
    """The iterations' inputs, batched by the ItemBatcher (ASL A12.61)."""
    if state.batcher is None:
        return inputs
    request = state.batcher.evaluate(scope)
    batches: list[list[Any]] = []
    size = 0
    for item in inputs:
        item_size = len(json.dumps(item))
        full = bool(batches) and (
            len(batches[-1]) == request.max_items
            or (request.max_bytes is not None and size + item_size > request.max_bytes)
        )
        if full or not batches:
            batches.append([])
            size = 0
        batches[-1].append(item)
        size += item_size
    extra: dict[str, Any] = {} if request.batch_input is None else {"BatchInput": request.batch_input}
    return seen.show("afterItemBatcher", [{"Items": batch, **extra} for batch in batches])


def _check_limits(state: MapState, scope: Scope, count: int, failures: int, seen: Inspection) -> None:
    seen.note("maxConcurrency", state.max_concurrency(scope))
    tolerated, percentage = state.tolerated_count(scope), state.tolerated_percentage(scope)
    if state.sets_tolerated_count:
        seen.note("toleratedFailureCount", tolerated)
    if state.sets_tolerated_percentage:
        seen.note("toleratedFailurePercentage", percentage)
    if failures > count:
        refuse("Map iteration failure count must be less than or equal to the number of Map iterations")
    if failures and (failures > tolerated or failures * 100 > percentage * count):
        raise AslError(EXCEEDED, "The specified tolerated failure threshold was exceeded")
