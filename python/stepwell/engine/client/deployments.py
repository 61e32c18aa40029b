"""Deploys definitions, and checks that a workflow has its handlers before anything is started."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from stepwell.asl.json import canonical, dumps, loads
from stepwell.asl.resources import handler_name
from stepwell.engine.arns import parse_state_machine_arn
from stepwell.engine.host.host import Host
from stepwell.engine.limits import AWS, Limits, retention_time
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.quoting import shown
from stepwell.engine.state.workflows import IS_BEING_DELETED, Workflow
from stepwell.engine.storage.contexts import AliasContext, PublishedVersionContext, WorkflowContext
from stepwell.errors import (
    ExecutionRunning,
    HandlerNotFound,
    InvalidInput,
    WorkflowDeleting,
    WorkflowNotFound,
)
from stepwell.logs import logger
from stepwell.tasks.unhandled import missing_text

from .arguments import TYPES, Definition, check_name, definition_text
from .quotas import Quota

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

log = logger("stepwell.engine")


class Settings(NamedTuple):
    """AWS's settings of a state machine: an ARN, and JSON of the API's shapes; empty where they are not set."""

    role: str = ""
    logging: bytes = b""
    tracing: bool = False
    encryption: bytes = b""

    @classmethod
    def of(cls, context: WorkflowContext) -> Settings:
        """Those of a version."""
        return cls(context.role, context.logging, context.tracing, context.encryption)


class Publication(NamedTuple):
    """What is published with a version: its number and its description."""

    number: int
    description: str | None


class Deployments:
    """Keeps definitions under names. Each change makes a new version."""

    def __init__(self, host: Host, limits: Limits, quota: Quota) -> None:
        self._host, self._quota, self._is_aws = host, quota, limits.profile == AWS
        self._names_handlers = False
        self.changing = host.changing
        """Held while a workflow, or what belongs to it, is looked at and changed."""
        self.deployed: Callable[[Workflow], object] = _nothing
        """Called with each version that is kept by this client."""
        self._checked: set[str] = set()
        self._warned: set[str] = set()

    def deploy(self, name: str, definition: Definition, type: str, retention: float | None = None) -> Workflow:
        """The version of ``name`` with this definition: the newest one, or a new one, durable.

        AWS's settings stay as they are. Raises ``WorkflowDeleting``, and ``ApiError`` if there are too many workflows.
        """
        self._host.check()
        check_name("a workflow", name)
        if type not in TYPES:
            raise InvalidInput(f"the type of a workflow is {' or '.join(TYPES)}, not {shown(type)}")
        kept = retention_time(retention)
        text = definition_text(definition)
        machine = self.compiled(text, type)
        with self.changing:
            latest = self.latest(name)
            check_is_kept(latest)
            is_same = latest is not None and latest.context.type == type and _same(latest.context, text)
            if latest is not None and is_same and latest.context.retention == kept:
                return latest
            settings = Settings() if latest is None else Settings.of(latest.context)
            return self.put(name, text, type, settings, retention=kept, is_new=not is_same, machine=machine)

    def put(
        self,
        name: str,
        text: bytes,
        type: str,
        settings: Settings,
        *,
        retention: int | None,
        is_new: bool,
        machine: StateMachine | None = None,
        publication: Publication | None = None,
        tags: bytes = b"",
    ) -> Workflow:
        """Keep a new version, or the newest one with other settings, durably; ``changing`` must be held."""
        workflows = self._host.workflows
        latest, newest = workflows.latest(name), workflows.newest(name)
        if latest is None:
            self._quota.take()
        version = 1 if newest is None else newest.version + is_new  # a number is not used twice
        kept = "" if latest is None else latest.context.revision_id  # as on AWS, the first version has none
        command = PutWorkflowCommand(
            name,
            version=version,
            definition=text,
            type=type,
            retention=retention,
            revision_id=str(uuid.uuid4()) if is_new and latest is not None else kept,
            role=settings.role,
            logging=settings.logging,
            tracing=settings.tracing,
            encryption=settings.encryption,
            publish=0 if publication is None else publication.number,
            description=None if publication is None else publication.description,
            tags=tags,
        )
        workflow = workflows.get(f"{name}:{self._host.put_workflow(command)}")
        if machine is not None:
            workflow.compiled(machine)
        self.deployed(workflow)
        return workflow

    def latest(self, name: str) -> Workflow | None:
        """The newest version of a workflow, None if there is none. One that waits for its deletion is deleted first.

        Its ``deleting`` says that executions still run of it.
        """
        workflow = self._host.workflows.latest(name)
        if workflow is None or not workflow.context.deleting:
            return workflow
        with self.changing, suppress(Rejected):
            self._host.ask(DeleteWorkflowCommand(name, workflow.version))
        return self._host.workflows.latest(name)

    def check_startable(self, workflow: Workflow) -> None:
        """Raise ``WorkflowDeleting`` if a workflow is being deleted, ``WorkflowNotFound`` if it has been."""
        if workflow.context.name not in self._host.workflows.deleting:
            return
        latest = self.latest(workflow.context.name)
        if latest is None:
            raise _not_deployed(workflow.context.name)
        check_is_kept(latest)

    def delete(self, name: object) -> None:
        """Delete a workflow, durably. Raises ``ExecutionRunning`` while executions run, ``WorkflowNotFound``."""
        self._host.check()
        arn = parse_state_machine_arn(name)
        name = arn[0] if arn is not None and not arn[1] else name
        with self.changing:
            latest = self.latest(name) if isinstance(name, str) else None
            if latest is None:
                raise _not_deployed(name)
            try:
                self._host.ask(self._deletion(latest))
            except Rejected as error:
                raise ExecutionRunning(f"{error}: stop them, or wait for their ends, before it is deleted") from error

    def begin_deletion(self, name: str) -> None:
        """Delete a workflow, once its executions have ended; nothing happens if there is none."""
        self._host.check()
        with self.changing:
            latest = self.latest(name)
            if latest is None or latest.context.deleting:
                return
            deletion = self._deletion(latest)
            try:
                self._host.ask(deletion)
            except Rejected:
                self._host.ask(replace(deletion, remains=False, waits=True))

    def _deletion(self, workflow: Workflow) -> DeleteWorkflowCommand:
        storage, name = self._host.storage, workflow.name
        published = [row.number for row in storage.scan(PublishedVersionContext, name, limit=_ALL)]
        aliases = [row.name for row in storage.scan(AliasContext, name, limit=_ALL)]
        return DeleteWorkflowCommand(
            name, workflow.version, published=tuple(published), aliases=dumps(aliases) if aliases else b""
        )

    def compiled(self, text: bytes, type: str) -> StateMachine:
        """A definition, compiled. Raises ``InvalidDefinition``."""
        from stepwell.asl.definition import compile_definition
        from stepwell.asl.validate import MAX_CHARACTERS

        if not self._is_aws:
            if len(text) > MAX_CHARACTERS:
                log.warning("a definition of %d bytes: AWS takes %d characters", len(text), MAX_CHARACTERS)
            return compile_definition(text, type=type)
        return compile_definition(text, type=type, local_resources=self.accepts_resource, max_characters=MAX_CHARACTERS)

    def accept_handlers(self) -> None:
        """Let Task states name handlers that are registered, in AWS's profile too."""
        self._names_handlers = True

    def accepts_resource(self, name: str) -> bool:
        """Whether a Task state may have a plain name as its Resource."""
        return not self._is_aws or (self._names_handlers and self._host.handlers.knows(name))

    def check_handlers(self, workflow: Workflow, *, is_mocked: bool = False) -> None:
        """Check that there is a handler for every Task state whose resource is known.

        If one is missing, raise ``HandlerNotFound`` when the executor is strict, else log a warning once.
        ``is_mocked``: a test case may answer in its place.
        """
        if is_mocked:
            self._host.pool.needs_handlers()
            return
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
                definition = state.definition
                name = handler_name(state.parsed, definition.get("Parameters") or definition.get("Arguments"))
                return (
                    f"{missing_text(name, state.resource, state.name)} in workflow {workflow.name!r}; "
                    "register one with task() or register()"
                )
        return None


def check_is_kept(workflow: Workflow | None) -> None:
    """Raise ``WorkflowDeleting`` for a workflow that is being deleted."""
    if workflow is not None and workflow.context.deleting:
        raise WorkflowDeleting(f"workflow {workflow.name!r} {IS_BEING_DELETED}: its executions have not ended")


def _not_deployed(name: object) -> WorkflowNotFound:
    return WorkflowNotFound(f"no workflow is deployed under the name {shown(name)}")


_ALL = 1 << 30
"""More rows than a workflow has published versions or aliases."""


def _same(context: WorkflowContext, text: bytes) -> bool:
    return context.definition == text or canonical(loads(context.definition)) == canonical(loads(text))


def _nothing(workflow: Workflow) -> None:
    """Nobody wants to know."""
