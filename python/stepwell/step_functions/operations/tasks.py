"""Tasks that wait for results from elsewhere: of activities, and with tokens (API semantics, chapter 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from stepwell.engine.client.commands import ClientCommand, complete_task_with
from stepwell.engine.storage.contexts import TaskContext
from stepwell.errors import InvalidInput, InvalidToken, TaskTimedOut
from stepwell.step_functions import errors, model
from stepwell.step_functions.callers import caller
from stepwell.step_functions.documents import compacted, problem
from stepwell.step_functions.service import Operation, Service

from .activities import find_activity

POLL_SECONDS = 55.0
"""How long a poll waits for a task: AWS waits up to 60 s, which is when clients give up by default."""


async def send_task_success(service: Service, request: model.SendTaskSuccessInput) -> dict[str, Any]:
    """Complete the task of a token."""
    task, closed = None, None
    try:
        task = service.client.task_of_token(request.task_token)
    except InvalidToken as error:
        raise errors.invalid_token() from error
    except TaskTimedOut as error:  # what is wrong with the output is said first
        closed = error
    try:
        document = compacted(request.output)
    except InvalidInput as error:
        raise errors.Fault("InvalidOutput", f"Invalid Output: '{problem(request.output)}'") from error
    if task is None:
        raise errors.task_timed_out() from closed
    return await _answer(service, lambda: complete_task_with(service.client.limits, lambda: task, document))


async def send_task_failure(service: Service, request: model.SendTaskFailureInput) -> dict[str, Any]:
    """Fail the task of a token."""
    return await _answer(
        service, lambda: service.client.failure_request(request.task_token, request.error, request.cause)
    )


async def send_task_heartbeat(service: Service, request: model.SendTaskHeartbeatInput) -> dict[str, Any]:
    """Say that the work on the task of a token goes on."""
    return await _answer(service, lambda: service.client.heartbeat_request(request.task_token))


async def _answer(service: Service, make: Callable[[], ClientCommand]) -> dict[str, Any]:
    try:
        await service.ask(make())
    except InvalidToken as error:
        raise errors.invalid_token() from error
    except TaskTimedOut as error:
        raise errors.task_timed_out() from error
    return {}


async def get_activity_task(service: Service, request: model.GetActivityTaskInput) -> dict[str, Any]:
    """The next task of an activity; nothing if none comes while the poll waits."""
    find_activity(service, request.activity_arn)
    task = await service.polled(request.activity_arn, request.worker_name, POLL_SECONDS)
    if task is None or _has_left(service, task):
        return {"taskToken": None}
    return {"taskToken": task.token, "input": task.input.decode()}


def _has_left(service: Service, task: TaskContext) -> bool:
    """Whether the worker has gone that asked for a task. The task is for the next one then.

    That a worker has gone may also turn out when the answer is on its way.
    """
    client = caller.get()
    if client is None:
        return False
    give_back = partial(service.client.polls.give_back, task.queue, task)
    if client.has_left():
        give_back()
        return True
    client.unless_read(give_back)
    return False


OPERATIONS: Mapping[str, Operation] = {
    "SendTaskSuccess": send_task_success,
    "SendTaskFailure": send_task_failure,
    "SendTaskHeartbeat": send_task_heartbeat,
    "GetActivityTask": get_activity_task,
}
