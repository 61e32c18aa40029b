"""The table of commands: what accepts a command, what follows it, and the event that answers it."""

from __future__ import annotations

from msgspec import Struct

from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.state.turn import Accept, Follow, Item, Turn

from . import children, executions, map_runs, redrive, resources, states, tasks, timers, workflows


class CommandProcessor(Struct, frozen=True):
    """How a command is processed."""

    accept: Accept
    follow: Follow
    event: type[r.Event]


def _nothing(turn: Turn, command: r.Command, document: Document) -> list[Item]:
    return []


COMMAND_PROCESSORS: dict[type[r.Command], CommandProcessor] = {
    r.StartExecutionCommand: CommandProcessor(executions.accept_start, executions.started, r.ExecutionStartedEvent),
    r.CompleteExecutionCommand: CommandProcessor(
        executions.accept_complete, executions.completed, r.ExecutionCompletedEvent
    ),
    r.CancelExecutionCommand: CommandProcessor(
        executions.accept_cancel, executions.canceled, r.ExecutionCancelingEvent
    ),
    r.DeleteExecutionCommand: CommandProcessor(executions.accept_delete, executions.deleted, r.ExecutionDeletedEvent),
    r.RedriveExecutionCommand: CommandProcessor(redrive.accept, redrive.redriven, r.ExecutionRedrivenEvent),
    r.StartStateCommand: CommandProcessor(states.accept_start, states.started, r.StateStartedEvent),
    r.CompleteStateCommand: CommandProcessor(states.accept_complete, states.completed, r.StateCompletedEvent),
    r.RetryStateCommand: CommandProcessor(states.accept_running, _nothing, r.StateRetriedEvent),
    r.FailEvaluationCommand: CommandProcessor(states.accept_running, _nothing, r.EvaluationFailedEvent),
    r.ForkStateCommand: CommandProcessor(children.accept_fork, children.forked, r.StateForkedEvent),
    r.StartBranchCommand: CommandProcessor(children.accept_start_branch, children.branch_started, r.BranchStartedEvent),
    r.CompleteBranchCommand: CommandProcessor(children.accept_complete, children.completed, r.BranchCompletedEvent),
    r.StartIterationCommand: CommandProcessor(
        children.accept_start_iteration, children.iteration_started, r.IterationStartedEvent
    ),
    r.CompleteIterationCommand: CommandProcessor(
        children.accept_complete, children.completed, r.IterationCompletedEvent
    ),
    r.CreateTaskCommand: CommandProcessor(tasks.accept_create, tasks.created, r.TaskCreatedEvent),
    r.ActivateTaskCommand: CommandProcessor(tasks.accept_activate, tasks.activated, r.TaskActivatedEvent),
    r.SubmitTaskCommand: CommandProcessor(tasks.accept_submit, tasks.submitted, r.TaskSubmittedEvent),
    r.CompleteTaskCommand: CommandProcessor(tasks.accept_complete, tasks.completed, r.TaskCompletedEvent),
    r.FailTaskCommand: CommandProcessor(tasks.accept_fail, tasks.failed, r.TaskFailedEvent),
    r.HeartbeatTaskCommand: CommandProcessor(tasks.accept_heartbeat, tasks.kept_alive, r.TaskHeartbeatEvent),
    r.CreateTimerCommand: CommandProcessor(timers.accept_create, timers.created, r.TimerCreatedEvent),
    r.TriggerTimerCommand: CommandProcessor(timers.accept_end, timers.triggered, r.TimerTriggeredEvent),
    r.CancelTimerCommand: CommandProcessor(timers.accept_end, timers.canceled, r.TimerCanceledEvent),
    r.PutWorkflowCommand: CommandProcessor(workflows.accept_put, workflows.put, r.WorkflowPutEvent),
    r.DeleteWorkflowCommand: CommandProcessor(workflows.accept_delete, _nothing, r.WorkflowDeletedEvent),
    r.PublishVersionCommand: CommandProcessor(resources.accept_publish, _nothing, r.VersionPublishedEvent),
    r.DeletePublishedVersionCommand: CommandProcessor(resources.accept, _nothing, r.PublishedVersionDeletedEvent),
    r.PutAliasCommand: CommandProcessor(resources.accept_alias, _nothing, r.AliasPutEvent),
    r.DeleteAliasCommand: CommandProcessor(resources.accept, _nothing, r.AliasDeletedEvent),
    r.PutTagsCommand: CommandProcessor(resources.accept_tags, _nothing, r.TagsPutEvent),
    r.PutActivityQueueCommand: CommandProcessor(resources.accept_activity_queue, _nothing, r.ActivityQueuePutEvent),
    r.DeleteActivityQueueCommand: CommandProcessor(resources.accept, _nothing, r.ActivityQueueDeletedEvent),
    r.StartMapRunCommand: CommandProcessor(map_runs.accept_start, map_runs.started, r.MapRunStartedEvent),
    r.PutMapItemsCommand: CommandProcessor(map_runs.accept_items, map_runs.items_put, r.MapItemsPutEvent),
    r.StartChildrenCommand: CommandProcessor(
        map_runs.accept_start_children, map_runs.children_started, r.ChildrenStartedEvent
    ),
    r.CompleteChildCommand: CommandProcessor(
        map_runs.accept_complete_child, map_runs.child_completed, r.ChildCompletedEvent
    ),
    r.CompleteMapRunCommand: CommandProcessor(map_runs.accept_complete, map_runs.completed, r.MapRunCompletedEvent),
    r.UpdateMapRunCommand: CommandProcessor(map_runs.accept_update, map_runs.updated, r.MapRunUpdatedEvent),
}
