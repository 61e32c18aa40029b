"""Fail: its level ends here, with an error of its own (ASL A2)."""

from __future__ import annotations

from ..live import Activity
from ..turn import Turn
from .common import Failure, Items, fail_level, scope_of, shortened


class FailProcessor:
    """Fails at once."""

    def start(self, turn: Turn, activity: Activity) -> Items:
        error, cause = activity.state.failure(scope_of(turn, activity))
        return fail_level(activity, Failure(shortened(error), shortened(cause)))
