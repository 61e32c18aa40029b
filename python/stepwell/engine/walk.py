"""The walk of one turn: a command, its event, what it changes, and the commands that follow, until all rests."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from stepwell.errors import StepwellError, StorageError

from . import contexts as c
from . import quarantine
from . import records as r
from .codec import encode_record
from .documents import NONE
from .inbox import Rejected
from .status import ENDED
from .turn import LimitExceeded, Turn, Unfinished

if TYPE_CHECKING:
    from .partition import Partition

log = logging.getLogger("stepwell.engine")


def walk(partition: Partition, turn: Turn, budget: int = 0) -> None:
    """Process a turn's commands and what follows from them, until the execution rests."""
    queue, records, table = turn.queue, turn.records, partition.table
    budget = budget or partition.limits.turn_records
    most_messages = partition.limits.turn_messages
    while queue:
        if len(records) >= budget or len(turn.outbox) >= most_messages:
            leave(partition, turn)
            return
        command, document, logged = queue.popleft()
        accept, apply, follow_up, event = table[type(command)]
        is_applied = True
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
                turn.changes[f"pending {logged}"] = (-12, logged)
            else:
                records.append(event)
            is_applied = False
            apply(turn, command, document)
            is_applied = True
            follow = follow_up(turn, command, document)
        except StorageError:
            raise
        except Exception as error:
            if not is_applied:  # half of it may be done: nothing of this turn can be kept
                raise
            _poison(turn, command, logged, error)
            continue
        if follow:
            queue.extend(follow)
        if turn.replies:
            reply = turn.replies.pop(id(command), None)
            if reply is not None:
                turn.effects.append((reply, turn.scope, None))


def _reject(turn: Turn, command: r.Command, logged: int, reason: str) -> None:
    if logged:
        turn.records.append(r.CommandRejectedEvent(logged, reason))
        turn.changes[f"pending {logged}"] = (-12, logged)
    reply = turn.replies.pop(id(command), None)
    if reply is not None:
        turn.effects.append((reply, None, Rejected(reason)))


def leave(partition: Partition, turn: Turn) -> None:
    """Put what is left on the log, unanswered, and go on with it in the next batch."""
    walked = turn.walked + len(turn.records)
    if walked > partition.limits.restless_records and turn.execution is not None:
        text = f"The execution made {walked} records without coming to rest: it may go round in a circle."
        _end(partition, turn, LimitExceeded("States.Runtime", text))
        return
    left = partition.unfinished.setdefault(turn.scope, Unfinished(deque(), {}, walked))
    for command, document, logged in turn.queue:
        if not logged:
            if command.document is not None:
                setattr(command, command.document, document.text)
            turn.records.append(command)
            logged = turn.position + len(turn.records)
            row = c.PendingCommandContext(logged, turn.scope, encode_record(command))
            turn.create(f"pending {logged}", row)
        left.items.append((command, document, logged))
    left.replies.update(turn.replies)
    turn.queue = deque()


def _poison(turn: Turn, command: r.Command, logged: int, error: Exception) -> None:
    """A defect met in one execution ends that execution, and says so in its cause."""
    execution = turn.execution
    if execution is None or isinstance(command, r.CompleteExecutionCommand) or execution.status in ENDED:
        raise error
    if not isinstance(error, LimitExceeded):
        log.error("execution %s is at fault, and fails", execution.id, exc_info=error)
    reply = turn.replies.pop(id(command), None)
    if reply is not None:
        told = error if isinstance(error, StepwellError) else quarantine.internal_error(error)
        turn.effects.append((reply, None, told))
    if logged and f"pending {logged}" not in turn.changes:
        _reject(turn, command, logged, str(error))
    turn.queue.appendleft((quarantine.failure(execution.id, error), NONE, 0))


def _end(partition: Partition, turn: Turn, error: Exception) -> None:
    assert turn.execution is not None
    turn.queue.appendleft((quarantine.failure(turn.execution.id, error), NONE, 0))
    turn.walked = -len(turn.records)
    walk(partition, turn, len(turn.records) + len(turn.queue) + 1)
