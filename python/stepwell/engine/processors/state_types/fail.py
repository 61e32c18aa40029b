"""Fail: its level fails, with the state's error (ASL A2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.failures import Failure, fail_level, shortened
from stepwell.engine.processors.follow_ups import Items
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.turn import Turn

if TYPE_CHECKING:
    from stepwell.asl.states import FailState


class FailProcessor:
    """Fails at once."""

    def start(self, turn: Turn, activity: Activity[FailState]) -> Items:
        state = activity.state
        error, cause = state.failure(expression_scope(turn, activity))
        return fail_level(activity, Failure(shortened(error), shortened(cause)))
