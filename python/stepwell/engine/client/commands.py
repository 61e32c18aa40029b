"""The commands that a program can give: each with its checks, and the error for its refusal."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from stepwell import _core
from stepwell.engine.host.host import Host
from stepwell.engine.host.promises import Callback
from stepwell.engine.ids import own_name
from stepwell.engine.limits import CAUSE_CHARACTERS, ERROR_CHARACTERS, STANDARD, Limits, check_length, check_payload
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.partition.inbox import NameTaken, Rejected
from stepwell.engine.quoting import shown
from stepwell.engine.replay.map_run_redrive import is_settled
from stepwell.engine.replay.redrive import redrive_command, redrive_problem
from stepwell.engine.state.workflows import IS_BEING_DELETED, Workflow
from stepwell.engine.status import CANCELED, FAILED
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.engine.storage.task_tokens import CLOSED, TaskOfToken
from stepwell.errors import (
    ExecutionAlreadyExists,
    ExecutionRunning,
    InvalidInput,
    NotRedrivable,
    StepwellError,
    TaskTimedOut,
    WorkflowDeleting,
    WorkflowNotFound,
)

from .arguments import check_name, document_text, optional_text, start_time
from .quotas import Quota

EMPTY_INPUT = b"{}"
SETTLING_SECONDS = 30.0
"""How long a redrive waits for child executions that are being stopped."""
POLL_SECONDS = 0.005


AnyTask: TypeAlias = TaskContext | TaskOfToken
"""A task, or what a token says of one."""
IfExists: TypeAlias = Literal["return", "raise"]
"""What a start does whose name is taken: it returns the execution that has the name, or it raises."""


class ClientCommand(NamedTuple):
    """A command for the inbox. ``refusal`` makes the error of a refusal; None: a refusal is not an error."""

    command: r.Command
    document: Document = NONE
    refusal: Callable[[Rejected | NameTaken], StepwellError] | None = None
    if_exists: IfExists | None = None
    """What becomes of a start whose name is taken; None: as on AWS."""

    def refused(self, error: BaseException) -> BaseException | None:
        """The error that the program gets: that of a refusal, none, or an error of the engine unchanged."""
        if not isinstance(error, Rejected | NameTaken):
            return error
        return None if self.refusal is None else self.refusal(error)

    def with_refusals(self, deliver: Callback) -> Callback:
        """``deliver``, with refusals in the program's words."""
        return lambda result, error: deliver(*self._answer(result, error))

    def settled(self, result: Any, error: BaseException | None = None) -> Any:
        """The result that the program gets. Raises the error that it gets."""
        result, error = self._answer(result, error)
        if error is not None:
            raise error
        return result

    def _answer(self, result: Any, error: BaseException | None) -> tuple[Any, BaseException | None]:
        if self.if_exists is None or not isinstance(error, NameTaken | None):
            return result, None if error is None else self.refused(error)
        command = self.command
        assert isinstance(command, r.StartExecutionCommand)
        found = result if error is None else error.execution_id
        if self.if_exists == "return" or found == command.id:
            return found, None
        return None, ExecutionAlreadyExists(f"the name {command.name!r} belongs to execution {found}", found)


class Starts:
    """Makes the commands that start executions, each with an id of its own."""

    def __init__(self, host: Host, limits: Limits, quota: Quota) -> None:
        self._host, self._limits, self.quota = host, limits, quota
        self.last: str | None = None
        """The id of the execution that was started last."""

    def start(
        self,
        workflow: Workflow,
        input: Any,
        name: str | None,
        delay: float | None,
        at: float | datetime | None,
        *,
        if_exists: IfExists | None = None,
        synchronous: bool = False,
        qualifier: str = "",
        trace_header: str | None = None,
    ) -> ClientCommand:
        """Start an execution of ``workflow``."""
        if if_exists is not None and (if_exists not in ("return", "raise") or name is None):
            raise InvalidInput(f"if_exists is 'return' or 'raise', for a name that is given, not {shown(if_exists)}")
        document = EMPTY_INPUT if input is None else document_text("the input", input)
        check_payload("the input", document, self._limits)
        due = start_time(delay, at, self._host.clock.now)
        command = self.start_with(
            workflow,
            Document(document),
            name,
            due,
            keeps_name=if_exists is not None,
            synchronous=synchronous,
            qualifier=qualifier,
            trace_header=trace_header,
        )
        return command if if_exists is None else command._replace(if_exists=if_exists)

    def start_with(
        self,
        workflow: Workflow,
        input: Document,
        name: str | None,
        due: int = 0,
        keeps_name: bool = False,
        synchronous: bool = False,
        started_by: str | None = None,
        qualifier: str = "",
        trace_header: str | None = None,
    ) -> ClientCommand:
        """Start an execution with an input that was checked, at ``due`` (microseconds; 0: now).

        A name starts one execution only, unless the workflow is EXPRESS; with ``keeps_name`` also there.
        ``synchronous``: the caller waits for its end, as StartSyncExecution's does. ``started_by`` is the execution
        whose task starts it. Raises ``ApiError`` if too many executions are open.
        """
        if name is not None:
            check_name("an execution", name)
        type = workflow.context.type
        if type == STANDARD:
            self.quota.take()
        # Executions of one name must be in one partition. Without a name, the last id decides the partition.
        key = f"{workflow.name}/{name}" if name is not None else self.last or self._host.first_key
        host = self._host
        tick = host.tick()
        self.last = id = _core.execution_id(host.tenant, host.namespace, _core.hash7(key), tick)
        given = name if name is not None else own_name(id)
        idempotent = name is not None and (keeps_name or type == STANDARD)  # ASL A16.74
        command = r.StartExecutionCommand(
            id,
            workflow_id=workflow.id,
            input=None,
            name=given,
            type=type,
            start_at=due,
            parent_iteration_id=None,
            idempotent=idempotent,
            synchronous=synchronous,
            started_by=started_by,
            qualifier=qualifier,
            trace_header=trace_header,
        )
        return ClientCommand(command, input, _taken)


