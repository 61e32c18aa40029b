"""Continues a redriven map run: children that did not succeed continue, or start again (ASL A12.59, A16.78)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from stepwell.engine.limits import EXPRESS
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import StartChildrenCommand, StartExecutionCommand, StartMapRunCommand
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.map_run import MapRun
from stepwell.engine.state.turn import Turn

from .follow_ups import Items, item

if TYPE_CHECKING:
    from stepwell.asl.states import MapState

CHUNK = 64
"""How many children one command continues: the history of each is read."""


def run_on(run: MapRun) -> Items:
    """Continue a map run that a redrive has restored."""
    context = run.context
    return [
        item(
            StartMapRunCommand(
                run.id,
                name=context.name,
                state_name=context.state_name,
                count=context.item_count,
                max_concurrency=context.max_concurrency,
                tolerated_count=context.tolerated_count,
                tolerated_percentage=context.tolerated_percentage,
                event=0,
                previous=0,
                redrive_count=context.redrive_count,
            )
        )
    ]


def choose(turn: Turn, command: StartChildrenCommand, activity: Activity[MapState], limit: int) -> None:
    """Choose the next children that continue. In an EXPRESS processor they become new executions."""
    run = activity.map_run
    assert run is not None
    children = [run.children[first] for first in islice(run.waiting, min(limit, CHUNK))]
    command.again = tuple(child.first for child in children)
    if activity.state.execution_type == EXPRESS:
        number = turn.services.reserve_ids(turn, len(children))
        command.numbers = tuple(range(number, number + len(children)))
    turn.children = [run.child_execution(child) for child in children]  # their executions so far


def chosen(turn: Turn, command: StartChildrenCommand, activity: Activity[MapState], workflow_id: str) -> None:
    """Continue the executions of the chosen children, or start new ones in their place."""
    run = activity.map_run
    assert run is not None
    for first, before in zip(command.again, turn.children, strict=True):
        id, child_id = run.child_execution(run.children[first]), f"{run.id}/c{first}"
        old = turn.services.ended_child(before) if command.numbers else None
        if old is None:  # if that execution was deleted, the child fails
            turn.send(before, turn.services.redrive_of(before, child_id))
            continue
        # The new execution gets the name of the old one, and so its ARN, as on AWS.
        start = StartExecutionCommand(
            id,
            workflow_id=workflow_id,
            input=None,
            name=old.name,
            type=EXPRESS,
            start_at=0,
            parent_iteration_id=child_id,
            qualifier=old.qualifier,
        )
        turn.send(id, start, Document(old.input))
