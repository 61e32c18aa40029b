"""A Map state's stages: its items, the input of each iteration, its limits, the failures that it tolerates."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, cast

from stepwell.asl import json
from stepwell.asl.csv_rows import CsvError, csv_rows
from stepwell.asl.errors import AslError
from stepwell.asl.flow import JSONPATH
from stepwell.asl.scope import Scope
from stepwell.asl.states import MapState
from stepwell.asl.states.distributed import ITEM_READER_FAILED
from stepwell.asl.states.map import Items, items_of_object
from stepwell.errors import InvalidInput
from stepwell.test_state.inspection import Inspection
from stepwell.test_state.request import refuse

EXCEEDED = "States.ExceedToleratedFailureThreshold"
_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


def run_map(
    state: MapState,
    scope: Scope,
    work: Callable[[Any], Any],
    failures: int,
    reader_data: str | None,
    seen: Inspection,
) -> Any:
    """The result of a Map state of whose iterations ``failures`` failed, the others being what ``work`` gives."""
    if state.query_language == JSONPATH:
        seen.show("afterInputPath", state.effective_input(scope))
    items = _items(state, scope, reader_data, seen)
    inputs = [_item_input(state, scope, index, items) for index in range(len(items.values))]
    if not state.item_identity:
        seen.show("afterItemSelector", inputs)
    inputs = _batched(state, scope, inputs, seen)
    _check_limits(state, scope, len(inputs), failures, seen)
    result = work(inputs)
    if isinstance(result, list) and not failures and len(cast("list[Any]", result)) != len(inputs):
        refuse("Input array does not equal the mocked result array's size.")
    return cast("Any", result)


def _items(state: MapState, scope: Scope, reader_data: str | None, seen: Inspection) -> Items:
    if state.reader is None:
        items: Items = state.items(scope)
        if "ItemsPath" in state.definition:
            seen.show("afterItemsPath", items.values)
        return items
    if reader_data is None:
        refuse("ItemReader data must be specified when testing a Map state with ItemReader specified.")
    request = state.reader.evaluate(scope)
    items = _read(reader_data, request.config)
    if request.max_items:
        items = items._replace(values=items.values[: request.max_items])
    if state.reader.items_pointer is not None:
        seen.show("afterItemsPointer", items.values)
    return items


def _read(data: str, config: dict[str, Any]) -> Items:
    """What an ItemReader makes of a file's text (ASL A12.60)."""
    match config.get("InputType"):
        case "CSV":
            return Items(_read_csv(data, config))
        case "JSONL":
            return Items([_load(line) for line in data.splitlines() if line.strip()])
        case _:
            return _pointed(_load(data), config.get("ItemsPointer", ""))


def _read_csv(data: str, config: dict[str, Any]) -> list[Any]:
    delimiter = _DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    try:
        rows = [row for row in csv_rows(io.StringIO(data, newline=""), delimiter) if row]
    except CsvError as error:
        raise AslError(ITEM_READER_FAILED, f"the CSV file cannot be read: {error}") from error
    headers: list[str] = (
        config.get("CSVHeaders", []) if config.get("CSVHeaderLocation") == "GIVEN" else (rows.pop(0) if rows else [])
    )
    if len(set(headers)) != len(headers):
        raise AslError(ITEM_READER_FAILED, "CSV headers cannot contain duplicates.")
    return [dict(zip(headers, [*row, *[""] * len(headers)], strict=False)) for row in rows]


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except InvalidInput as error:
        raise AslError(ITEM_READER_FAILED, "Attempting to map over non-iterable node.") from error


def _pointed(value: Any, pointer: str) -> Items:
    """The array, or the members of the object, at a JSON pointer."""
    for name in pointer.split("/")[1:]:
        key = name.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[int(key)]
        else:
            value = None
    if isinstance(value, list):
        return Items(cast("list[Any]", value))
    if isinstance(value, dict):
        return items_of_object(cast("dict[str, Any]", value))
    raise AslError(ITEM_READER_FAILED, "Attempting to map over non-iterable node.")


def _item_input(state: MapState, scope: Scope, index: int, items: Items) -> Any:
    item = items.values[index]
    shown = {"Index": index, **(item if items.are_members else {"Value": item})}
    context = {**scope.context, "Map": {"Item": shown}}
    return state.item_input(Scope(scope.input, scope.variables, lambda: context), index, item)


def _batched(state: MapState, scope: Scope, inputs: list[Any], seen: Inspection) -> list[Any]:
    """The iterations' inputs put together as the ItemBatcher says (ASL A12.61)."""
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
