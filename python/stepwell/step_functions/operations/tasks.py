"""Tasks that wait for results from elsewhere: of activities, and with tokens (API semantics, chapter 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepwell.engine.api.async_polls import AsyncPoll
from stepwell.engine.client.commands import ClientCommand, complete_task_with
from stepwell.errors import InvalidInput, InvalidToken, TaskTimedOut
from stepwell.step_functions import errors, model
from stepwell.step_functions.documents import compacted, problem
from stepwell.step_functions.service import Operation, Service, has_left

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
    poll = AsyncPoll(service.client, service.executor.bridge, request.activity_arn, request.worker_name)
    task = await poll.task(0)  # most polls of busy workers find one
    if task is None:
        task = await service.while_wanted(poll.task(POLL_SECONDS))
    if task is not None and has_left():
        service.client.polls.give_back(request.activity_arn, task)
        task = None
    if task is None:
        return {"taskToken": None}
    return {"taskToken": task.token, "input": task.input.decode()}


OPERATIONS: Mapping[str, Operation] = {
    "SendTaskSuccess": send_task_success,
    "SendTaskFailure": send_task_failure,
    "SendTaskHeartbeat": send_task_heartbeat,
    "GetActivityTask": get_activity_task,
}
