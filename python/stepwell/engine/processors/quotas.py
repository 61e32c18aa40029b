"""AWS's quotas: ``profile="aws"`` enforces them; the default warns if an execution would fail on AWS (ASL A1.5, A6).

To enforce them, the table of commands is wrapped, so the default profile has no cost. Quotas are decided before a
command is on the log, so a replay does not depend on the profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stepwell.asl.errors import RUNTIME
from stepwell.asl.json import dumps
from stepwell.asl.resources import parse_resource
from stepwell.engine.limits import CAUSE_CHARACTERS, ERROR_CHARACTERS, EXPRESS, HISTORY_EVENTS, PAYLOAD_BYTES
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.state.history_events import exit_count
from stepwell.engine.state.turn import Accept, Follow, Item, Table, Turn
from stepwell.engine.status import FAILED
from stepwell.logs import about, logger

log = logger("stepwell.engine")

VARIABLES_BYTES: Final = 10 << 20
DATA_LIMIT_EXCEEDED: Final = "States.DataLimitExceeded"
_MANY = 16
"""No command has so many events."""
_FULL = f"The execution reached the maximum number of history events ({HISTORY_EVENTS})."


def enforced(table: Table) -> Table:
    """The table of commands, with AWS's quotas enforced."""
    return {
        kind: (
            _within_history(accept) if "event" in kind.__struct_fields__ else accept,
            apply,
            _within_payload(follow),
            event,
        )
        for kind, (accept, apply, follow, event) in table.items()
    }


def with_result_limits(answers: Iterable[tuple[r.Command, Document]]) -> list[tuple[r.Command, Document]]:
    """Results of tasks under AWS's quotas: a result that is too large becomes a failure that can be caught (ASL A6)."""
    return [_with_result_limit(command, document) for command, document in answers]


def _with_result_limit(command: r.Command, document: Document) -> tuple[r.Command, Document]:
    if isinstance(command, r.CompleteTaskCommand) and len(document.text) > PAYLOAD_BYTES:
        resource = parse_resource(command.resource)
        cause = _too_large(resource.service or resource.text)
        return r.FailTaskCommand(
            command.id,
            resource=command.resource,
            error=DATA_LIMIT_EXCEEDED,
            cause=cause,
            timed_out=False,
            event=0,
            previous=0,
        ), NONE
    if isinstance(command, r.FailTaskCommand):
        command.error = command.error and command.error[:ERROR_CHARACTERS]
        command.cause = command.cause and command.cause[:CAUSE_CHARACTERS]
    return command, document


def _within_history(accept: Accept) -> Accept:
    """Event 25,000 is the one that ends the execution, so the last event before it is 24,999 (ASL A1.5).

    EXPRESS has no such limit.
    """

    def within(turn: Turn, command: Any) -> str | None:
        reason = accept(turn, command)
        if reason is not None or command.event < HISTORY_EVENTS - _MANY or _last_event(turn, command) < HISTORY_EVENTS:
            return reason
        if isinstance(command, r.CompleteExecutionCommand):  # any end is accepted
            return None
        if turn.execution is not None and turn.execution.context.type == EXPRESS:
            return None
        turn.queue.appendleft(_failed(turn, RUNTIME, _FULL))
        return "the execution's history is full"

    return within


def _last_event(turn: Turn, command: Any) -> int:
    if isinstance(command, r.CompleteStateCommand) and command.event and turn.execution is not None:
        state = turn.execution.machine.by_name[command.state_name]
        return command.event + exit_count(state.type, command.status, command.caught)[0] - 1
    return command.event


def _within_payload(follow: Follow) -> Follow:
    """A payload or a variable that is too large fails the execution at once."""

    def within(turn: Turn, command: Any, document: Document) -> list[Item]:
        items = follow(turn, command, document)
        for next_command, next_document, _ in items:
            check = _CHECKS.get(type(next_command))
            cause = None if check is None else check(turn, next_command, next_document)
            if cause is not None:
                return [_failed(turn, DATA_LIMIT_EXCEEDED, cause)]
        return items

    return within


def _of_output(turn: Turn, command: r.CompleteStateCommand, document: Document) -> str | None:
    if len(document.text) > PAYLOAD_BYTES:
        return _too_large(command.state_name)
    return _variables_breach(turn, command) if command.assigned else None


