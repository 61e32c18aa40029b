"""Appliers: when an event is applied, they make its command's changes in the live execution and in storage.

Nothing else writes state while commands are processed. They evaluate no expression, call no service, read no clock
and draw no random number: a replay or a follower that applies the same events gets the same storage.
"""

from __future__ import annotations

from stepwell.engine.log import records as r
from stepwell.engine.state.turn import Apply

from . import children, executions, map_runs, redrive, resources, states, tasks, timers, workflows

APPLIERS: dict[type[r.Command], Apply] = {
    r.StartExecutionCommand: executions.start_execution,
    r.CompleteExecutionCommand: executions.complete_execution,
    r.CancelExecutionCommand: executions.cancel_execution,
    r.DeleteExecutionCommand: executions.delete_execution,
    r.RedriveExecutionCommand: redrive.redrive_execution,
    r.StartStateCommand: states.start_state,
    r.CompleteStateCommand: states.complete_state,
    r.RetryStateCommand: states.retry_state,
    r.FailEvaluationCommand: states.fail_evaluation,
    r.ForkStateCommand: children.fork_state,
    r.StartBranchCommand: children.start_branch,
    r.CompleteBranchCommand: children.complete_branch,
    r.StartIterationCommand: children.start_iteration,
    r.CompleteIterationCommand: children.complete_iteration,
    r.CreateTaskCommand: tasks.create_task,
    r.ActivateTaskCommand: tasks.activate_task,
    r.SubmitTaskCommand: tasks.submit_task,
    r.CompleteTaskCommand: tasks.complete_task,
    r.FailTaskCommand: tasks.complete_task,
    r.HeartbeatTaskCommand: tasks.heartbeat_task,
    r.CreateTimerCommand: timers.create_timer,
    r.TriggerTimerCommand: timers.trigger_timer,
    r.CancelTimerCommand: timers.end_timer,
    r.PutWorkflowCommand: workflows.put_workflow,
    r.DeleteWorkflowCommand: workflows.delete_workflow,
    r.PublishVersionCommand: resources.publish_version,
    r.DeletePublishedVersionCommand: resources.delete_published_version,
    r.PutAliasCommand: resources.put_alias,
    r.DeleteAliasCommand: resources.delete_alias,
    r.PutTagsCommand: resources.put_tags,
    r.PutActivityQueueCommand: resources.put_activity_queue,
    r.DeleteActivityQueueCommand: resources.delete_activity_queue,
    r.StartMapRunCommand: map_runs.start_map_run,
    r.PutMapItemsCommand: map_runs.put_map_items,
    r.StartChildrenCommand: map_runs.start_children,
    r.CompleteChildCommand: map_runs.complete_child,
    r.CompleteMapRunCommand: map_runs.complete_map_run,
    r.UpdateMapRunCommand: map_runs.update_map_run,
}
