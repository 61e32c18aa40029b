"""The numbers of history events: an execution's last one, and the one that the next event of a level follows."""

from __future__ import annotations

from stepwell.engine.state.execution import Level, LiveExecution
from stepwell.engine.state.turn import Turn


def advance(turn: Turn, execution: LiveExecution, level: Level, event: int) -> None:
    """Note a history event of a level: the next one there follows it."""
    if not event:  # the engine's own tasks have no history events
        return
    execution.context.last_event = level.previous_event = event
    turn.changes[execution.id] = execution
    if level is not execution:
        turn.changes[level.id] = level
