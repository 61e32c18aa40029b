"""Wait: completes when its time has come (ASL A10)."""

from __future__ import annotations

from ..live import Activity
from ..records import CreateTimerCommand
from ..timers import WAIT
from ..turn import Turn
from .common import Items, complete, complete_with, item, scope_of


class WaitProcessor:
    """Rests on a timer; the deadline is on the log, so a restart never begins the wait again."""

    def start(self, turn: Turn, activity: Activity) -> Items:
        due = activity.state.due(scope_of(turn, activity), turn.now)
        if due <= turn.now:
            return self.resume(turn, activity)
        return [item(CreateTimerCommand(activity.id, WAIT, due))]

    def resume(self, turn: Turn, activity: Activity) -> Items:
        """The time has come."""
        state = activity.state
        if state.identity:
            return complete(activity, activity.input)
        return complete_with(activity, state.run(scope_of(turn, activity)))
