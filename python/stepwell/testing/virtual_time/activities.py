"""Mocked activities: their tasks are taken and answered as a worker would."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from stepwell.asl.json import loads
from stepwell.asl.resources import parse_resource
from stepwell.engine.arns import arn_of
from stepwell.engine.log import records as r
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.status import CREATED
from stepwell.engine.storage.contexts import ActivityContext, ExecutionContext, QueueContext, TaskContext, is_held
from stepwell.tasks.calls import Call
from stepwell.tasks.work import Work

from .handlers import TestHandlers
from .pool import DrivenPool

if TYPE_CHECKING:
    from stepwell.engine.host.host import Host

WORKER = "mock"
_MANY = 1_000_000


class MockedActivities:
    """The tasks of activities that mocks answer."""

    def __init__(self, host: Host, handlers: TestHandlers, pool: DrivenPool) -> None:
        self._host, self._handlers, self._pool = host, handlers, pool
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
            self._pool.add(Work(call, resource, registration, argument), partial(self._is_taken, call))

    def _is_taken(self, call: Call) -> bool:
        """Take a task, if it is still there."""
        try:
            self._host.ask(r.ActivateTaskCommand(call.id, call.resource, WORKER, 0, 0, 0))
        except Rejected:
            return False
        return True

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
            execution_arn=arn_of(workflow.name, execution.type, execution.name, execution.id),
            state_machine_arn=workflow.arn,
            started_at=execution.started_at,
            trace_header=execution.trace_header,
        )
