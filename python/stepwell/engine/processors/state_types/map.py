"""Map: one iteration for each item; their outputs, in the order of the items, are its result (ASL A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.errors import AslError
from stepwell.asl.scope import Scope
from stepwell.asl.states.map import Items as Iterated
from stepwell.engine.log.document import Document, of_value
from stepwell.engine.log.records import ForkStateCommand, StartIterationCommand
from stepwell.engine.processors.cancellations import abort, cancel_child
from stepwell.engine.processors.context_object import expression_scope, map_scope
from stepwell.engine.processors.failures import Failure, fail
from stepwell.engine.processors.follow_ups import Items, item
from stepwell.engine.state.execution import Activity, Iteration, running_children
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import FAILED, SUCCEEDED
from stepwell.engine.storage.contexts import ActivityIterationStatus

from .distributed_map import DISTRIBUTED, THRESHOLD_EXCEEDED
from .parallel import check_outputs, finish_with

if TYPE_CHECKING:
    from stepwell.asl.states.map import MapState


class MapProcessor:
    """Waits for its iterations, of which at most ``MaxConcurrency`` run at a time."""

    def start(self, turn: Turn, activity: Activity[MapState]) -> Items:
        state = activity.state
        scope = expression_scope(turn, activity)
        most = state.max_concurrency(scope)
        items: Iterated = state.items(scope) if state.reader is None else Iterated([])
        tolerance = _tolerance(state, scope)
        if state.distributed and tolerance is not None:
            return DISTRIBUTED.start(turn, activity, items, most, *tolerance)
        document = of_value(items.values)
        count, percentage = tolerance or (0, 0.0)
        return [
            item(
                ForkStateCommand(
                    activity.id,
                    count=len(items.values),
                    items=document.text,
                    max_concurrency=most,
                    tolerated_count=count,
                    tolerated_percentage=percentage,
                    event=0,
                    previous=0,
                ),
                document,
            )
        ]

    def forked(self, turn: Turn, activity: Activity[MapState]) -> Items:
        """The items are known, and the history has MapStateStarted."""
        status = activity.iteration_status
        assert status is not None
        _check_tolerance(activity.state, expression_scope(turn, activity))
        if status.count == 0:
            return finish_with(turn, activity, [])
        return self._start_next(turn, activity, activity.forked_event)

    def iteration_started(self, turn: Turn, activity: Activity[MapState]) -> Items:
        """Start one more iteration, if one may run."""
        return self._start_next(turn, activity, activity.forked_event)

    def child_done(self, turn: Turn, activity: Activity[MapState], child: Iteration, failure: Failure | None) -> Items:
        """An iteration has ended."""
        status = activity.iteration_status
        assert status is not None
        follow: Items = abort(child) if child.status == FAILED else []
        if child.status == FAILED and failure is not None:
            state = activity.state
            if fails_state(state, status):
                tolerant = state.sets_tolerated_count or state.sets_tolerated_percentage
                for sibling in running_children(activity):
                    follow += cancel_child(sibling)
                return follow + fail(turn, activity, THRESHOLD_EXCEEDED if tolerant else failure)
        check_outputs(turn, activity, activity.output_bytes)
        if status.succeeded + status.failed == status.count:
            return follow + finish_with(turn, activity, self._outputs(activity))
        return follow + self._start_next(turn, activity, child.previous_event)

    @staticmethod
    def _outputs(activity: Activity[MapState]) -> list[Document]:
        children = activity.children or {}
        return [children[index].output for index in sorted(children) if children[index].status == SUCCEEDED]

    @staticmethod
    def _start_next(turn: Turn, activity: Activity[MapState], previous: int) -> Items:
        status = activity.iteration_status
        assert status is not None
        index = status.next_index
        if index >= status.count or (status.max_concurrency and status.running >= status.max_concurrency):
            return []
        if status.running and activity.execution.iteration_bytes >= turn.services.limits.fan_out_bytes:
            return []  # the next one starts when one of these has ended
        state = activity.state
        assert activity.items is not None
        value = activity.items.value[index]
        if state.item_identity:
            document = of_value(value)
        else:
            document = of_value(state.item_input(map_scope(activity, index), index, value))
        command = StartIterationCommand(
            f"{activity.id}/i{index}", state_name=state.name, index=index, input=None, event=0, previous=previous
        )
        return [item(command, document)]


def _tolerance(state: MapState, scope: Scope) -> tuple[int, float] | None:
    """ToleratedFailureCount and ToleratedFailurePercentage; None if one of them is wrong.

    AWS reads them once the state has started: ``forked`` raises the error.
    """
    try:
        return state.tolerated_count(scope), float(state.tolerated_percentage(scope))
    except AslError:
        return None


def _check_tolerance(state: MapState, scope: Scope) -> None:
    """Raise the error of tolerances that are wrong."""
    if state.sets_tolerated_count or state.sets_tolerated_percentage:
        state.tolerated_count(scope)
        state.tolerated_percentage(scope)


def fails_state(state: MapState, status: ActivityIterationStatus) -> bool:
    """Whether the Map state fails because one of its limits of failures is exceeded (ASL A12.63)."""
    if not (state.sets_tolerated_count or state.sets_tolerated_percentage):
        return status.failed > 0
    if state.sets_tolerated_count and status.failed > status.tolerated_count:
        return True
    return state.sets_tolerated_percentage and status.failed * 100 > status.tolerated_percentage * status.count
