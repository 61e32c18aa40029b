"""Parallel: its branches run side by side; their outputs, in order, are its result (ASL A11)."""

from __future__ import annotations

from ..documents import Document, of_value
from ..live import Activity, Branch, descendants
from ..records import ForkStateCommand, StartBranchCommand
from ..status import FAILED
from ..turn import LimitExceeded, Turn
from .common import Failure, Items, abort, cancel_child, complete, complete_with, fail, item, scope_of


class ParallelProcessor:
    """Rests on its branches; the first that fails ends the others."""

    def start(self, turn: Turn, activity: Activity) -> Items:
        state = activity.state
        document = activity.input if state.arguments_identity else of_value(state.arguments(scope_of(turn, activity)))
        count = len(state.branches)
        return [
            item(ForkStateCommand(activity.id, count, None, 0, 0, 0.0, 0, 0)),
            *(item(StartBranchCommand(f"{activity.id}/b{index}", index, None), document) for index in range(count)),
        ]

    def child_done(self, turn: Turn, activity: Activity, child: Branch, failure: Failure | None) -> Items:
        """A branch has ended."""
        if child.status == FAILED and failure is not None:
            follow = abort(child)
            for sibling in descendants(activity):
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
    """Fail an execution as soon as the outputs of a state's children cannot be one document any more."""
    most = turn.services.limits.document_bytes
    if size > most:
        text = f"The outputs that {activity.state.name!r} gathers have {size} bytes; {most} is the most"
        raise LimitExceeded("States.DataLimitExceeded", f"{text} that there may be.")


def finish_with(turn: Turn, activity: Activity, outputs: list[Document]) -> Items:
    """Complete a Parallel or Map state with its children's outputs."""
    state = activity.state
    if state.result_identity:
        return complete(activity, Document(b"[" + b",".join([output.text for output in outputs]) + b"]"))
    return complete_with(activity, state.finish(scope_of(turn, activity), [output.value for output in outputs]))
