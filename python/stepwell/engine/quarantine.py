"""A batch that cannot be made: its turns are done one by one, and the execution at fault fails alone.

A processor that fails is dealt with in its turn (``Partition._poison``). What comes here is worse: an
applier that failed half-way, a text that cannot be written, an execution that does not wake. Nothing of
the batch is on the log yet, so all of it is forgotten, and storage says again how things stand.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from stepwell.errors import InternalError, StorageError, TooLargeError
from stepwell.logs import logger

from .documents import NONE
from .inbox import Reply
from .records import CompleteExecutionCommand
from .status import FAILED
from .turn import Item, LimitExceeded, Turn, Unfinished

if TYPE_CHECKING:
    from .partition import Partition

log = logger("stepwell.engine")


class Given(NamedTuple):
    """What a turn was to process."""

    scope: str
    items: list[Item]
    replies: dict[int, Reply]


def given(turns: dict[str, Turn]) -> list[Given]:
    """What the turns of a batch are to process, kept for the case that the batch cannot be made."""
    if "" not in turns:
        return [Given(scope, list(turn.queue), turn.replies.copy()) for scope, turn in turns.items()]
    kept: list[Given] = []
    for turn in turns.values():
        if turn.scope:
            kept.append(Given(turn.scope, list(turn.queue), turn.replies.copy()))
            continue
        for item in turn.queue:  # of no execution: each is somebody else's
            mine = id(item[0])
            replies = {mine: turn.replies[mine]} if mine in turn.replies else {}
            kept.append(Given("", [item], replies))
    return kept


def process_one_by_one(partition: Partition, batch: list[Given]) -> None:
    """Make a batch of each turn; where that fails, the turn's execution fails."""
    partition.unfinished = {}
    partition.forget()
    for scope, items, replies in batch:
        error = _attempt(partition, scope, deque(items), replies.copy())
        if error is not None:
            log.error("execution %s is at fault, and fails", scope, exc_info=error)
            for reply in replies.values():
                partition.refuse(reply, error)
            _end(partition, scope, items, error)


def _attempt(partition: Partition, scope: str, items: deque[Item], replies: dict[int, Reply]) -> Exception | None:
    """Process one turn, or leave everything as it was before and say why."""
    unfinished = {
        key: Unfinished(left.items.copy(), left.replies.copy(), left.walked)
        for key, left in partition.unfinished.items()
    }
    try:
        partition.process(scope, items, replies)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the turn's execution is at fault
        partition.unfinished = unfinished
        partition.forget()
        return error
    return None


def _end(partition: Partition, scope: str, items: list[Item], error: Exception) -> None:
    logged = deque(item for item in items if item[2])
    logged.appendleft((failure(scope, error), NONE, 0))
    another = _attempt(partition, scope, logged, {})
    if another is not None:
        partition.stuck.add(scope)
        log.critical("execution %s cannot be ended: it is left as it is", scope, exc_info=another)


def failure(scope: str, error: Exception) -> CompleteExecutionCommand:
    """The end of an execution that went beyond a limit, or met a defect; its cause says so."""
    if isinstance(error, LimitExceeded):
        return CompleteExecutionCommand(scope, FAILED, None, error.name, str(error), 0, 0)
    if isinstance(error, TooLargeError):
        return CompleteExecutionCommand(scope, FAILED, None, "States.Runtime", str(error), 0, 0)
    return CompleteExecutionCommand(scope, FAILED, None, "States.Runtime", str(internal_error(error)), 0, 0)


def internal_error(error: BaseException) -> InternalError:
    """A defect in words, for whoever asked for what met it."""
    text = f"An internal error occurred: {type(error).__name__}: {error}"
    wrapped = InternalError(text.encode("utf-8", "replace").decode())
    wrapped.__cause__ = error
    return wrapped
