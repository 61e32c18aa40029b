"""The handlers of the engine's own tasks in map runs: reading items and writing results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from msgspec import convert

from stepwell.asl.json import dumps
from stepwell.asl.timestamps import format_timestamp
from stepwell.engine.arns import arn_of, state_machine_arn
from stepwell.engine.ids import activity_of
from stepwell.engine.log.document import Document
from stepwell.engine.state.map_batches import Batches
from stepwell.engine.state.map_run import READ_ITEMS, WRITE_RESULTS, MapItems, MapRun
from stepwell.engine.status import FAILED, SUCCEEDED
from stepwell.engine.storage.contexts import ExecutionContext, ItemsContext, MapChildContext, MapRunContext
from stepwell.engine.storage.storage import Storage
from stepwell.tasks.handlers import Handler
from stepwell.tasks.items import ItemFiles
from stepwell.tasks.items.writers import ChildResult, Written, write_results
from stepwell.tasks.redrive_status import redrive_details


def map_tasks(storage: Storage, files: ItemFiles) -> Mapping[str, Handler]:
    """The handlers of the engine's own resources."""

    def read(asked: dict[str, Any]) -> Any:
        from stepwell.tasks.items.readers import read_items

        return read_items(files, asked)

    def write(asked: dict[str, Any]) -> Any:
        children = chain(_results(storage, asked["mapRun"]), _pending(storage, asked))
        if asked["resource"] is None:  # into the state's own output
            return _records(children)
        return write_results(files, Written(asked["arguments"], asked["config"], asked["arn"]), children)

    return {READ_ITEMS: read, WRITE_RESULTS: write}


def _records(children: Iterable[ChildResult]) -> list[Any]:
    return [child.record for child in children if child.kind == "SUCCEEDED"]


def _results(storage: Storage, run_id: str) -> Iterator[ChildResult]:
    """The children of a map run in the order of their items, as storage has them."""
    context = storage.get(MapRunContext, run_id)
    assert context is not None
    run = MapRun(context)
    rows: list[MapChildContext] = []
    after: tuple[str] | None = None
    while found := storage.scan(MapChildContext, run_id, after=after):
        rows += found
        after = (found[-1].id,)
    for row in sorted(rows, key=lambda row: row.first):
        child = storage.get(ExecutionContext, run.child_execution(row))
        if child is not None:
            yield _result(context, child)


def _pending(storage: Storage, asked: dict[str, Any]) -> Iterator[ChildResult]:
    """The children that were not started: one for each item or batch.

    The result of an ItemSelector is not known for them. So their input is not shown, and a limit in bytes is applied
    to the items themselves.
    """
    run_id = asked["mapRun"]
    run, items = storage.get(MapRunContext, run_id), storage.get(ItemsContext, activity_of(run_id))
    if run is None or items is None:
        return
    texts = MapItems(Document(items.items))
    batches = None if asked["batches"] is None else convert(asked["batches"], Batches)
    index = run.next_item
    while index < run.item_count:
        if batches is None:
            yield _pending_child(run, texts.at(index).text if asked["shows"] else None)
            index += 1
            continue
        batch, _ = batches.next(texts.value, index, run.item_count)
        yield _pending_child(run, dumps(batches.input(batch)) if asked["shows"] else None)
        index += len(batch)


def _pending_child(run: MapRunContext, input: bytes | None) -> ChildResult:
    record: dict[str, Any] = {"InputDetails": {"Included": input is not None}, "Status": "PENDING"}
    if input is not None:
        record["Input"] = input.decode()
    record["StateMachineArn"] = state_machine_arn(run.name)
    return ChildResult("PENDING", b"", dict(sorted(record.items())))


def _result(run: MapRunContext, child: ExecutionContext) -> ChildResult:
    status = "TIMED_OUT" if child.timed_out else _STATUSES[child.status]
    record: dict[str, Any] = {
        "ExecutionArn": arn_of(run.name, child.type, child.name, child.id),
        "Input": child.input.decode(),
        "InputDetails": {"Included": True},
        "Name": child.name,
        **redrive_details(status, child.redrive_count, redrivable="REDRIVABLE_BY_MAP_RUN"),
        "StartDate": format_timestamp(child.started_at),
        "StateMachineArn": state_machine_arn(run.name),
        "Status": status,
        "StopDate": format_timestamp(child.stopped_at),
    }
    if child.status == SUCCEEDED:
        record |= {"Output": child.output.decode(), "OutputDetails": {"Included": True}}
    for name, text in (("Error", child.error), ("Cause", child.cause)):
        if text is not None:
            record[name] = text
    kind = "SUCCEEDED" if child.status == SUCCEEDED else "FAILED"
    return ChildResult(kind, child.output, dict(sorted(record.items())))


_STATUSES = {SUCCEEDED: "SUCCEEDED", FAILED: "FAILED", "Canceled": "ABORTED"}
