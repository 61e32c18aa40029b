"""Deploys definitions, and checks that a workflow has its handlers before anything is started."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from stepwell.asl.json import canonical, loads
from stepwell.engine.host.host import Host
from stepwell.engine.limits import AWS, Limits, retention_time
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.quoting import shown
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import WorkflowContext
from stepwell.errors import ExecutionRunning, HandlerNotFound, InvalidDefinition, WorkflowNotFound
from stepwell.logs import logger

from .arguments import TYPES, Definition, check_name, definition_text

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

log = logger("stepwell.engine")


class Deployments:
    """Keeps definitions under names. Each change makes a new version."""

    def __init__(self, host: Host, limits: Limits) -> None:
        self._host, self._is_aws = host, limits.profile == AWS
        self._deploying = threading.Lock()
        self._checked: set[str] = set()
        self._warned: set[str] = set()

    def deploy(self, name: str, definition: Definition, type: str, retention: float | None = None) -> Workflow:
        """The version of ``name`` with this definition: the newest one, or a new one, durable."""
        host = self._host
        host.check()
        check_name("a workflow", name)
        if type not in TYPES:
            raise InvalidDefinition(f"the type of a workflow is {' or '.join(TYPES)}, not {shown(type)}")
        kept = retention_time(retention)
        text = definition_text(definition)
        machine = self._compiled(text, type)
        workflows = host.workflows
        with self._deploying:
            latest, newest = workflows.latest(name), workflows.newest(name)
            is_same = latest is not None and latest.context.type == type and _same(latest.context, text)
            if latest is not None and is_same and latest.context.retention == kept:
                return latest
            version = 1 if newest is None else newest.version + (not is_same)  # a number is not used twice
            version = host.put_workflow(
                PutWorkflowCommand(name, version=version, definition=text, type=type, retention=kept)
            )
        workflow = workflows.get(f"{name}:{version}")
        workflow.compiled(machine)
        return workflow

    def delete(self, name: object) -> None:
        """Delete a workflow, durably. Raises ``ExecutionRunning`` while executions run, ``WorkflowNotFound``."""
        host = self._host
        host.check()
        with self._deploying:
            latest = host.workflows.latest(name) if isinstance(name, str) else None
            if latest is None:
                raise WorkflowNotFound(f"no workflow is deployed under the name {shown(name)}")
            try:
                host.ask(DeleteWorkflowCommand(latest.name, latest.version))
            except Rejected as error:
                raise ExecutionRunning(f"{error}: stop them, or wait for their ends, before it is deleted") from error

    def _compiled(self, text: bytes, type: str) -> StateMachine:
        from stepwell.asl.definition import compile_definition
        from stepwell.asl.validate import MAX_CHARACTERS

        if not self._is_aws:
            if len(text) > MAX_CHARACTERS:
                log.warning("a definition of %d bytes: AWS takes %d characters", len(text), MAX_CHARACTERS)
            return compile_definition(text, type=type)
        return compile_definition(text, type=type, local_resources=False, max_characters=MAX_CHARACTERS)

    def check_handlers(self, workflow: Workflow) -> None:
        """Check that there is a handler for every Task state whose resource is known.

        If one is missing, raise ``HandlerNotFound`` when the executor is strict, else log a warning once.
        """
        if workflow.id in self._checked:
            return
        missing = self._missing(workflow)
        if missing is None:
            self._checked.add(workflow.id)
            return
        if self._host.strict_handlers:
            raise HandlerNotFound(missing)
        self._host.pool.needs_handlers()
        if workflow.id not in self._warned:
            self._warned.add(workflow.id)
            log.warning("%s; a task without one fails", missing)

    def _missing(self, workflow: Workflow) -> str | None:
        """The first Task state without a handler, as an error's text."""
        from stepwell.asl.states import TaskState

        handlers = self._host.handlers
        for state in workflow.machine.by_name.values():
            if not isinstance(state, TaskState) or state.parsed.kind == "activity":
                continue
            if not handlers.has(state.parsed, state.definition):
                return (
                    f"no handler is registered for {state.resource!r}, the Resource of state {state.name!r} "
                    f"in workflow {workflow.name!r}; register one with task() or register()"
                )
        return None


def _same(context: WorkflowContext, text: bytes) -> bool:
    return context.definition == text or canonical(loads(context.definition)) == canonical(loads(text))
