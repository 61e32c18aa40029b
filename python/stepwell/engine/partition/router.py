"""The router: which execution a command belongs to, and so in which turn it is processed."""

from __future__ import annotations

from collections.abc import Iterable

from stepwell.asl.json import canonical
from stepwell.engine.ids import execution_of, idempotency_key
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.executions import Executions
from stepwell.engine.state.services import Effect
from stepwell.engine.state.timers import Timer
from stepwell.engine.state.turn import Reply, Turn
from stepwell.engine.status import DELETING, ENDED, RUNNING

from .effects import Effects
from .in_flight import InFlight
from .inbox import NameTaken, Rejected

_OF_EXECUTIONS = (r.CancelExecutionCommand, r.DeleteExecutionCommand, r.RedriveExecutionCommand)
OF_NO_EXECUTION = (
    r.PutWorkflowCommand,
    r.DeleteWorkflowCommand,
    r.PublishVersionCommand,
    r.DeletePublishedVersionCommand,
    r.PutAliasCommand,
    r.DeleteAliasCommand,
    r.PutTagsCommand,
    r.PutActivityQueueCommand,
    r.DeleteActivityQueueCommand,
)
"""Commands about workflows, and about what is kept beside them."""
_OF_TASKS = (r.ActivateTaskCommand, r.HeartbeatTaskCommand)
_RESULTS = (r.CompleteTaskCommand, r.FailTaskCommand, r.SubmitTaskCommand)


class Router:
    """Finds the execution of a command. It answers or refuses a command that belongs to none."""

    def __init__(self, executions: Executions, in_flight: InFlight, effects: Effects) -> None:
        self._executions, self._state = executions, executions.state
        self._in_flight, self._effects = in_flight, effects
        self._timer_owners: dict[str, str] = {}

    def expect(self, due: Iterable[Timer]) -> None:
        """Note the executions of timers that are about to be triggered."""
        self._timer_owners = {target: execution_id for _, _, target, execution_id in due}

    def execution_of(
        self, command: r.Command, document: Document, reply: Reply | None, turns: dict[str, Turn]
    ) -> str | None:
        """The execution that a command belongs to; "" for none; None: the command was answered or refused."""
        if isinstance(command, _RESULTS):
            self._in_flight.ends(command.id)
            return self._owner_of_task(command.id, reply)
        if isinstance(command, r.StartExecutionCommand):
            return self._started(command, document, reply, turns)
        if isinstance(command, _OF_TASKS):
            return self._owner_of_task(command.id, reply)
        if isinstance(command, r.TriggerTimerCommand):
            return self._timer_owners[command.target]
        if isinstance(command, _OF_EXECUTIONS):
            return command.id
        if isinstance(command, r.UpdateMapRunCommand):
            return execution_of(command.id)
        assert isinstance(command, OF_NO_EXECUTION), f"nobody asks for a {type(command).__name__}"
        return ""

    def _owner_of_task(self, task_id: str, reply: Reply | None) -> str | None:
        """The execution of an open task. A request for a closed task is refused."""
        owner = self._state.task_owners.get(task_id) or self._executions.owner_of_task(task_id)
        if owner is None:
            self._effects.refuse(reply, Rejected("the task is not open"))
        return owner

    def _started(
        self, command: r.StartExecutionCommand, document: Document, reply: Reply | None, turns: dict[str, Turn]
    ) -> str | None:
        """The execution to start; None if its name belongs to another one."""
        if not command.idempotent:
            return command.id
        names = self._state.names
        key = idempotency_key(command.id, self._state.workflows.get(command.workflow_id).name, command.name)
        existing = self._executions.named(key)
        if existing is None:
            names[key] = command.id
            return command.id
        execution = self._executions.get(existing)
        effects: list[Effect] = []
        if execution is not None and self._is_name_free(execution):
            names[key] = command.id
            return command.id
        if execution is not None:
            status, input = execution.status, execution.input
            self._effects.defer(effects)
        elif (turn := turns.get(existing)) is not None:  # it is being started in this batch
            status, input, effects = RUNNING, turn.queue[0][1], turn.effects
        else:
            names[key] = command.id
            return command.id
        if reply is not None:
            same = status not in ENDED and canonical(input.value) == canonical(document.value)
            effects.append((reply, existing, None if same else NameTaken(existing, status)))
        return None

    def _is_name_free(self, execution: LiveExecution) -> bool:
        """Whether the execution that has a name is being deleted, or belongs to a workflow that was deleted since."""
        workflow = execution.workflow
        return execution.status == DELETING or (
            execution.status in ENDED and not self._state.workflows.is_current(workflow.name, workflow.version)
        )
