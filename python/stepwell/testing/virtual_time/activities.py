"""Mocked activities: their tasks are taken and answered as a worker would."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.asl.resources import parse_resource
from stepwell.engine.log import records as r
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.status import CREATED
from stepwell.engine.storage.contexts import ActivityContext, ExecutionContext, QueueContext, TaskContext, is_held
from stepwell.tasks.calls import Call
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.work import Work

from .driver import Driver
from .handlers import TestHandlers, results_of
from .pool import Job

if TYPE_CHECKING:
    from stepwell.engine.host.host import Host

WORKER = "mock"
_MANY = 1_000_000


class MockedActivities:
    """The tasks of activities that mocks answer."""

    def __init__(self, host: Host, driver: Driver, handlers: TestHandlers, add: Callable[[Job], None]) -> None:
        self._host, self._driver, self._handlers, self._add = host, driver, handlers, add
        self._seen: set[str] = set()

    def look(self, queue: str | None = None) -> None:
        """Take the tasks of a queue, or of all, that mocks answer."""
        storage = self._host.storage
        rows = (
            storage.scan(QueueContext, limit=_MANY) if queue is None else storage.scan(QueueContext, queue, limit=_MANY)
        )
        for row in rows:
            task = None if is_held(row.queue) else storage.get(TaskContext, row.task_id)
            if task is not None and task.status == CREATED and task.id not in self._seen:
                self._consider(task)

    def _consider(self, task: TaskContext) -> None:
        call = self._call_of(task)
        if call is None:
            return
        resource, argument = parse_resource(task.resource), loads(task.input)
        registration = self._handlers.for_activity(call, resource, argument)
        if registration is not None:
            self._seen.add(task.id)
            self._add(Job(task.id, call, partial(self._do, Work(call, resource, registration, argument))))

    def _do(self, work: Work) -> None:
        """Take a task and answer it, if it is still there."""
        call = work.call
        try:
            self._host.ask(r.ActivateTaskCommand(call.id, call.resource, WORKER, 0, 0, 0))
        except Rejected:
            return
        self._driver.answer(results_of(work, _arguments(work)))

    def _call_of(self, task: TaskContext) -> Call | None:
        storage = self._host.storage
        activity = storage.get(ActivityContext, task.activity_id)
        execution = storage.get(ExecutionContext, task.execution_id)
        if activity is None or execution is None:
            return None
        workflow = self._host.workflows.get(execution.workflow_id)
        return Call(
            task.id,
            execution.id,
            activity.state_name,
            task.resource,
            task.input,
            task.attempt,
            task.token,
            task.timeout_due,
            state_machine_arn=workflow.arn,
        )


def _arguments(work: Work) -> tuple[Any, ...]:
    call = work.call
    if not work.registration.takes_context:
        return (work.argument,)
    context = HandlerContext(
        call.id, call.execution_id, call.state_name, call.resource, call.attempt, call.token, lambda task_id: None
    )
    return (work.argument, context)
