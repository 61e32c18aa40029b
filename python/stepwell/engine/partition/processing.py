"""Processes one turn: commands, their events, their changes, and the commands that follow, until nothing follows."""

from __future__ import annotations

from collections import deque

from stepwell.engine.appliers import APPLIERS
from stepwell.engine.limits import LimitExceeded, Limits, check_document
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE
from stepwell.engine.processors.table import COMMAND_PROCESSORS
from stepwell.engine.state import pending_commands
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.turn import Item, Table, Turn, Unfinished
from stepwell.engine.status import ENDED, RUNNING
from stepwell.errors import StepwellError, StorageError
from stepwell.logs import about, logger

from .faults import failure, internal_error
from .inbox import Rejected

log = logger("stepwell.engine")

TABLE: Table = {
    kind: (step.accept, APPLIERS[kind], step.follow, step.event()) for kind, step in COMMAND_PROCESSORS.items()
}
"""Command → accept, apply, follow, and the event that answers the record just before it."""
FEW = 4
"""For so few commands that wait, documents are not counted: most executions have one command."""
_NO_LIMIT = 1 << 62


def process_turn(turn: Turn, table: Table, limits: Limits, budget: int = 0) -> Unfinished | None:
    """Process a turn's commands and those that follow, until the execution rests or the turn reaches its limit.

    Returns what is left for the next batch, if anything. ``budget`` is how many records the turn may have, of any
    size; 0: as many records and bytes as the limits say.
    """
    execution, max_bytes = turn.execution, _NO_LIMIT
    if not budget:
        budget, max_bytes = limits.turn_records, limits.turn_bytes
        if execution is not None and execution.weight > limits.execution_bytes and execution.status == RUNNING:
            turn.queue.appendleft((failure(turn.execution_id, _too_heavy(execution, limits)), NONE, 0))
    queue, records, outbox = turn.queue, turn.records, turn.outbox
    max_messages, replies, is_applied = limits.turn_messages, turn.replies, True
    while queue:
        if len(records) >= budget or turn.bytes >= max_bytes or (outbox and len(outbox) >= max_messages):
            return suspend(turn, table, limits)
        command, document, logged = queue.popleft()
        accept, apply, follow_up, event = table[type(command)]
        try:
            reason = accept(turn, command)
            if reason is not None:
                _reject(turn, command, logged, reason)
                continue
            if command.document is None or document is turn.last_document:
                records.append(command)
            else:
                turn.write(command, document)
            if logged:
                records.append(type(event)(logged))
                pending_commands.answered(turn, logged)
            else:
                records.append(event)
            is_applied = False
            apply(turn, command, document)
            is_applied = True
            follow = follow_up(turn, command, document)
            if follow:
                if queue or len(follow) > FEW:
                    turn.bytes += _bytes_to_write(follow, len(queue))
                if type(command) is r.TriggerTimerCommand:  # it was due before what is queued behind it
                    queue.extendleft(reversed(follow))
                else:
                    queue += follow
        except StorageError:
            raise
        except Exception as error:
            if not is_applied:  # it may be half done: nothing of this turn can be kept
                raise
            _fail_execution(turn, command, logged, error)
            continue
        if replies:
            reply = replies.pop(id(command), None)
            if reply is not None:
                turn.effects.append((reply, turn.execution_id, None))
    if turn.at_rest is not None and _queue_what_follows_at_rest(turn):
        return process_turn(turn, table, limits, budget)
    return None


def _queue_what_follows_at_rest(turn: Turn) -> bool:
    """Queue it if the execution runs on; whether it does."""
    follow, turn.at_rest = turn.at_rest, None
    runs_on = turn.execution is not None and turn.execution.status == RUNNING
    if follow is not None and runs_on:
        turn.queue.append(follow)
    return runs_on


def _bytes_to_write(follow: list[Item], waiting: int) -> int:
    """The size of documents that were just made. Others are counted already, or belong to other commands too."""
    if waiting + len(follow) <= FEW:
        return 0
    return sum([len(document.text) for _, document, _ in follow if not document.is_encoded])


def _too_heavy(execution: LiveExecution, limits: Limits) -> LimitExceeded:
    text = f"The execution holds documents of about {execution.weight} bytes; {limits.execution_bytes} is the most."
    return LimitExceeded("States.DataLimitExceeded", text)


def _reject(turn: Turn, command: r.Command, logged: int, reason: str) -> None:
    if logged:
        turn.records.append(r.CommandRejectedEvent(logged, reason))
        pending_commands.answered(turn, logged)
    reply = turn.replies.pop(id(command), None)
    if reply is not None:
        turn.effects.append((reply, None, Rejected(reason)))


def suspend(turn: Turn, table: Table, limits: Limits) -> Unfinished | None:
    """Write the commands that are left to the log, without events, and return them: the next batch continues."""
    processed = turn.processed + len(turn.records)
    if processed > limits.restless_records and turn.execution is not None:
        text = f"The execution made {processed} records without coming to rest: it may go round in a circle."
        return _end(turn, table, limits, LimitExceeded("States.Runtime", text))
    try:
        _check_documents(turn, limits)
    except LimitExceeded as error:
        if turn.execution is None:
            raise
        return _end(turn, table, limits, error)
    if turn.at_rest is not None:
        _queue_what_follows_at_rest(turn)
    left = Unfinished(deque(), turn.replies, processed)
    written: list[Item] = []
    for command, document, logged in turn.queue:
        if not logged:
            turn.write(command, document)
            logged = turn.position + len(turn.records)
            written.append((command, document, logged))
        left.items.append((command, document, logged))
    pending_commands.keep(turn, written)
    turn.queue = deque()
    return left


def _check_documents(turn: Turn, limits: Limits) -> None:
    for command, document, logged in turn.queue:
        if not logged and command.document is not None and document is not NONE:
            kind = type(command).__name__.removesuffix("Command")
            check_document(f"The {command.document} of {kind}", document.text, limits)


def _fail_execution(turn: Turn, command: r.Command, logged: int, error: Exception) -> None:
    """A defect in an execution fails that execution. Its cause says so."""
    execution = turn.execution
    if execution is None or isinstance(command, r.CompleteExecutionCommand) or execution.status in ENDED:
        raise error
    if not isinstance(error, LimitExceeded):
        log.error(
            "execution %s is at fault, and fails", execution.id, exc_info=error, extra=about(execution=execution.id)
        )
    reply = turn.replies.pop(id(command), None)
    if reply is not None:
        turn.effects.append((reply, None, error if isinstance(error, StepwellError) else internal_error(error)))
    if logged and pending_commands.key_of(logged) not in turn.changes:
        _reject(turn, command, logged, str(error))
    turn.queue.appendleft((failure(execution.id, error), NONE, 0))


def _end(turn: Turn, table: Table, limits: Limits, error: Exception) -> Unfinished | None:
    assert turn.execution is not None
    turn.queue.appendleft((failure(turn.execution.id, error), NONE, 0))
    turn.processed = -len(turn.records)
    return process_turn(turn, table, limits, len(turn.records) + len(turn.queue) + 1)
