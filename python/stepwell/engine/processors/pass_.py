"""Pass: the output is the input, shaped by the state's fields (ASL A2, A3)."""

from __future__ import annotations

from ..live import Activity
from ..turn import Turn
from .common import Items, complete, complete_with, scope_of


class PassProcessor:
    """Completes at once."""

    def start(self, turn: Turn, activity: Activity) -> Items:
        state = activity.state
        if state.identity:
            return complete(activity, activity.input)
        return complete_with(activity, state.run(scope_of(turn, activity)))
