"""A batch that cannot be made: its turns are processed one by one, and the execution at fault fails alone.

An error in a processor is handled in its turn (``_fail_execution`` in ``processing.py``). Errors here are worse: an
applier that failed half-way, a text that cannot be encoded, an execution that cannot be loaded. Nothing of the batch
is on the log yet. So memory is discarded, and the state is read from storage again.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from stepwell.engine.log.document import NONE
from stepwell.engine.state.turn import Item, Reply, Turn, Unfinished
from stepwell.errors import StorageError
from stepwell.logs import about, logger

from .batching import BatchProcessor
from .effects import Effects
from .faults import failure

log = logger("stepwell.engine")


TurnInput: TypeAlias = tuple[str, list[Item], dict[int, Reply]]
"""What a turn was to process: its execution, its commands and who gets their results."""


def turn_inputs(turns: dict[str, Turn]) -> list[TurnInput]:
    """What the turns of a batch must process, kept for the case that the batch cannot be made."""
    if "" not in turns:
        return [(id, list(turn.queue), turn.replies.copy()) for id, turn in turns.items()]
    kept: list[TurnInput] = []
    for turn in turns.values():
        if turn.execution_id:
            kept.append((turn.execution_id, list(turn.queue), turn.replies.copy()))
            continue
        for item in turn.queue:  # commands of no execution are independent of each other
            mine = id(item[0])
            replies = {mine: turn.replies[mine]} if mine in turn.replies else {}
            kept.append(("", [item], replies))
    return kept


def isolate(processor: BatchProcessor, effects: Effects, inputs: list[TurnInput]) -> None:
    """Make a batch of each turn. If that fails, the turn's execution fails."""
    processor.discard({})
    for execution_id, items, replies in inputs:
        error = _attempt(processor, execution_id, deque(items), replies.copy())
        if error is not None:
            log.error(
                "execution %s is at fault, and fails", execution_id, exc_info=error, extra=about(execution=execution_id)
            )
            for reply in replies.values():
                effects.refuse(reply, error)
            _end(processor, execution_id, items, error)


def _attempt(
    processor: BatchProcessor, execution_id: str, items: deque[Item], replies: dict[int, Reply]
) -> Exception | None:
    """Process one turn. If that fails, restore everything and return the error."""
    unfinished = {
        key: Unfinished(left.items.copy(), left.replies.copy(), left.processed)
        for key, left in processor.unfinished.items()
    }
    try:
        processor.process_alone(execution_id, items, replies)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - any error is the fault of the turn's execution
        processor.discard(unfinished)
        return error
    return None


def _end(processor: BatchProcessor, execution_id: str, items: list[Item], error: Exception) -> None:
    logged = deque(item for item in items if item[2])
    logged.appendleft((failure(execution_id, error), NONE, 0))
    another = _attempt(processor, execution_id, logged, {})
    if another is not None:
        processor.give_up(execution_id)
        log.critical("execution %s cannot be ended: it is left as it is", execution_id, exc_info=another)
