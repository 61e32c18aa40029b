"""A map run that runs on: the children that did not succeed are run on, or run anew (ASL A12.59, A16.78)."""

from __future__ import annotations

from itertools import islice

from stepwell.engine.limits import EXPRESS
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import StartChildrenCommand, StartExecutionCommand, StartMapRunCommand
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.map_run import MapRun
from stepwell.engine.state.turn import Turn

from .follow_ups import Items, item

CHUNK = 64
"""How many children one command runs on: for each of them its history is read."""


def run_on(run: MapRun) -> Items:
    """Have a map run go on that a redrive has put back."""
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


def choose(turn: Turn, command: StartChildrenCommand, activity: Activity, room: int) -> None:
    """Choose the next children that are to run on. Those of an EXPRESS processor become executions of their own."""
    run = activity.map_run
    assert run is not None
    children = [run.children[first] for first in islice(run.waiting, min(room, CHUNK))]
    command.again = tuple(child.first for child in children)
    if activity.state.execution_type == EXPRESS:
        number = turn.services.reserve_ids(turn, len(children))
        command.numbers = tuple(range(number, number + len(children)))
    turn.target = [run.child_execution(child) for child in children]  # as which they ran so far


def chosen(turn: Turn, command: StartChildrenCommand, activity: Activity, workflow_id: str) -> None:
    """Tell the chosen children's executions to run on, or start new ones in their place."""
    run = activity.map_run
    assert run is not None
    for first, before in zip(command.again, turn.target, strict=True):
        id, child_id = run.child_execution(run.children[first]), f"{run.id}/c{first}"
        old = turn.services.ended_child(before) if command.numbers else None
        if old is None:  # where there is no such execution any more, it answers that it failed
            turn.send(before, turn.services.redrive_of(before, child_id))
            continue
        # A new execution in place of an old one bears its name, and so its ARN, as on AWS.
        start = StartExecutionCommand(
            id,
            workflow_id=workflow_id,
            input=None,
            name=old.name,
            type=EXPRESS,
            start_at=0,
            parent_iteration_id=child_id,
        )
        turn.send(id, start, Document(old.input))
