"""Pass: its output is its input, changed by the state's fields (ASL A2, A3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.follow_ups import Items, complete, complete_with
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.turn import Turn

if TYPE_CHECKING:
    from stepwell.asl.states import PassState, SucceedState


class PassProcessor:
    """Completes at once."""

    def start(self, turn: Turn, activity: Activity[PassState | SucceedState]) -> Items:
        state = activity.state
        if state.identity:
            return complete(activity, activity.input)
        return complete_with(activity, state.run(expression_scope(turn, activity)))
