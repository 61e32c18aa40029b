"""Nested executions: started by Task states with ``states:startExecution`` or ``aws-sdk:sfn``.

The task's handler starts the child under a name made of the task's id, so that a handler that is called again after
a crash finds the child. A task that waits for the child's end is ``Submitted`` meanwhile. It costs a row and an
entry in a table, but no thread. After a restart its handler is called again and waits for the child again. If the
task is abandoned, its child is canceled in the same batch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from stepwell.asl.json import dumps, loads
from stepwell.asl.resources import Resource, parse_resource
from stepwell.engine.arns import arn_of, execution_arn, state_machine_arn
from stepwell.engine.host.host import Host
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import CANCELED, FAILED, SUCCEEDED
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.errors import (
    ApiError,
    Busy,
    ExecutionAlreadyExists,
    ExecutionNotFound,
    InvalidInput,
    InvalidName,
    StepwellError,
    TaskError,
    WorkflowDeleting,
    WorkflowNotFound,
)
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.dispatch import Deferred
from stepwell.tasks.handlers import Handler
from stepwell.tasks.integrations import nested
from stepwell.tasks.integrations.nested import RESOURCES, Child, Target, check_parameters, target_of, workflow_of
from stepwell.tasks.integrations.sfn import PARTITIONS, service_error

from .commands import Starts, stop
from .deployments import Deployments
from .queries import Queries

BUSY_SECONDS = 0.05


class WrongType(StepwellError):
    """The call is not possible for this type of workflow."""


class WrongTestCase(StepwellError):
    """The mock file has no such test case, or there is no mock file."""


_REFUSALS: dict[type[Exception], tuple[str, str]] = {
    WorkflowDeleting: ("StateMachineDeleting", "State Machine is being deleted: '{about}'"),
    WorkflowNotFound: ("StateMachineDoesNotExist", "State Machine Does Not Exist: '{about}'"),
    ExecutionAlreadyExists: ("ExecutionAlreadyExists", "Execution Already Exists: '{about}'"),
    InvalidName: ("InvalidName", "Invalid Name: '{about}'"),
    InvalidInput: ("InvalidExecutionInput", "Invalid Execution Input: {error}"),
    WrongType: ("StateMachineTypeNotSupported", "{error}"),
    WrongTestCase: ("ValidationException", "{error}"),
}
_STATUSES = {SUCCEEDED: "SUCCEEDED", FAILED: "FAILED", CANCELED: "ABORTED"}


class NestedExecutions:
    """Starts executions for tasks, and completes the tasks that wait for their ends."""

    def __init__(self, host: Host, queries: Queries, deployments: Deployments, starts: Starts) -> None:
        self._host, self._queries, self._deployments, self._starts = host, queries, deployments, starts

    def handlers(self) -> Mapping[str, Handler]:
        """The handlers of the resources that start executions."""
        return {f"arn:{partition}:states:::{name}": self.start for partition in PARTITIONS for name in RESOURCES}

    def start(self, arguments: Any, context: HandlerContext) -> Any:
        """The handler. Returns the task's result, or ``Deferred``."""
        resource = parse_resource(context.resource)
        check_parameters(arguments, resource)
        try:
            target = target_of(arguments, context.execution_id, context.task_id)
            id = self._start(
                str(arguments["StateMachineArn"]),
                target,
                context,
                synchronous=resource.action == "startSyncExecution",
                trace_header=_trace_header(arguments, context),
            )
        except ApiError as error:  # a quota
            raise service_error(resource, error.code, error.message, context.task_id) from error
        except tuple(_REFUSALS) as error:
            code, message = _REFUSALS[type(error)]
            about = _about(error, arguments)
            raise service_error(resource, code, message.format(about=about, error=error), context.task_id) from error
        answer = nested.started(_child(self._queries.context(id)), resource, context.task_id)
        if resource.action == "startSyncExecution":
            return Deferred(None, lambda: self._watch_child(id, context.task_id, resource))
        if resource.pattern in ("sync", "sync:2"):
            return Deferred(answer, lambda: self._watch_child(id, context.task_id, resource))
        return answer

    def _start(
        self,
        workflow_name: str,
        target: Target,
        context: HandlerContext,
        *,
        synchronous: bool,
        trace_header: str | None,
    ) -> str:
        machine, marker, test_case = workflow_name.partition("#")
        workflow, qualifier = self._queries.target(machine)
        self._deployments.check_startable(workflow)
        if marker:
            self._check_test_case(workflow, test_case)
            qualifier += marker + test_case
        if context.resource.endswith(":startSyncExecution") and workflow.context.type != "EXPRESS":
            raise WrongType("This operation is not supported by this type of state machine")
        if self._host.handlers:
            self._deployments.check_handlers(workflow, is_mocked=bool(marker))
        while True:
            request = self._starts.start_with(
                workflow,
                Document(target.input),
                target.name,
                keeps_name=not target.is_named,
                synchronous=synchronous,
                started_by=context.execution_id,
                qualifier=qualifier,
                trace_header=trace_header,
            )
            try:
                scope = self._host.ask(request.command, request.document)
            except Busy:
                time.sleep(BUSY_SECONDS)
                continue
            except Exception as error:
                refusal = request.refused(error)
                if isinstance(refusal, ExecutionAlreadyExists) and self._is_ours(refusal.execution_id, target, context):
                    return str(refusal.execution_id)
                raise refusal or error from error
            assert isinstance(scope, str)
            return scope

    def _check_test_case(self, workflow: Workflow, test_case: str) -> None:
        mocks = self._host.handlers.mocks
        if mocks is None:
            raise WrongTestCase(f"'#{test_case}' is a test case of a mock file, and this engine has none")
        try:
            mocks.check(workflow.name, workflow.machine, test_case)
        except InvalidInput as error:
            raise WrongTestCase(str(error)) from error

    def _is_ours(self, child_id: str | None, target: Target, context: HandlerContext) -> bool:
        """Whether this very task started the execution that has the name, before a crash."""
        if not target.is_named:
            return True
        task = self._host.storage.get(TaskContext, context.task_id)
        child = self._host.storage.get(ExecutionContext, child_id) if child_id is not None else None
        if task is None or child is None:
            return False
        submitted = task.status == "Submitted"
        return submitted or (child.started_at >= task.created_at and loads(child.input) == loads(target.input))

    def _watch_child(self, id: str, task_id: str, resource: Resource) -> None:
        """Complete the task when the child ends. Cancel the child if the task is closed already."""
        watching = self._host.watch(id, lambda row, error: self._ended(id, row, error, task_id, resource))
        if self._host.storage.get(TaskContext, task_id) is None:  # the task was closed before the child existed
            self._host.unwatch(id, watching)
            request = stop(id, None, None)
            self._host.submit(request.command, request.document, lambda result, error: None)

    def _ended(
        self, id: str, row: ExecutionContext | None, error: BaseException | None, task_id: str, resource: Resource
    ) -> None:
        if error is not None and not isinstance(error, ExecutionNotFound):  # the engine has stopped
            return
        if row is None and error is None and not self._host.reads_wait:  # None: deleted
            with suppress(ExecutionNotFound):
                row = self._queries.context(id)
        if row is not None:
            self._complete(row, task_id, resource)
            return
        cause = f"execution {id} was deleted before its end was reported"
        command = r.FailTaskCommand(
            task_id,
            resource=resource.text,
            error="States.TaskFailed",
            cause=cause,
            timed_out=False,
            event=0,
            previous=0,
        )
        self._host.submit_results([(command, NONE)])

    def _complete(self, context: ExecutionContext, task_id: str, resource: Resource) -> None:
        try:
            output = dumps(nested.ended(_child(context), resource))
        except TaskError as error:
            command: r.Command = r.FailTaskCommand(
                task_id,
                resource=resource.text,
                error=error.error,
                cause=error.cause,
                timed_out=False,
                event=0,
                previous=0,
            )
            self._host.submit_results([(command, NONE)])
        else:
            command = r.CompleteTaskCommand(task_id, resource=resource.text, output=None, event=0, previous=0)
            self._host.submit_results([(command, Document(output))])


def _trace_header(arguments: Mapping[str, Any], context: HandlerContext) -> str | None:
    """What a child is started with: what the task says, else that of the task, if its execution is traced itself."""
    given = arguments.get("TraceHeader")
    if given is not None:
        return str(given)
    return context.trace_header if context.is_traced else None


def _about(error: Exception, arguments: dict[str, Any]) -> Any:
    """What the text of a refusal names: the state machine, the execution that has the name, or the name."""
    arn = arguments.get("StateMachineArn")
    if isinstance(error, WorkflowNotFound | WorkflowDeleting):
        return arn
    name = arguments.get("Name")
    return execution_arn(workflow_of(str(arn)), str(name)) if isinstance(error, ExecutionAlreadyExists) else name


def _child(context: ExecutionContext) -> Child:
    name = context.workflow_id.rpartition(":")[0]
    return Child(
        arn_of(name, context.type, context.name, context.id),
        state_machine_arn(name),
        context.name,
        "TIMED_OUT" if context.timed_out else _STATUSES.get(context.status, "RUNNING"),
        context.input,
        context.output,
        context.error,
        context.cause,
        context.started_at,
        context.stopped_at,
        context.redrive_count,
    )
