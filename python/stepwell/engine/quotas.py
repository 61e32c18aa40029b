"""AWS's quotas: ``profile="aws"`` enforces them, the default warns where an execution would fail on AWS (ASL A1.5, A6).

Enforcing is a wrapping of the walk's table: the default profile pays nothing for it. What a quota makes of a command
is decided before the command is on the log, so a replay knows nothing of profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stepwell.asl.errors import RUNTIME
from stepwell.asl.json import dumps
from stepwell.asl.resources import parse_resource
from stepwell.errors import ApiError, InvalidInput
from stepwell.logs import logger

from . import records as r
from .arguments import retention_time, shown
from .contexts import ExecutionContext
from .documents import NONE, Document
from .history_types import exit_count
from .inbox import Limits
from .status import FAILED
from .turn import SMALL, Item, LimitExceeded, Turn, check_document

log = logger("stepwell.engine")

DEFAULT: Final = "default"
AWS: Final = "aws"
EXPRESS: Final = "EXPRESS"
PAYLOAD_BYTES: Final = 262_144
HISTORY_EVENTS: Final = 25_000
VARIABLES_BYTES: Final = 10 << 20
ERROR_CHARACTERS: Final = 256
CAUSE_CHARACTERS: Final = 32_768
LONGEST_SECONDS: Final = {"STANDARD": 31_536_000, "EXPRESS": 300}
REDRIVABLE_SECONDS: Final = 14 * 24 * 3600
DATA_LIMIT_EXCEEDED: Final = "States.DataLimitExceeded"
LARGEST_LIMIT: Final = (1 << 53) - 1
_OTHER_LIMITS: Final = frozenset({"profile", "retention"})
_MAY_BE_ZERO: Final = frozenset({"map_result_bytes"})
_FULL = f"The execution reached the maximum number of history events ({HISTORY_EVENTS})."

Entry = tuple[Any, Any, Any, Any]
"""Accept, apply, follow, and the event, of one kind of command."""
Walk = Mapping[type[r.Command], Entry]


def limits_of(profile: str, limits: Limits | None) -> Limits:
    """A partition's limits under a profile. Raises ``InvalidInput`` for what is no profile or no limit."""
    limits = Limits() if limits is None else limits
    _check_limits(limits)
    if profile == DEFAULT:
        return limits
    if profile != AWS:
        raise InvalidInput(f"there is no profile {profile!r}; give {DEFAULT!r} or {AWS!r}")
    return limits._replace(profile=AWS, map_result_bytes=limits.map_result_bytes or PAYLOAD_BYTES)


def _check_limits(limits: Limits) -> None:
    """Refuse limits under which nothing could be done: they would be found out when work stands still."""
    if not isinstance(limits, Limits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"limits are Limits, not {shown(limits)}")
    retention_time(limits.retention)
    for name, limit in limits._asdict().items():
        if name in _OTHER_LIMITS or (name == "document_depth" and limit is None):
            continue
        least = 0 if name in _MAY_BE_ZERO else 1
        if isinstance(limit, bool) or not isinstance(limit, int) or not least <= limit <= LARGEST_LIMIT:
            raise InvalidInput(
                f"the limit {name} is a whole number from {least} to {LARGEST_LIMIT}, not {shown(limit)}"
            )


def enforced(walk: Walk) -> dict[type[r.Command], Entry]:
    """The table of the walk, with AWS's quotas in it."""
    return {
        kind: (
            _within_history(accept) if "event" in kind.__struct_fields__ else accept,
            apply,
            _within_payload(follow),
            event,
        )
        for kind, (accept, apply, follow, event) in walk.items()
    }


def judged(answers: Iterable[tuple[r.Command, Document]]) -> list[tuple[r.Command, Document]]:
    """Answers of tasks as AWS takes them: a result that is too large is a failure that may be caught (ASL A6)."""
    return [_judged(command, document) for command, document in answers]


def _judged(command: r.Command, document: Document) -> tuple[r.Command, Document]:
    if isinstance(command, r.CompleteTaskCommand) and len(document.text) > PAYLOAD_BYTES:
        resource = parse_resource(command.resource)
        cause = _too_large(resource.service or resource.text)
        return r.FailTaskCommand(command.id, command.resource, DATA_LIMIT_EXCEEDED, cause, False, 0, 0), NONE
    if isinstance(command, r.FailTaskCommand):
        command.error = command.error and command.error[:ERROR_CHARACTERS]
        command.cause = command.cause and command.cause[:CAUSE_CHARACTERS]
    return command, document


