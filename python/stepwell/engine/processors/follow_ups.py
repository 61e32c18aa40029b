"""Makes follow-up commands: enter a state, leave it for the next one, complete a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepwell.asl.json import dumps
from stepwell.engine.log.document import NONE, Document, of_value
from stepwell.engine.log.records import (
    Command,
    CompleteBranchCommand,
    CompleteExecutionCommand,
    CompleteIterationCommand,
    CompleteStateCommand,
    StartStateCommand,
)
from stepwell.engine.state.execution import Activity, Branch, Iteration, Level
from stepwell.engine.state.turn import Item
from stepwell.engine.status import SUCCEEDED

if TYPE_CHECKING:
    from stepwell.asl.outcome import Outcome

Items = list[Item]
"""Follow-up commands."""


def item(command: Command, document: Document = NONE) -> Item:
    """A follow-up command with its document."""
    return (command, document, 0)


def start_state(level: Level, state_name: str, document: Document) -> Item:
    """Enter a state of ``level``."""
    return (
        StartStateCommand(
            "",
            state_name,
            None,
            level.id if isinstance(level, Branch) else None,
            level.id if isinstance(level, Iteration) else None,
            0,
            0,
        ),
        document,
        0,
    )


def complete(activity: Activity, document: Document, assigned: dict[str, Any] | None = None) -> Items:
    """Leave a state for the next one."""
    state = activity.state
    return [
        (
            CompleteStateCommand(
                activity.id,
                state.name,
                SUCCEEDED,
                None,
                state.next,
                dumps(assigned) if assigned else None,
                None,
                None,
                0,
                0,
            ),
            document,
            0,
        )
    ]


def complete_with(activity: Activity, outcome: Outcome) -> Items:
    """Leave a state with the outcome of its paths or expressions."""
    return complete(activity, of_value(outcome.output), outcome.assigned)


def complete_level(level: Level, document: Document) -> Items:
    """Complete a level whose last state is done."""
    return [item(end_level(level, SUCCEEDED), document)]


def end_level(level: Level, status: str, error: str | None = None, cause: str | None = None) -> Command:
    """The command that ends a branch, an iteration or an execution."""
    if isinstance(level, Branch):
        return CompleteBranchCommand(level.id, status=status, output=None, error=error, cause=cause)
    if isinstance(level, Iteration):
        assert level.parent is not None
        return CompleteIterationCommand(
            level.id,
            state_name=level.parent.state.name,
            index=level.index,
            status=status,
            output=None,
            error=error,
            cause=cause,
            event=0,
            previous=0,
        )
    return CompleteExecutionCommand(level.id, status=status, output=None, error=error, cause=cause, event=0, previous=0)


def leave_state(activity: Activity, status: str, error: str | None = None, cause: str | None = None) -> Item:
    """Leave a state that did not succeed."""
    command = CompleteStateCommand(
        activity.id,
        state_name=activity.state.name,
        status=status,
        output=None,
        next=None,
        assigned=None,
        error=error,
        cause=cause,
        event=0,
        previous=0,
    )
    return item(command)
