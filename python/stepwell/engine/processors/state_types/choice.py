"""Choice: the first rule that holds determines the next state (ASL A9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.json import dumps
from stepwell.engine.log.document import of_value
from stepwell.engine.log.records import CompleteStateCommand
from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.follow_ups import Items
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import SUCCEEDED

if TYPE_CHECKING:
    from stepwell.asl.states import ChoiceState


class ChoiceProcessor:
    """Completes at once, with the next state that its rules choose."""

    def start(self, turn: Turn, activity: Activity[ChoiceState]) -> Items:
        state = activity.state
        chosen, outcome = state.choose(expression_scope(turn, activity))
        document = activity.input if state.identity else of_value(outcome.output)
        assigned = dumps(outcome.assigned) if outcome.assigned else None
        command = CompleteStateCommand(activity.id, state.name, SUCCEEDED, None, chosen, assigned, None, None, 0, 0)
        return [(command, document, 0)]