def check_payload(what: str, text: bytes, limits: Limits) -> None:
    """Raise ``InvalidInput`` for a document that AWS's API would not take, or that is beyond the limits."""
    if limits.profile == AWS and len(text) > PAYLOAD_BYTES:
        raise InvalidInput(f"{what} has {len(text)} bytes: AWS takes {PAYLOAD_BYTES} at most")
    if len(text) <= SMALL:
        return
    try:
        check_document(what, text, limits)
    except LimitExceeded as error:
        raise InvalidInput(str(error)) from error


def check_length(name: str, text: str | None, longest: int, limits: Limits) -> None:
    """Raise ``ApiError`` for a text that is longer than AWS's API takes it (ASL A15.71)."""
    if limits.profile == AWS and text is not None and len(text) > longest:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {longest}",
        )


def longest_seconds(limits: Limits, type: str, given: int | None) -> int | None:
    """For how long an execution may run: as its definition says, and no longer than AWS lets it (ASL A1.6)."""
    if limits.profile != AWS:
        return given
    longest = LONGEST_SECONDS[type]
    return longest if given is None else min(given, longest)


def redrive_problem(limits: Limits, context: ExecutionContext, now: int) -> str | None:
    """Why AWS would not run an execution on, by its age or the length of its history (ASL A16.78)."""
    if limits.profile != AWS:
        return None
    if now - context.stopped_at > REDRIVABLE_SECONDS * 1_000_000:
        return "it ended more than 14 days ago"
    if context.last_event >= HISTORY_EVENTS - 1:
        return f"its history has {context.last_event} events"
    return None


def _within_history(accept: Callable[[Turn, Any], str | None]) -> Callable[[Turn, Any], str | None]:
    """Event 25,000 is the end of the execution, 24,999 its last real one (ASL A1.5). EXPRESS has no such limit."""

    def within(turn: Turn, command: Any) -> str | None:
        reason = accept(turn, command)
        if reason is not None or _last_event(turn, command) < HISTORY_EVENTS:
            return reason
        if isinstance(command, r.CompleteExecutionCommand):  # whatever it ended with
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


def _within_payload(follow: Callable[[Turn, Any, Document], list[Item]]) -> Callable[..., list[Item]]:
    """A payload or a variable that is too large ends the execution at once, where it comes up."""

    def within(turn: Turn, command: Any, document: Document) -> list[Item]:
        items = follow(turn, command, document)
        for next_command, next_document, _ in items:
            cause = _breach(turn, next_command, next_document)
            if cause is not None:
                return [_failed(turn, DATA_LIMIT_EXCEEDED, cause)]
            if isinstance(next_command, r.CompleteExecutionCommand) and next_command.cause is not None:
                next_command.cause = next_command.cause[:CAUSE_CHARACTERS]
        return items

    return within


def _breach(turn: Turn, command: r.Command, document: Document) -> str | None:
    if isinstance(command, r.CompleteStateCommand):
        if len(document.text) > PAYLOAD_BYTES:
            return _too_large(command.state_name)
        if command.assigned:
            return _variables_breach(turn, command)
    elif isinstance(command, r.CreateTaskCommand | r.ForkStateCommand | r.StartBranchCommand):
        if len(document.text) > PAYLOAD_BYTES and turn.execution is not None:
            id = (
                command.branch_id.rpartition("/")[0]
                if isinstance(command, r.StartBranchCommand)
                else command.activity_id
            )
            return _too_large(turn.execution.activities[id].state.name)
    elif isinstance(command, r.StartIterationCommand) and len(document.text) > PAYLOAD_BYTES:
        return _too_large(command.state_name)
    return None


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
    return (r.CompleteExecutionCommand(turn.scope, FAILED, None, error, cause, 0, 0), NONE, 0)


def _too_large(name: str) -> str:
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."


class Warnings:
    """Says once a state, or a resource, where an execution would fail on AWS."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def look(self, turn: Turn) -> None:
        """Look at a turn that is large enough to hold something that AWS would not take."""
        execution = turn.execution
        if execution is None:
            return
        if turn.first_event <= HISTORY_EVENTS < turn.last_event:
            self._say(turn, "", f"its history has more than {HISTORY_EVENTS} events")
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
            log.warning("execution %s of %s would fail on AWS here: %s", turn.scope, key[0], problem)
