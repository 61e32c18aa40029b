"""Branches of Parallel states and iterations of Map states."""

from __future__ import annotations

from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import (
    CompleteBranchCommand,
    CompleteIterationCommand,
    ForkStateCommand,
    StartBranchCommand,
    StartIterationCommand,
)
from stepwell.engine.state.execution import Activity, Branch, Iteration, LiveExecution
from stepwell.engine.state.turn import Turn
from stepwell.engine.status import FAILED, RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import ActivityBranchStatus, ActivityIterationStatus, ItemsContext

from .history import advance


def fork_state(turn: Turn, command: ForkStateCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    activity = execution.activities[command.activity_id]
    activity.children = {}
    if command.items is None:
        activity.branch_status = ActivityBranchStatus(command.count)
    else:
        activity.items = Document(command.items) if document is NONE else document
        turn.create(f"{activity.id}#items", ItemsContext(activity.id, command.items))
        activity.iteration_status = ActivityIterationStatus(
            command.count, command.max_concurrency, command.tolerated_count, command.tolerated_percentage
        )
    activity.forked_event = command.event
    turn.put(activity.id, activity)
    advance(turn, execution, activity.level, command.event)


def start_branch(turn: Turn, command: StartBranchCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    activity = execution.activities[command.branch_id.rpartition("/")[0]]
    assert activity.branch_status is not None
    branch = Branch(command.branch_id, command.index, activity, document, RUNNING)
    branch.previous_event = activity.forked_event
    activity.branch_status.running += 1
    _add(turn, execution, activity, branch)


def complete_branch(turn: Turn, command: CompleteBranchCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    branch = execution.levels[command.branch_id]
    activity = branch.parent
    assert activity is not None and activity.branch_status is not None
    activity.branch_status.running -= 1
    activity.branch_status.succeeded += command.status == SUCCEEDED
    activity.level.previous_event = branch.previous_event
    _end(turn, activity, branch, command.status, document)


def start_iteration(turn: Turn, command: StartIterationCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    activity = execution.activities[command.iteration_id.rpartition("/")[0]]
    status = activity.iteration_status
    assert status is not None
    iteration = Iteration(command.iteration_id, command.index, activity, document, RUNNING)
    iteration.previous_event = execution.context.last_event = command.event
    execution.iteration_bytes += len(document.text)
    status.running += 1
    status.next_index = command.index + 1
    _add(turn, execution, activity, iteration)
    turn.put(execution.id, execution)


def complete_iteration(turn: Turn, command: CompleteIterationCommand, document: Document) -> None:
    execution = turn.execution
    assert execution is not None
    iteration = execution.levels[command.iteration_id]
    activity = iteration.parent
    assert activity is not None and activity.iteration_status is not None
    status = activity.iteration_status
    execution.iteration_bytes -= len(iteration.input.text)
    status.running -= 1
    status.succeeded += command.status == SUCCEEDED
    status.failed += command.status == FAILED
    execution.context.last_event = command.event
    # MapStateSucceeded follows MapIterationSucceeded, but no later iteration does (ASL A11.55).
    if command.status == SUCCEEDED:
        activity.level.previous_event = command.event
    elif command.status == FAILED:
        activity.level.previous_event = iteration.previous_event
    _end(turn, activity, iteration, command.status, document)
    turn.put(execution.id, execution)


def _add(turn: Turn, execution: LiveExecution, activity: Activity, child: Branch | Iteration) -> None:
    assert activity.children is not None
    activity.children[child.index] = execution.levels[child.id] = child
    turn.create(child.id, child)
    turn.put(activity.id, activity)


def _end(turn: Turn, activity: Activity, child: Branch | Iteration, status: str, output: Document) -> None:
    child.status, child.output = status, output
    child.forget()
    activity.output_bytes += len(output.text)
    turn.put(child.id, child)
    turn.put(activity.id, activity)
    turn.put(activity.level.id, activity.level)