def _of_input(
    turn: Turn, command: r.CreateTaskCommand | r.ForkStateCommand | r.StartBranchCommand, document: Document
) -> str | None:
    if len(document.text) <= PAYLOAD_BYTES or turn.execution is None:
        return None
    id = command.branch_id.rpartition("/")[0] if isinstance(command, r.StartBranchCommand) else command.activity_id
    return _too_large(turn.execution.activities[id].state.name)


def _of_item(turn: Turn, command: r.StartIterationCommand, document: Document) -> str | None:
    return _too_large(command.state_name) if len(document.text) > PAYLOAD_BYTES else None


def _of_end(turn: Turn, command: r.CompleteExecutionCommand, document: Document) -> str | None:
    """An end is always in order; its cause is cut."""
    if command.cause is not None:
        command.cause = command.cause[:CAUSE_CHARACTERS]
    return None


_CHECKS: Mapping[type[r.Command], Callable[[Turn, Any, Document], str | None]] = {
    r.CompleteStateCommand: _of_output,
    r.CreateTaskCommand: _of_input,
    r.ForkStateCommand: _of_input,
    r.StartBranchCommand: _of_input,
    r.StartIterationCommand: _of_item,
    r.CompleteExecutionCommand: _of_end,
}
"""What is checked of each kind of command that follows: why it must not, or None."""


def _variables_breach(turn: Turn, command: r.CompleteStateCommand) -> str | None:
    """One variable and one Assign: 256 KiB; all variables of an execution: 10 MiB (ASL A5.31)."""
    assert command.assigned is not None and turn.execution is not None
    if len(command.assigned) > PAYLOAD_BYTES:
        return f"The state '{command.state_name}' assigns variables of more than {PAYLOAD_BYTES} bytes."
    execution = turn.execution
    held = sum(len(dumps(level.variables)) for level in (execution, *execution.levels.values()) if level.variables)
    if held + len(command.assigned) > VARIABLES_BYTES:
        return f"With those of '{command.state_name}' the variables have more than {VARIABLES_BYTES} bytes."
    return None


def _failed(turn: Turn, error: str, cause: str) -> Item:
    return (
        r.CompleteExecutionCommand(
            turn.execution_id, status=FAILED, output=None, error=error, cause=cause, event=0, previous=0
        ),
        NONE,
        0,
    )


def _too_large(name: str) -> str:
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."


class Warnings:
    """Logs, once for each state or resource, that an execution would fail on AWS."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def look(self, turn: Turn, size: int) -> None:
        """Check a turn of ``size`` bytes for what AWS would not accept."""
        execution = turn.execution
        if execution is None:
            return
        if turn.first_event <= HISTORY_EVENTS < execution.context.last_event:
            self._say(turn, "", f"its history has more than {HISTORY_EVENTS} events")
        if size > PAYLOAD_BYTES:
            self._look_at_documents(turn)

    def _look_at_documents(self, turn: Turn) -> None:
        size, result = 0, None
        for record in turn.records:
            if not isinstance(record, r.Command) or record.document is None:
                continue
            text: bytes | None = getattr(record, record.document)
            size = size if text is None else len(text)
            if isinstance(record, r.CompleteTaskCommand):
                result = (record.resource, size)
            elif isinstance(record, r.CompleteStateCommand):
                if size > PAYLOAD_BYTES:
                    self._say(turn, record.state_name, f"the output of state {record.state_name!r} has {size} bytes")
                elif result is not None and result[1] > PAYLOAD_BYTES:
                    self._say(turn, record.state_name, f"the result of {result[0]} has {result[1]} bytes")
                result = None
            elif isinstance(record, r.CreateTaskCommand) and size > PAYLOAD_BYTES:
                self._say(turn, record.resource, f"what {record.resource} is asked has {size} bytes")

    def _say(self, turn: Turn, state_name: str, problem: str) -> None:
        assert turn.execution is not None
        key = (turn.execution.context.workflow_id, state_name)
        if key not in self._said:
            self._said.add(key)
            log.warning(
                "execution %s of %s would fail on AWS here: %s",
                *(turn.execution_id, key[0], problem),
                extra=about(execution=turn.execution_id, state=state_name),
            )
