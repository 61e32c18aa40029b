"""The table of the walk: what accepts a command, what follows it, and the event that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from .. import records as r
from . import activities, children, executions, map_runs, redrive, tasks, timers


class Step(Struct, frozen=True):
    """How a command is processed.

    ``accept(turn, command)`` numbers its history events, or says why the command cannot be done.
    ``follow(turn, command, document)`` gives the follow-up commands, once its event was applied.
    """

    accept: Callable[[Any, Any], str | None]
    follow: Callable[[Any, Any, Any], Any]
    event: type[r.Event]


def _accept_definition(turn: Any, command: r.PutWorkflowCommand) -> str | None:
    turn.hold(command.definition)
    return None


def _nothing(turn: Any, command: Any, document: Any) -> list[Any]:
    return []


STEPS: dict[type[r.Command], Step] = {
    r.StartExecutionCommand: Step(executions.accept_start, executions.started, r.ExecutionStartedEvent),
    r.CompleteExecutionCommand: Step(executions.accept_complete, executions.completed, r.ExecutionCompletedEvent),
    r.CancelExecutionCommand: Step(executions.accept_cancel, executions.canceled, r.ExecutionCancelingEvent),
    r.DeleteExecutionCommand: Step(executions.accept_delete, executions.deleted, r.ExecutionDeletedEvent),
    r.RedriveExecutionCommand: Step(redrive.accept, redrive.redriven, r.ExecutionRedrivenEvent),
    r.StartStateCommand: Step(activities.accept_start, activities.started, r.StateStartedEvent),
    r.CompleteStateCommand: Step(activities.accept_complete, activities.completed, r.StateCompletedEvent),
    r.RetryStateCommand: Step(activities.accept_running, _nothing, r.StateRetriedEvent),
    r.FailEvaluationCommand: Step(activities.accept_running, _nothing, r.EvaluationFailedEvent),
    r.ForkStateCommand: Step(children.accept_fork, children.forked, r.StateForkedEvent),
    r.StartBranchCommand: Step(children.accept_start_branch, children.branch_started, r.BranchStartedEvent),
    r.CompleteBranchCommand: Step(children.accept_complete, children.completed, r.BranchCompletedEvent),
    r.StartIterationCommand: Step(children.accept_start_iteration, children.iteration_started, r.IterationStartedEvent),
    r.CompleteIterationCommand: Step(children.accept_complete, children.completed, r.IterationCompletedEvent),
    r.CreateTaskCommand: Step(tasks.accept_create, tasks.created, r.TaskCreatedEvent),
    r.ActivateTaskCommand: Step(tasks.accept_activate, tasks.activated, r.TaskActivatedEvent),
    r.SubmitTaskCommand: Step(tasks.accept_submit, tasks.submitted, r.TaskSubmittedEvent),
    r.CompleteTaskCommand: Step(tasks.accept_complete, tasks.completed, r.TaskCompletedEvent),
    r.FailTaskCommand: Step(tasks.accept_fail, tasks.failed, r.TaskFailedEvent),
    r.HeartbeatTaskCommand: Step(tasks.accept_heartbeat, tasks.kept_alive, r.TaskHeartbeatEvent),
    r.CreateTimerCommand: Step(timers.accept_create, timers.created, r.TimerCreatedEvent),
    r.TriggerTimerCommand: Step(timers.accept_end, timers.triggered, r.TimerTriggeredEvent),
    r.CancelTimerCommand: Step(timers.accept_end, timers.canceled, r.TimerCanceledEvent),
    r.PutWorkflowCommand: Step(_accept_definition, _nothing, r.WorkflowPutEvent),
    r.StartMapRunCommand: Step(map_runs.accept_start, map_runs.started, r.MapRunStartedEvent),
    r.PutMapItemsCommand: Step(map_runs.accept_items, map_runs.items_put, r.MapItemsPutEvent),
    r.StartChildrenCommand: Step(map_runs.accept_start_children, map_runs.children_started, r.ChildrenStartedEvent),
    r.CompleteChildCommand: Step(map_runs.accept_complete_child, map_runs.child_completed, r.ChildCompletedEvent),
    r.CompleteMapRunCommand: Step(map_runs.accept_complete, map_runs.completed, r.MapRunCompletedEvent),
    r.UpdateMapRunCommand: Step(map_runs.accept_update, map_runs.updated, r.MapRunUpdatedEvent),
}
