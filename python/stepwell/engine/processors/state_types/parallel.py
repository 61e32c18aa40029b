"""Parallel: its branches run concurrently; their outputs, in order, are its result (ASL A11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.engine.limits import LimitExceeded
from stepwell.engine.log.document import Document, of_value
from stepwell.engine.log.records import ForkStateCommand, StartBranchCommand
from stepwell.engine.processors.cancellations import abort, cancel_child
from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.failures import Failure, fail
from stepwell.engine.processors.follow_ups import Items, complete, complete_with, item
from stepwell.engine.state.execution import Activity, Branch, running_children
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import FAILED

if TYPE_CHECKING:
    from stepwell.asl.states import MapState, ParallelState


class ParallelProcessor:
    """Waits for its branches. The first that fails cancels the others."""

    def start(self, turn: Turn, activity: Activity[ParallelState]) -> Items:
        state = activity.state
        document = (
            activity.input if state.arguments_identity else of_value(state.arguments(expression_scope(turn, activity)))
        )
        count = len(state.branches)
        return [
            item(
                ForkStateCommand(
                    activity.id,
                    count=count,
                    items=None,
                    max_concurrency=0,
                    tolerated_count=0,
                    tolerated_percentage=0.0,
                    event=0,
                    previous=0,
                )
            ),
            *(item(StartBranchCommand(f"{activity.id}/b{index}", index, None), document) for index in range(count)),
        ]

    def child_done(
        self, turn: Turn, activity: Activity[ParallelState], child: Branch, failure: Failure | None
    ) -> Items:
        """A branch has ended."""
        if child.status == FAILED and failure is not None:
            follow = abort(child)
            for sibling in running_children(activity):
                follow += cancel_child(sibling)
            return follow + fail(turn, activity, failure)
        check_outputs(turn, activity, activity.output_bytes)
        status = activity.branch_status
        assert status is not None and activity.children is not None
        if status.succeeded < status.count:
            return []
        outputs = [activity.children[index].output for index in range(status.count)]
        return finish_with(turn, activity, outputs)


def check_outputs(turn: Turn, activity: Activity, size: int) -> None:
    """Fail an execution as soon as the outputs of a state's children are too large for one document."""
    most = turn.services.limits.document_bytes
    if size > most:
        text = f"The outputs that {activity.state.name!r} gathers have {size} bytes; {most} is the most"
        raise LimitExceeded("States.DataLimitExceeded", f"{text} that there may be.")


def finish_with(turn: Turn, activity: Activity[ParallelState | MapState], outputs: list[Document]) -> Items:
    """Complete a Parallel or Map state with its children's outputs."""
    state = activity.state
    if state.result_identity:
        return complete(activity, Document(b"[" + b",".join([output.text for output in outputs]) + b"]"))
    return complete_with(activity, state.finish(expression_scope(turn, activity), [output.value for output in outputs]))
