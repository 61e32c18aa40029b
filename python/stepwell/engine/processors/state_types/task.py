"""Task: asks for work and completes with its result (ASL A8, A15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.json import dumps
from stepwell.engine.log.document import Document, of_value
from stepwell.engine.log.records import ActivateTaskCommand, CreateTaskCommand, CreateTimerCommand
from stepwell.engine.processors.context_object import expression_scope
from stepwell.engine.processors.follow_ups import Items, complete, complete_with, item
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.timers import HEARTBEAT, TASK_TIMEOUT
from stepwell.engine.state.turn import Turn
from stepwell.engine.storage.contexts import HELD

if TYPE_CHECKING:
    from stepwell.asl.states import TaskState

SECOND = 1_000_000


class TaskProcessor:
    """Waits for a task: for a handler of this process, or for a worker that polls."""

    def start(self, turn: Turn, activity: Activity[TaskState]) -> Items:
        state = activity.state
        services = turn.services
        resource = state.parsed
        id = services.task_id(activity.execution.id, resource.text)
        polled = resource.kind == "activity"
        # Every integration that waits has a token in its Context Object. With .sync it is not used.
        token = services.task_token(id) if polled or resource.pattern else None
        scope = None
        if state.arguments_identity:
            document = activity.input
        else:
            scope = expression_scope(turn, activity, token)
            document = of_value(state.arguments(scope))
        timeout = heartbeat = credentials = None
        if state.has_limits:
            scope = scope or expression_scope(turn, activity, token)
            timeout, heartbeat = state.timeout_seconds(scope), state.heartbeat_seconds(scope)
            granted = state.credentials(scope)
            credentials = dumps(granted) if granted is not None else None
        if polled:
            queue = resource.text
        elif services.handler_limits:  # few programs have any
            queue = services.queue_of(activity.execution.id, resource, document)
        else:
            queue = "" if services.admits(len(document.text)) else HELD
        follow: Items = [
            (
                CreateTaskCommand(
                    id,
                    activity.id,
                    resource.text,
                    None,
                    queue,
                    activity.attempt,
                    token if polled or resource.waits_for_token else None,
                    timeout,
                    heartbeat,
                    0,
                    0,
                    credentials,
                ),
                document,
                0,
            )
        ]
        if not queue:
            follow.append(item(ActivateTaskCommand(id, resource.text, None, 0, 0, 0)))
        if timeout is not None:
            follow.append(item(CreateTimerCommand(id, TASK_TIMEOUT, turn.now + timeout * SECOND)))
        if heartbeat is not None and token is None:  # with a token: once the call returned, or a worker has it
            follow.append(item(CreateTimerCommand(id, HEARTBEAT, turn.now + heartbeat * SECOND)))
        return follow

    def finish(self, turn: Turn, activity: Activity[TaskState], result: Document) -> Items:
        """The task has its result."""
        state = activity.state
        if state.result_identity:
            return complete(activity, result)
        return complete_with(activity, state.finish(expression_scope(turn, activity), result.value))
