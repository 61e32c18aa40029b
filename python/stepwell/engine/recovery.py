"""Replay: storage is brought to where the log is, by the appliers alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from stepwell import _core
from stepwell.errors import StorageError

from . import pending
from . import records as r
from .appliers import APPLIERS
from .batch import Batch
from .codec import DocumentReader, decode_turn
from .contexts import SequenceContext, TaskContext
from .documents import NONE
from .eviction import is_crowded
from .storage import Storage
from .turn import Item, Turn

if TYPE_CHECKING:
    from .partition import Partition

READ_BYTES = 8 << 20
TASK_PAGE = 200
FLUSH_BYTES = 1 << 20
"""After so much of the log what was replayed is put on disk: a process that is killed again and again, while it
recovers, gets further each time."""


def replay(partition: Partition) -> None:
    """Apply every batch behind the applied position."""
    store, state = partition.store, partition.state
    sequence = partition.storage.get(SequenceContext, "task")
    state.last_task = sequence.value if sequence is not None else 0
    position, replayed = store.applied() + 1, 0
    while position <= store.tail():
        for first, _, count, payload in store.read_log(position, READ_BYTES):
            apply_batch(partition, first, payload)
            position, replayed = first + count, replayed + len(payload)
            if replayed > FLUSH_BYTES:
                replayed = 0
                store.flush()
            if is_crowded(partition):
                state.forget()
    state.forget()


def apply_batch(partition: Partition, first: int, payload: bytes) -> None:
    """Apply one batch of the log, whose first record stands at ``first``."""
    batch = read_batch(partition, first, payload)
    partition.store.apply(batch.turns, batch.changes(), first + batch.count - 1, batch.timestamp)


def read_batch(partition: Partition, first: int, payload: bytes) -> Batch:
    """What a batch of the log comes to, whose first record stands at ``first``; live executions know it already."""
    batch = Batch()
    for blob in _core.split_turns(payload):
        turn, count = _apply_turn(partition, blob, first + batch.count)
        batch.add(turn, blob, count)
    return batch


def _apply_turn(partition: Partition, blob: bytes, first: int) -> tuple[Turn, int]:
    try:
        scope, timestamp, time, records = decode_turn(blob)
    except msgspec.DecodeError as error:
        raise StorageError(
            f"the log's position {first} holds what this version does not know ({error}); upgrade it"
        ) from error
    execution = partition.execution(scope) if scope else None
    turn = Turn(scope, execution, partition.state, partition, timestamp, time, first - 1)
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
            pending.answered(turn, record.answers)
        if asked is not None and not isinstance(record, r.CommandRejectedEvent):
            APPLIERS[type(asked)](turn, asked, document)
        asked = None
    if asked is not None:
        unanswered.append((asked, document, first + len(records) - 1))
    pending.keep(turn, unanswered)
    return turn, len(records)


def unanswered(storage: Storage) -> dict[str, deque[Item]]:
    """The commands on the log that have no event, by execution, in the log's order."""
    items: dict[str, deque[Item]] = {}
    for scope, item in pending.read(storage):
        items.setdefault(scope, deque()).append(item)
    return items


def open_tasks(storage: Storage) -> Iterator[list[TaskContext]]:
    """The tasks that were with handlers of this process, and those whose jobs it looks after: page by page."""
    after: tuple[Any, ...] | None = None
    while tasks := storage.scan(TaskContext, after=after, limit=TASK_PAGE):
        yield [task for task in tasks if _was_out(task)]
        after = (tasks[-1].id,)


def _was_out(task: TaskContext) -> bool:
    return not task.queue and (task.status == "Active" or (task.status == "Submitted" and task.token is None))
