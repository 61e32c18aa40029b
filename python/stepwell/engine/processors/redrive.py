"""Redrive: the states that did not succeed are started again (ASL A16.78)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.errors import AslError
from stepwell.engine.ids import execution_of
from stepwell.engine.log.codec import Left, decode_left
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import CompleteChildCommand, CreateTimerCommand, RedriveExecutionCommand
from stepwell.engine.processors.state_types.by_type import MAP
from stepwell.engine.processors.state_types.parallel import finish_with
from stepwell.engine.state.execution import Activity, Level, is_map, is_parallel
from stepwell.engine.state.timers import EXECUTION_TIMEOUT
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import CANCELED, FAILED, RUNNING
from stepwell.engine.storage.redrive_tokens import redriven_with

from . import states
from .executions import SECOND
from .failures import fail, failure_of
from .follow_ups import Items, complete_level, item, start_state
from .map_redrive import run_on

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine


def accept(turn: Turn, command: RedriveExecutionCommand) -> str | None:
    reason = _refusal(turn, command)
    if reason is None:
        assert turn.execution is not None
        command.previous = turn.execution.previous_event
        turn.hold(command.tree, command.left)
    elif command.child_id is not None:  # its map run is waiting for it
        turn.send(execution_of(command.child_id), CompleteChildCommand(command.child_id, FAILED, None))
    return reason


def _refusal(turn: Turn, command: RedriveExecutionCommand) -> str | None:
    execution = turn.execution
    if execution is None or execution.status not in (FAILED, CANCELED):
        return "only an execution that failed, timed out or was stopped can be redriven"
    if execution.context.parent_iteration_id != command.child_id:
        return "a child of a map run is redriven with its parent"
    if execution.context.type != "STANDARD":
        return "an EXPRESS execution cannot be redriven"
    if command.child_id is None and not turn.state.workflows.has(execution.workflow.id):
        return "its workflow was deleted"
    if command.event != execution.context.last_event + 1:
        return "it was redriven meanwhile"
    token = command.client_token
    if token is not None and redriven_with(execution.context.redrive_tokens, token, turn.now) is not None:
        return "it was redriven with this token"
    return None


def redriven(turn: Turn, command: RedriveExecutionCommand, document: Document) -> Items:
    execution = turn.execution
    assert execution is not None
    machine = execution.machine
    left = {each.id: each for each in decode_left(command.left)}
    follow = _resume(turn, execution, machine.start_at, left)
    seconds = turn.services.longest_seconds(execution.context.type, machine.timeout_seconds)
    if seconds is not None:
        due = turn.now + seconds * SECOND
        follow.insert(0, item(CreateTimerCommand(execution.id, EXECUTION_TIMEOUT, due)))
    return follow


def _resume(turn: Turn, level: Level, start_at: str, left: dict[str, Left]) -> Items:
    """Continue a level: with its running state, with the state after the one that it left, or with its first state."""
    activity = level.current
    if activity is None:
        last = left.get(level.id)
        if last is None:
            return [start_state(level, start_at, level.input)]
        output = Document(last.output)
        return complete_level(level, output) if last.next is None else [start_state(level, last.next, output)]
    if activity.map_run is not None:
        return run_on(activity.map_run)
    if activity.children is None:
        return states.begin(turn, activity)
    running = 0
    follow: Items = []
    for index, child in sorted(activity.children.items()):
        if child.status == RUNNING:
            follow += _resume(turn, child, _machine(activity, index).start_at, left)
            running += 1
    try:
        return follow + _go_on(turn, activity, running)
    except AslError as error:
        return follow + fail(turn, activity, failure_of(activity, error))


def _machine(activity: Activity, index: int) -> StateMachine:
    """The machine of a branch or an iteration."""
    if is_parallel(activity):
        return activity.state.branches[index]
    assert is_map(activity)
    return activity.state.processor


def _go_on(turn: Turn, activity: Activity, running: int) -> Items:
    """Start iterations that were not started yet. If no child is left to run, finish the state again."""
    assert activity.children is not None
    status = activity.iteration_status
    if status is not None and status.next_index < status.count:
        assert is_map(activity)
        return MAP.iteration_started(turn, activity)
    if running:
        return []
    assert is_parallel(activity) or is_map(activity)
    return finish_with(turn, activity, [child.output for _, child in sorted(activity.children.items())])
