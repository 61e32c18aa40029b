"""Wait: completes at a time (ASL A10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.engine.log.records import CreateTimerCommand
from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.follow_ups import Items, complete, complete_with, item
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.timers import WAIT
from stepwell.engine.state.turn import Turn

if TYPE_CHECKING:
    from stepwell.asl.states import WaitState


class WaitProcessor:
    """Waits for a timer. The due time is on the log, so a restart does not change it."""

    def start(self, turn: Turn, activity: Activity[WaitState]) -> Items:
        state = activity.state
        due = state.due(expression_scope(turn, activity), turn.now)
        if due <= turn.now:
            return self.resume(turn, activity)
        return [item(CreateTimerCommand(activity.id, WAIT, due))]

    def resume(self, turn: Turn, activity: Activity[WaitState]) -> Items:
        """The time has come."""
        state = activity.state
        if state.identity:
            return complete(activity, activity.input)
        return complete_with(activity, state.run(expression_scope(turn, activity)))
