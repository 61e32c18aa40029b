"""Replay: the appliers apply the part of the log that storage lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stepwell import _core
from stepwell.engine.appliers import APPLIERS
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import DocumentReader, decode_turn
from stepwell.engine.log.document import NONE
from stepwell.engine.state import pending_commands
from stepwell.engine.state.batch import Batch
from stepwell.engine.state.executions import Executions
from stepwell.engine.state.turn import Item, Turn
from stepwell.engine.storage.contexts import SequenceContext
from stepwell.errors import StorageError

if TYPE_CHECKING:
    from stepwell._core import Store

READ_BYTES = 8 << 20
FLUSH_BYTES = 1 << 20
"""After so many bytes of log, storage is flushed. So a process that is killed during each recovery still gets further
each time.
"""


def replay(store: Store, executions: Executions) -> None:
    """Apply every batch behind the applied position."""
    state = executions.state
    sequence = executions.storage.get(SequenceContext, "task")
    state.last_task = sequence.value if sequence is not None else 0
    position, replayed = store.applied() + 1, 0
    while position <= store.tail():
        for first, _, count, payload in store.read_log(position, READ_BYTES):
            apply_batch(store, executions, first, payload)
            position, replayed = first + count, replayed + len(payload)
            if replayed > FLUSH_BYTES:
                replayed = 0
                store.flush()
            if executions.exceeds_memory():
                state.forget()
    state.forget()


def apply_batch(store: Store, executions: Executions, first: int, payload: bytes) -> None:
    """Apply one batch of the log. Its first record is at position ``first``."""
    batch = read_batch(executions, first, payload)
    store.apply(batch.turns, batch.changes(), first + batch.count - 1, batch.timestamp)


def read_batch(executions: Executions, first: int, payload: bytes) -> Batch:
    """Apply a batch of the log to the live executions, and return it. Its first record is at position ``first``."""
    batch = Batch()
    for blob in _core.split_turns(payload):
        turn, count = _apply_turn(executions, blob, first + batch.count)
        batch.add(turn, blob, count)
    return batch


def _apply_turn(executions: Executions, blob: bytes, first: int) -> tuple[Turn, int]:
    try:
        execution_id, timestamp, time, records = decode_turn(blob)
    except msgspec.DecodeError as error:
        raise StorageError(
            f"the log's position {first} holds what this version does not know ({error}); upgrade it"
        ) from error
    execution = executions.get(execution_id) if execution_id else None
    turn = Turn(execution_id, execution, executions.state, None, timestamp, time, first - 1)
    documents, document = DocumentReader(), NONE
    asked: r.Command | None = None
    unanswered: list[Item] = []
    for index, record in enumerate(records):
        if isinstance(record, r.Command):
            if asked is not None:
                unanswered.append((asked, document, first + index - 1))
            asked = record
            document = documents.read(record)
            continue
        if record.answers:
            pending_commands.answered(turn, record.answers)
        if asked is not None and not isinstance(record, r.CommandRejectedEvent):
            APPLIERS[type(asked)](turn, asked, document)
        asked = None
    if asked is not None:
        unanswered.append((asked, document, first + len(records) - 1))
    pending_commands.keep(turn, unanswered)
    return turn, len(records)
