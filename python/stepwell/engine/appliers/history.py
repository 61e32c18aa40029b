"""The numbers of history events: the last one of an execution, and the one that the next of a level follows."""

from __future__ import annotations

from stepwell.engine.state.execution import Level, LiveExecution
from stepwell.engine.state.turn import Turn


def advance(turn: Turn, execution: LiveExecution, level: Level, event: int) -> None:
    """A history event happened in a level: the next one there follows it."""
    if not event:  # a task of the engine's own
        return
    execution.context.last_event = level.previous_event = event
    turn.changes[execution.id] = execution
    if level is not execution:
        turn.changes[level.id] = level