def _taken(error: Rejected | NameTaken) -> StepwellError:
    if isinstance(error, Rejected):  # the workflow was deleted meanwhile
        return (WorkflowDeleting if IS_BEING_DELETED in str(error) else WorkflowNotFound)(str(error))
    return ExecutionAlreadyExists(
        f"{error}; a name can be used again only with the same input, while its execution runs", error.execution_id
    )


def stop(id: str, error: str | None, cause: str | None) -> ClientCommand:
    """Cancel an execution. If it has ended, nothing happens."""
    return ClientCommand(
        r.CancelExecutionCommand(id, optional_text("an error", error), optional_text("a cause", cause))
    )


def delete(id: str) -> ClientCommand:
    """Remove an ended execution."""
    refusal = ExecutionRunning(f"execution {id} has not ended: stop it, or wait for its end, before it is deleted")
    return ClientCommand(r.DeleteExecutionCommand(id), NONE, partial(_always, refusal))


def redrive(
    host: Host, limits: Limits, workflow: Workflow, context: ExecutionContext, client_token: str | None = None
) -> ClientCommand:
    """Continue an ended execution from the states that did not succeed."""
    if context.status not in (FAILED, CANCELED) or context.type != "STANDARD":
        raise NotRedrivable(
            f"execution {context.id} is {context.type} and {context.status}: "
            "only a STANDARD execution that failed, timed out or was stopped can be run on"
        )
    if context.parent_iteration_id is not None:
        raise NotRedrivable(f"execution {context.id} is a child of a map run: its parent is to be run on")
    problem_of = partial(redrive_problem, limits, now=host.clock.now())
    problem = problem_of(context)
    if problem is not None:
        raise NotRedrivable(f"execution {context.id} cannot be run on: {problem}")
    _wait_for_children(host, context.id)
    command = redrive_command(host.storage, workflow, context, problem_of, client_token=client_token)
    return ClientCommand(command, NONE, _not_redrivable)


def _wait_for_children(host: Host, id: str) -> None:
    """Wait until the children of its map runs, which are stopped after it, have ended."""
    until = time.monotonic() + SETTLING_SECONDS
    while not is_settled(host.storage, id):
        if time.monotonic() > until:
            raise NotRedrivable(f"execution {id} cannot be run on yet: its child executions are still being stopped")
        time.sleep(POLL_SECONDS)


def complete_task(limits: Limits, task: Callable[[], AnyTask], output: Any) -> ClientCommand:
    """Complete the task that ``task`` finds."""
    return complete_task_with(limits, task, Document(document_text("the output", output)))


def complete_task_with(limits: Limits, task: Callable[[], AnyTask], document: Document) -> ClientCommand:
    """Complete the task that ``task`` finds with a document."""
    check_payload("the output", document.text, limits)
    found = task()
    return ClientCommand(
        r.CompleteTaskCommand(found.id, resource=found.resource, output=None, event=0, previous=0), document, _closed
    )


def fail_task(limits: Limits, task: Callable[[], AnyTask], error: str | None, cause: str | None) -> ClientCommand:
    """Fail the task that ``task`` finds."""
    error, cause = optional_text("an error", error), optional_text("a cause", cause)
    check_length("error", error, ERROR_CHARACTERS, limits)
    check_length("cause", cause, CAUSE_CHARACTERS, limits)
    found = task()
    return ClientCommand(
        r.FailTaskCommand(
            found.id, resource=found.resource, error=error, cause=cause, timed_out=False, event=0, previous=0
        ),
        NONE,
        _closed,
    )


def heartbeat(task: AnyTask) -> ClientCommand:
    """Keep a task alive."""
    return ClientCommand(r.HeartbeatTaskCommand(task.id, 0), NONE, _closed)


def activate(task: TaskContext, worker: str | None) -> ClientCommand:
    """Hand a task out to a worker."""
    worker = optional_text("a worker's name", worker)
    return ClientCommand(
        r.ActivateTaskCommand(task.id, resource=task.resource, worker=worker, lease_until=0, event=0, previous=0),
        NONE,
        _closed,
    )


def _always(refusal: StepwellError, error: Rejected | NameTaken) -> StepwellError:
    return refusal


def _not_redrivable(error: Rejected | NameTaken) -> StepwellError:
    return NotRedrivable(str(error))


def _closed(error: Rejected | NameTaken) -> StepwellError:
    return TaskTimedOut(CLOSED)
