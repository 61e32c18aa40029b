"""Redrive: finds in the history what an ended execution was doing when it failed (ASL A16.78).

Storage has only what is running; the history has what has run (ADR 0004). So a redrive first applies the history's
turns again, except what failed or was canceled. What remains are the states that did not succeed, and the branches
and iterations around them. The command contains them, so that its applier does not read the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from stepwell.engine.appliers import APPLIERS
from stepwell.engine.limits import AWS, HISTORY_EVENTS, LONGEST_SECONDS, STANDARD, Limits
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import DocumentReader, Left, decode_left, decode_turn
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.processors.quotas import DATA_LIMIT_EXCEEDED
from stepwell.engine.state.execution import Activity, Branch, Iteration, Level, LiveExecution
from stepwell.engine.state.partition_state import PartitionState
from stepwell.engine.state.restore import restore
from stepwell.engine.state.timers import TimerQueue
from stepwell.engine.state.turn import Turn
from stepwell.engine.state.workflows import Workflow, Workflows
from stepwell.engine.status import RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import (
    ActivityBranchStatus,
    ActivityIterationStatus,
    Context,
    ExecutionContext,
    ItemsContext,
)
from stepwell.engine.storage.storage import Storage, decode_tree

from .map_run_redrive import Problem, remains_of

_TREE_COMMANDS: Final = frozenset(
    {
        r.StartExecutionCommand,
        r.StartStateCommand,
        r.CompleteStateCommand,
        r.RetryStateCommand,
        r.ForkStateCommand,
        r.StartMapRunCommand,
        r.StartBranchCommand,
        r.CompleteBranchCommand,
        r.StartIterationCommand,
        r.CompleteIterationCommand,
    }
)
"""The commands that change the tree of running states. Tasks and timers leave nothing to redrive."""
Remains = Callable[[Activity], Iterable[Context]]
"""Gives the rows with which a state's map run continues."""
REDRIVABLE_SECONDS: Final = 14 * 24 * 3600
_encode = msgspec.msgpack.Encoder().encode


def redrive_problem(limits: Limits, context: ExecutionContext, now: int) -> str | None:
    """Why AWS would not redrive an ended execution, by its age or the length of its history (ASL A16.78)."""
    if limits.profile != AWS:
        return None
    if now - context.stopped_at > REDRIVABLE_SECONDS * 1_000_000:
        return "it ended more than 14 days ago"
    if now - context.started_at > LONGEST_SECONDS[STANDARD] * 1_000_000:
        return "it began more than a year ago"
    if context.last_event >= HISTORY_EVENTS - 1:
        return f"its history has {context.last_event} events"
    return None


def redrive_reason(limits: Limits, context: ExecutionContext, now: int) -> str | None:
    """The same in AWS's words: DescribeExecution's ``redriveStatusReason``."""
    problem = redrive_problem(limits, context, now)
    return None if problem is None else next(text for begin, text in _REASONS.items() if problem.startswith(begin))


_REASONS: Final = {
    "it ended": "Execution redrivable period exceeded",
    "it began": "Execution has exceeded the max execution time",
    "its history": "Execution history event limit exceeded",
}


def redrive_command(
    storage: Storage,
    workflow: Workflow,
    context: ExecutionContext,
    problem: Problem = lambda child: None,
    child_id: str | None = None,
    client_token: str | None = None,
) -> r.RedriveExecutionCommand:
    """The command that redrives an ended execution. Its history must be in storage, and its children must have ended.

    ``problem`` says why a child of one of its map runs cannot be redriven. ``child_id`` and ``client_token`` are fields
    of the command.
    """
    event = context.last_event + 1
    execution, left = _reapplied(turns(storage, context.id), workflow)
    rows: list[Context] = []
    if execution is not None:
        if context.error == DATA_LIMIT_EXCEEDED and execution.current is not None:
            _forget_children(execution.current)
        rows += _unfinished(execution, event, lambda activity: remains_of(storage, activity, problem))
    tree = _encode(rows)
    return r.RedriveExecutionCommand(
        context.id,
        count=context.redrive_count + 1,
        event=event,
        previous=0,
        tree=tree,
        child_id=child_id,
        left=_encode(left),
        client_token=client_token,
    )


def turns(storage: Storage, execution_id: str) -> Iterator[bytes]:
    """All turns of an execution, in order."""
    first, last = 1, b""
    while blobs := storage.history(execution_id, first):
        fresh = blobs[1:] if blobs[0] == last else blobs
        if not fresh:
            return
        yield from fresh
        last = fresh[-1]
        first = _last_event(last)


