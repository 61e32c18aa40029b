"""Events: what happens in executions, for the listeners of a program.

They are made where a command is applied, and released as effects, once the batch is durable. Only the commands whose
events somebody listens to are observed: without listeners the table of the partition has no trace of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.state.execution import Activity, LiveExecution
from stepwell.engine.state.turn import Apply, Table, Turn
from stepwell.engine.status import CANCELED, FAILED, SUCCEEDED
from stepwell.engine.storage.contexts import TaskContext
from stepwell.engine.wall_clock import utc
from stepwell.logs import about, logger

log = logger("stepwell.events")

EventName = Literal[
    "execution_started",
    "execution_ended",
    "execution_redriven",
    "task_scheduled",
    "task_ended",
    "task_retried",
    "state_entered",
    "state_exited",
]


class Event(Struct, frozen=True, array_like=True, gc=False):
    """What happened in an execution. Fields that an event does not have are None.

    ``status`` is Succeeded, Failed or Canceled in the events of an end, Pending or Running in ``execution_started``.
    ``seconds`` is how long what ended had been going on. ``attempt`` counts from 0: ``task_retried`` has the number
    of the attempt that comes. ``task_id`` is the same in the two events of a task.
    """

    name: EventName
    execution_id: str
    workflow: str
    version: int
    microseconds: int
    """When it happened, since the Unix epoch."""
    state: str | None = None
    resource: str | None = None
    task_id: str | None = None
    status: str | None = None
    timed_out: bool = False
    error: str | None = None
    cause: str | None = None
    attempt: int | None = None
    seconds: float | None = None
    activity_id: str | None = None
    """Which state it is: the same in all events of one visit."""
    parent_id: str | None = None
    """The activity of the Parallel or Map state around it."""
    started_at: int = 0
    """When the execution was started, in microseconds."""
    redrives: int = 0
    trace_header: str | None = None

    @property
    def time(self) -> datetime:
        """When it happened, in UTC."""
        return utc(self.microseconds)


Tell = Callable[[Event], object]
_Describe = Callable[[Turn, Any], Iterable[Event]]


def observed(table: Table, names: Iterable[str], tell: Tell) -> Table:
    """A table whose appliers release events of these names to ``tell``."""
    wanted = frozenset(names)
    kinds = {kind: _OBSERVERS[kind] for name in wanted for kind in _COMMANDS[name]}
    return {
        kind: (accept, _telling(apply, *kinds[kind], wanted, tell) if kind in kinds else apply, follow, event)
        for kind, (accept, apply, follow, event) in table.items()
    }


def _telling(apply: Apply, before: _Describe, after: _Describe, wanted: frozenset[str], tell: Tell) -> Apply:
    def apply_and_tell(turn: Turn, command: Any, document: Document) -> None:
        events = _described(before, turn, command)
        apply(turn, command, document)
        events += _described(after, turn, command)
        turn.effects += [(tell, event) for event in events if event.name in wanted]

    return apply_and_tell


def _described(describe: _Describe, turn: Turn, command: Any) -> list[Event]:
    """The events of a command. An event that cannot be made must not keep the command from being applied."""
    try:
        return list(describe(turn, command))
    except Exception:
        log.exception(
            "the events of %s in %s cannot be made",
            *(type(command).__name__, turn.execution_id),
            extra=about(execution=turn.execution_id),
        )
        return []


def _event(turn: Turn, name: EventName, **fields: Any) -> Event:
    execution = _execution(turn)
    workflow, context = execution.workflow, execution.context
    return Event(
        name,
        execution.id,
        workflow.name,
        workflow.context.version,
        turn.now,
        started_at=context.started_at,
        redrives=context.redrive_count,
        trace_header=context.trace_header,
        **fields,
    )


def _event_of(turn: Turn, activity: Activity, name: EventName, **fields: Any) -> Event:
    """An event of a state."""
    around = activity.level.parent
    parent_id = None if around is None else around.id
    return _event(turn, name, state=activity.state.name, activity_id=activity.id, parent_id=parent_id, **fields)


def _execution(turn: Turn) -> LiveExecution:
    assert turn.execution is not None
    return turn.execution


def _seconds(turn: Turn, since: int) -> float:
    return max(0, turn.now - since) / 1_000_000


def _nothing(turn: Turn, command: Any) -> Iterator[Event]:
    yield from ()


# executions


def _execution_started(turn: Turn, command: r.StartExecutionCommand) -> Iterator[Event]:
    yield _event(turn, "execution_started", status=_execution(turn).status)


def _execution_redriven(turn: Turn, command: r.RedriveExecutionCommand) -> Iterator[Event]:
    yield _event(turn, "execution_redriven", status=_execution(turn).status, attempt=command.count)


def _left_at_the_end(turn: Turn, command: r.CompleteExecutionCommand) -> Iterator[Event]:
    """States that an execution leaves by its end alone: they follow no command of their own."""
    execution = _execution(turn)
    status = command.status if command.status != SUCCEEDED else CANCELED
    for activity in execution.activities.values():
        yield from _left(turn, activity, status, command.error, command.cause)


def _execution_ended(turn: Turn, command: r.CompleteExecutionCommand) -> Iterator[Event]:
    execution = _execution(turn)
    yield _event(
        turn,
        "execution_ended",
        status=execution.status,
        timed_out=command.timed_out,
        error=command.error,
        cause=command.cause,
        seconds=_seconds(turn, execution.context.redriven_at or execution.context.started_at),
    )


# states


def _state_entered(turn: Turn, command: r.StartStateCommand) -> Iterator[Event]:
    yield _event_of(turn, _execution(turn).activities[command.activity_id], "state_entered")


def _state_left(turn: Turn, command: r.CompleteStateCommand) -> Iterator[Event]:
    activity = _execution(turn).activities[command.activity_id]
    yield from _children_left(turn, activity)
    # A state at which its branch or iteration has failed is left by a command that says Canceled.
    status = FAILED if activity.level.status == FAILED else command.status
    yield from _left(turn, activity, status, command.error, command.cause)


def _state_retried(turn: Turn, command: r.RetryStateCommand) -> Iterator[Event]:
    activity = _execution(turn).activities[command.activity_id]
    yield from _children_left(turn, activity)
    yield _event_of(
        turn,
        activity,
        "task_retried",
        resource=_resource(activity),
        error=command.error,
        cause=command.cause,
        attempt=activity.attempt + 1,
    )


def _resource(activity: Activity) -> str | None:
    parsed = getattr(activity.state, "parsed", None)  # only a Task state has one
    return None if parsed is None else parsed.text


def _children_left(turn: Turn, activity: Activity) -> Iterator[Event]:
    """States in branches and iterations that are removed with the state around them."""
    for child in (activity.children or {}).values():
        if child.current is not None:
            yield from _left(turn, child.current, CANCELED)


def _left(
    turn: Turn, activity: Activity, status: str, error: str | None = None, cause: str | None = None
) -> Iterator[Event]:
    execution = _execution(turn)
    task = execution.tasks.get(activity.task_id) if activity.task_id is not None else None
    if task is not None and activity.map_run is None:
        yield _task_ended(turn, task, activity, CANCELED)
    yield _event_of(
        turn,
        activity,
        "state_exited",
        status=status,
        error=error,
        cause=cause,
        seconds=_seconds(turn, activity.entered_at),
    )


# tasks


def _task_scheduled(turn: Turn, command: r.CreateTaskCommand) -> Iterator[Event]:
    activity = _execution(turn).activities[command.activity_id]
    if activity.map_run is None:  # the others are the engine's own
        yield _event_of(
            turn,
            activity,
            "task_scheduled",
            resource=command.resource,
            task_id=command.id,
            attempt=command.attempt,
        )


def _task_answered(turn: Turn, command: r.CompleteTaskCommand | r.FailTaskCommand) -> Iterator[Event]:
    execution = _execution(turn)
    task = execution.tasks[command.id]
    activity = execution.activities[task.activity_id]
    if activity.map_run is not None:
        return
    if isinstance(command, r.CompleteTaskCommand):
        yield _task_ended(turn, task, activity, SUCCEEDED)
    else:
        failure = {"timed_out": command.timed_out, "error": command.error, "cause": command.cause}
        yield _task_ended(turn, task, activity, FAILED, **failure)


def _task_ended(turn: Turn, task: TaskContext, activity: Activity, status: str, **failure: Any) -> Event:
    return _event_of(
        turn,
        activity,
        "task_ended",
        resource=task.resource,
        task_id=task.id,
        status=status,
        attempt=task.attempt,
        seconds=_seconds(turn, task.created_at),
        **failure,
    )


_OBSERVERS: dict[type[r.Command], tuple[_Describe, _Describe]] = {
    r.StartExecutionCommand: (_nothing, _execution_started),
    r.RedriveExecutionCommand: (_nothing, _execution_redriven),
    r.CompleteExecutionCommand: (_left_at_the_end, _execution_ended),
    r.StartStateCommand: (_nothing, _state_entered),
    r.CompleteStateCommand: (_state_left, _nothing),
    r.RetryStateCommand: (_state_retried, _nothing),
    r.CreateTaskCommand: (_task_scheduled, _nothing),
    r.CompleteTaskCommand: (_task_answered, _nothing),
    r.FailTaskCommand: (_task_answered, _nothing),
}
"""What describes a command before it is applied, and after."""

_LEAVING = (r.CompleteStateCommand, r.RetryStateCommand, r.CompleteExecutionCommand)
_COMMANDS: dict[str, tuple[type[r.Command], ...]] = {
    "execution_started": (r.StartExecutionCommand,),
    "execution_ended": (r.CompleteExecutionCommand,),
    "execution_redriven": (r.RedriveExecutionCommand,),
    "task_scheduled": (r.CreateTaskCommand,),
    "task_ended": (r.CompleteTaskCommand, r.FailTaskCommand, *_LEAVING),
    "task_retried": (r.RetryStateCommand,),
    "state_entered": (r.StartStateCommand,),
    "state_exited": _LEAVING,
}
EVENT_NAMES = tuple(_COMMANDS)
