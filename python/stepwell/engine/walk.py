"""The walk of one turn: a command, its event, what it changes, and the commands that follow, until all rests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stepwell.errors import StepwellError, StorageError
from stepwell.logs import logger

from . import pending, quarantine
from . import records as r
from .documents import NONE
from .inbox import Rejected
from .status import ENDED, RUNNING
from .turn import Item, LimitExceeded, Turn, Unfinished, check_document

if TYPE_CHECKING:
    from .inbox import Limits
    from .live import Execution
    from .partition import Partition

log = logger("stepwell.engine")

FEW = 4
"""The documents of so many commands that are still to be processed are not counted: most executions have one."""
_NO_LIMIT = 1 << 62


def forget_written(items: Iterable[Item]) -> None:
    """Take the documents out of commands that are on the log already: they are written again, perhaps without them."""
    for command, _, logged in items:
        if logged and command.document is not None:
            setattr(command, command.document, None)


def walk(partition: Partition, turn: Turn, budget: int = 0) -> None:
    """Process a turn's commands and what follows from them, until the execution rests or the turn is long enough.

    ``budget`` is how many records it may have, of any size; 0: as many records and bytes as the limits say.
    """
    limits, execution, most_bytes = partition.limits, turn.execution, _NO_LIMIT
    if not budget:
        budget, most_bytes = limits.turn_records, limits.turn_bytes
        if execution is not None and execution.weight > limits.execution_bytes and execution.status == RUNNING:
            turn.queue.appendleft((quarantine.failure(turn.scope, _too_heavy(execution, limits)), NONE, 0))
    queue, records, outbox, table = turn.queue, turn.records, turn.outbox, partition.table
    most_messages, replies, is_applied = limits.turn_messages, turn.replies, True
    while queue:
        if len(records) >= budget or turn.bytes >= most_bytes or (outbox and len(outbox) >= most_messages):
            leave(partition, turn)
            return
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
                pending.answered(turn, logged)
            else:
                records.append(event)
            is_applied = False
            apply(turn, command, document)
            is_applied = True
            follow = follow_up(turn, command, document)
            if follow:
                if queue or len(follow) > FEW:
                    turn.bytes += _bytes_to_write(follow, len(queue))
                queue += follow
        except StorageError:
            raise
        except Exception as error:
            if not is_applied:  # half of it may be done: nothing of this turn can be kept
                raise
            _poison(turn, command, logged, error)
            continue
        if replies:
            reply = replies.pop(id(command), None)
            if reply is not None:
                turn.effects.append((reply, turn.scope, None))


def _bytes_to_write(follow: list[Item], waiting: int) -> int:
    """What documents take that were just made. The others have been counted, or are somebody else's too."""
    if waiting + len(follow) <= FEW:
        return 0
    return sum([len(document.text) for _, document, _ in follow if not document.is_encoded])


def _too_heavy(execution: Execution, limits: Limits) -> LimitExceeded:
    text = f"The execution holds documents of about {execution.weight} bytes; {limits.execution_bytes} is the most."
    return LimitExceeded("States.DataLimitExceeded", text)


def _reject(turn: Turn, command: r.Command, logged: int, reason: str) -> None:
    if logged:
        turn.records.append(r.CommandRejectedEvent(logged, reason))
        pending.answered(turn, logged)
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
    try:
        _check_documents(turn)
    except LimitExceeded as error:
        if turn.execution is None:
            raise
        _end(partition, turn, error)
        return
    left = partition.unfinished.setdefault(turn.scope, Unfinished(deque(), {}, walked))
    written: list[Item] = []
    for command, document, logged in turn.queue:
        if not logged:
            turn.write(command, document)
            logged = turn.position + len(turn.records)
            written.append((command, document, logged))
        left.items.append((command, document, logged))
    pending.keep(turn, written)
    left.replies.update(turn.replies)
    turn.queue = deque()


def _check_documents(turn: Turn) -> None:
    for command, document, logged in turn.queue:
        if not logged and command.document is not None and document is not NONE:
            kind = type(command).__name__.removesuffix("Command")
            check_document(f"The {command.document} of {kind}", document.text, turn.services.limits)


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
    if logged and pending.key_of(logged) not in turn.changes:
        _reject(turn, command, logged, str(error))
    turn.queue.appendleft((quarantine.failure(execution.id, error), NONE, 0))


def _end(partition: Partition, turn: Turn, error: Exception) -> None:
    assert turn.execution is not None
    turn.queue.appendleft((quarantine.failure(turn.execution.id, error), NONE, 0))
    turn.walked = -len(turn.records)
    walk(partition, turn, len(turn.records) + len(turn.queue) + 1)