def _last_event(blob: bytes) -> int:
    return max(getattr(record, "event", 1) for record in decode_turn(blob).records)


def _reapplied(blobs: Iterable[bytes], workflow: Workflow) -> tuple[LiveExecution | None, list[Left]]:
    """The execution without what failed, and its levels that were between two states."""
    state = PartitionState(_One(workflow), TimerQueue(_no_timers))
    execution: LiveExecution | None = None
    left: dict[str, Left] = {}
    for blob in blobs:
        scope, timestamp, time, records = decode_turn(blob)
        turn = Turn(scope, execution, state, None, timestamp, time, 0)
        documents = DocumentReader()
        asked: tuple[r.Command, Document] | None = None
        for record in records:
            if isinstance(record, r.Command):
                asked = (record, documents.read(record))
                continue
            if asked is not None and not isinstance(record, r.CommandRejectedEvent):
                _apply(turn, *asked, left)
            asked = None
        execution = turn.execution
    if execution is None:
        return None, []
    return execution, [each for id, each in left.items() if _is_between(execution.level(id))]


def _is_between(level: Level | None) -> bool:
    return level is not None and level.status != SUCCEEDED and level.current is None


def _apply(turn: Turn, command: r.Command, document: Document, left: dict[str, Left]) -> None:
    """Apply a command again, unless it ends what is redriven."""
    if isinstance(command, r.RedriveExecutionCommand):
        assert turn.execution is not None
        turn.execution.current = None
        turn.execution.activities.clear()
        turn.execution.levels.clear()
        turn.execution.iteration_bytes = 0
        restore(turn.execution, decode_tree(command.tree))
        left.clear()
        left.update((each.id, each) for each in decode_left(command.left))
    elif type(command) in _TREE_COMMANDS and getattr(command, "status", SUCCEEDED) == SUCCEEDED:
        execution = turn.execution
        if isinstance(command, r.CompleteStateCommand) and execution is not None:
            level = execution.activities[command.activity_id].level
            left[level.id] = Left(level.id, command.next, document.text)
        APPLIERS[type(command)](turn, command, document)
        if isinstance(command, r.RetryStateCommand) and execution is not None:
            execution.activities[command.activity_id].map_run = None  # ended: the next attempt starts another


def _unfinished(level: Level, event: int, remains: Remains) -> Iterator[Context]:
    """The rows of what did not succeed in a level, with counters and event numbers as a redrive starts them."""
    activity = level.current
    if activity is None:
        return
    activity.attempt, activity.retries, activity.forked_event = 0, (), event
    if activity.children is not None:
        yield from _children(activity, activity.children, event, remains)
    elif activity.map_run is not None:
        yield from remains(activity)
    yield activity.row()


def _forget_children(activity: Activity) -> None:
    """If too much data failed a Parallel or inline Map state, all of its children run again.

    AWS's guide says so (redrive-executions): the children's results may be what was too large.
    """
    activity.children = activity.branch_status = activity.iteration_status = activity.items = None


def _children(
    activity: Activity, children: dict[int, Branch | Iteration], event: int, remains: Remains
) -> Iterator[Context]:
    running = 0
    for child in children.values():
        if child.status != SUCCEEDED:
            child.status, child.output, child.previous_event = RUNNING, NONE, event
            running += 1
            yield from _unfinished(child, event, remains)
        yield child.row()
    succeeded = len(children) - running
    if activity.iteration_status is not None:
        limits = activity.iteration_status
        activity.iteration_status = ActivityIterationStatus(
            limits.count,
            max_concurrency=limits.max_concurrency,
            tolerated_count=limits.tolerated_count,
            tolerated_percentage=limits.tolerated_percentage,
            next_index=limits.next_index,
            running=running,
            succeeded=succeeded,
        )
        assert activity.items is not None
        yield ItemsContext(activity.id, activity.items.text)
    elif activity.branch_status is not None:
        activity.branch_status = ActivityBranchStatus(activity.branch_status.count, running, succeeded)


class _One(Workflows):
    """The compiled definition of one execution."""

    def __init__(self, workflow: Workflow) -> None:
        super().__init__(lambda name, version: None, lambda name: None, list)
        self._workflow = workflow

    def get(self, id: str) -> Workflow:
        return self._workflow


def _no_timers(limit: int) -> list[Any]:
    return []
