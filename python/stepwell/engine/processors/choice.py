"""Choice: the first rule that holds says where to go (ASL A9)."""

from __future__ import annotations

from stepwell.asl.json import dumps

from ..documents import of_value
from ..live import Activity
from ..records import CompleteStateCommand
from ..status import SUCCEEDED
from ..turn import Turn
from .common import Items, scope_of


class ChoiceProcessor:
    """Completes at once, for the state that its rules choose."""

    def start(self, turn: Turn, activity: Activity) -> Items:
        state = activity.state
        chosen, outcome = state.choose(scope_of(turn, activity))
        document = activity.input if state.identity else of_value(outcome.output)
        assigned = dumps(outcome.assigned) if outcome.assigned else None
        command = CompleteStateCommand(activity.id, state.name, SUCCEEDED, None, chosen, assigned, None, None, 0, 0)
        return [(command, document, 0)]
