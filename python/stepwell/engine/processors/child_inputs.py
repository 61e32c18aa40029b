"""The inputs of a map run's next children: one item each, or batches (ASL A12.57, A12.61)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.errors import AslError
from stepwell.engine.limits import check_document
from stepwell.engine.log.document import Document, of_value
from stepwell.engine.state.child_inputs import Inputs
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.map_batches import batches_of
from stepwell.engine.state.map_run import MapItems
from stepwell.engine.state.turn import Turn

from .context_object import expression_scope, map_scope

if TYPE_CHECKING:
    from stepwell.asl.states import MapState
    from stepwell.asl.states.distributed import BatcherSpec


def next_inputs(turn: Turn, activity: Activity[MapState], children: int) -> Inputs:
    """The inputs of up to ``children`` children."""
    if activity.state.batcher is not None:
        return _batches(turn, activity, activity.state.batcher, children)
    run = activity.map_run
    assert run is not None and run.items is not None
    first, end = run.context.next_item, run.context.item_count
    documents: list[Document] = []
    bytes_left = turn.services.limits.turn_bytes
    try:
        for index in range(first, min(first + children, end)):
            documents.append(_input(turn, activity, run.items, index))
            bytes_left -= len(documents[-1].text)
            if bytes_left <= 0:
                break
    except AslError as error:
        return Inputs(documents, len(documents), (), error)
    return Inputs(documents, len(documents), (), None)


def _input(turn: Turn, activity: Activity[MapState], items: MapItems, index: int) -> Document:
    state = activity.state
    if state.item_identity:
        return items.at(index)
    document = of_value(state.item_input(map_scope(activity, index), index, items.value(index)))
    check_document(f"The input of item {index}", document.text, turn.services.limits)
    return document


def _batches(turn: Turn, activity: Activity[MapState], batcher: BatcherSpec, children: int) -> Inputs:
    run = activity.map_run
    assert run is not None and run.items is not None
    documents: list[Document] = []
    sizes: list[int] = []
    next_item, end = run.context.next_item, run.context.item_count
    try:
        batches = batches_of(batcher.evaluate(expression_scope(turn, activity)))
        bytes_left = turn.services.limits.turn_bytes
        items = run.items
        while next_item < end and len(documents) < children and bytes_left > 0:
            batch, length = batches.next(lambda index: _input(turn, activity, items, index).value, next_item, end)
            documents.append(of_value(batches.input(batch)))
            bytes_left -= length
            sizes.append(len(batch))
            next_item += len(batch)
    except AslError as error:
        return Inputs(documents, sum(sizes), tuple(sizes), error)
    return Inputs(documents, sum(sizes), tuple(sizes), None)
