"""Appliers: when an event is applied, they make its command's changes in the live execution and in storage.

Nothing else writes state while commands are processed. They evaluate no expression, call no service, read no clock
and draw no random number: a replay or a follower that applies the same events gets the same storage.
"""

from __future__ import annotations

from stepwell.engine.log.records import (
    ActivateTaskCommand,
    CancelExecutionCommand,
    CancelTimerCommand,
    Command,
    CompleteBranchCommand,
    CompleteChildCommand,
    CompleteExecutionCommand,
    CompleteIterationCommand,
    CompleteMapRunCommand,
    CompleteStateCommand,
    CompleteTaskCommand,
    CreateTaskCommand,
    CreateTimerCommand,
    DeleteExecutionCommand,
    DeleteWorkflowCommand,
    FailEvaluationCommand,
    FailTaskCommand,
    ForkStateCommand,
    HeartbeatTaskCommand,
    PutMapItemsCommand,
    PutWorkflowCommand,
    RedriveExecutionCommand,
    RetryStateCommand,
    StartBranchCommand,
    StartChildrenCommand,
    StartExecutionCommand,
    StartIterationCommand,
    StartMapRunCommand,
    StartStateCommand,
    SubmitTaskCommand,
    TriggerTimerCommand,
    UpdateMapRunCommand,
)
from stepwell.engine.state.turn import Apply

from . import children, executions, map_runs, redrive, states, tasks, timers, workflows

APPLIERS: dict[type[Command], Apply] = {
    StartExecutionCommand: executions.start_execution,
    CompleteExecutionCommand: executions.complete_execution,
    CancelExecutionCommand: executions.cancel_execution,
    DeleteExecutionCommand: executions.delete_execution,
    RedriveExecutionCommand: redrive.redrive_execution,
    StartStateCommand: states.start_state,
    CompleteStateCommand: states.complete_state,
    RetryStateCommand: states.retry_state,
    FailEvaluationCommand: states.fail_evaluation,
    ForkStateCommand: children.fork_state,
    StartBranchCommand: children.start_branch,
    CompleteBranchCommand: children.complete_branch,
    StartIterationCommand: children.start_iteration,
    CompleteIterationCommand: children.complete_iteration,
    CreateTaskCommand: tasks.create_task,
    ActivateTaskCommand: tasks.activate_task,
    SubmitTaskCommand: tasks.submit_task,
    CompleteTaskCommand: tasks.complete_task,
    FailTaskCommand: tasks.complete_task,
    HeartbeatTaskCommand: tasks.heartbeat_task,
    CreateTimerCommand: timers.create_timer,
    TriggerTimerCommand: timers.trigger_timer,
    CancelTimerCommand: timers.end_timer,
    PutWorkflowCommand: workflows.put_workflow,
    DeleteWorkflowCommand: workflows.delete_workflow,
    StartMapRunCommand: map_runs.start_map_run,
    PutMapItemsCommand: map_runs.put_map_items,
    StartChildrenCommand: map_runs.start_children,
    CompleteChildCommand: map_runs.complete_child,
    CompleteMapRunCommand: map_runs.complete_map_run,
    UpdateMapRunCommand: map_runs.update_map_run,
}
