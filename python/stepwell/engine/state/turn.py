"""A turn: what one execution does in one batch: its records, the rows that it changes, its effects.

A turn is written to the log and applied as a whole or not at all. Rows that are created and removed within a turn
never reach storage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

from stepwell.engine.limits import SMALL, check_document
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.log.records import Command, Event
from stepwell.engine.storage.contexts import Context, TaskContext

from .child_inputs import Inputs
from .execution import Activity, Branch, Iteration, LiveExecution
from .map_run import MapRun
from .partition_state import PartitionState
from .services import Effect, Services

Item = tuple[Command, Document, int]
"""A command to process, its document, and its position if it is on the log already."""

_encode = msgspec.msgpack.Encoder().encode


Reply = Callable[[Any, BaseException | None], None]
"""Gets the result of a command, or why it was refused."""

_ROWS = (tuple, Context)


class RowSource(Protocol):
    """A part of a live execution that has a row of storage at the end of a turn."""

    def row(self) -> Context:
        """The row at that moment."""
        ...


Deletion = tuple[str | int, ...]
"""Removes a row: ``REMOVE_…`` and the fields of its key."""

Accept = Callable[["Turn", Any], str | None]
"""``accept(turn, command)`` numbers the command's history events, or returns why it cannot be done."""

Apply = Callable[["Turn", Any, Document], None]
"""``apply(turn, command, document)`` makes the command's changes, when its event is applied."""

Follow = Callable[["Turn", Any, Document], list[Item]]
"""``follow(turn, command, document)`` returns the commands that follow, after the event was applied."""

Table = Mapping[type[Command], tuple[Accept, Apply, Follow, Event]]
"""How each kind of command is processed, and the event that answers it."""


class Unfinished(NamedTuple):
    """What a turn left for the next batch, all of it on the log, and the records ``processed`` since it last rested."""

    items: deque[Item]
    replies: dict[int, Reply]
    processed: int


class Turn:
    """What one execution did in one batch."""

    services: Services

    # What ``accept`` found for the current command, for its ``follow``: set only by a command that needs it.
    activity: Activity
    task: TaskContext
    level: Branch | Iteration
    children: list[str]
    """The ids of child executions that it concerns."""
    map_runs: list[MapRun]
    inputs: Inputs

    __slots__ = (
        "_created",
        "activity",
        "at_rest",
        "bytes",
        "changes",
        "children",
        "effects",
        "execution",
        "execution_id",
        "first_event",
        "high_water",
        "inputs",
        "last_document",
        "last_task",
        "level",
        "map_runs",
        "now",
        "outbox",
        "position",
        "processed",
        "queue",
        "records",
        "replies",
        "services",
        "state",
        "task",
        "timestamp",
    )

    def __init__(
        self,
        execution_id: str,
        execution: LiveExecution | None,
        state: PartitionState,
        services: Services | None,
        timestamp: int,
        now: int,
        position: int,
    ) -> None:
        self.execution_id, self.execution, self.state = execution_id, execution, state
        if services is not None:  # a replay has none: asking for them there is an error
            self.services = services
        self.timestamp, self.now, self.position = timestamp, now, position
        self.high_water = timestamp
        """The last timestamp that it reserved, if any."""
        self.records: list[Command | Event] = []
        self.queue: deque[Item] = deque()
        self.changes: dict[str, Context | RowSource | Deletion] = {}
        self.effects: list[Effect] = []
        self.outbox: list[tuple[str, Command, Document]] = []
        """Commands for other executions, by their ids. They are processed, or logged, in the same batch."""
        self.replies: dict[int, Reply] = {}
        self.at_rest: Item | None = None
        """What follows when the execution rests and runs on: most executions end before, and need no timeout."""
        self.processed = 0
        self.bytes = 0
        """About the size of its large documents and texts, written or not."""
        self.last_task = 0
        """The count of task numbers after the last task that it creates; 0: it creates none."""
        self.first_event = execution.context.last_event + 1 if execution is not None else 1
        self._created: set[str] = set()
        self.last_document: Document | None = None
        """The last document that was written. A command with the same document does not write it again."""

    @property
    def last_event(self) -> int:
        """The number of the execution's last history event."""
        return self.execution.context.last_event if self.execution is not None else 0

    def resume(self, left: Unfinished) -> None:
        """Continue with what a turn of the last batch left."""
        self.queue, self.replies, self.processed = left.items, left.replies, left.processed
        for command, _, logged in left.items:
            if logged and command.document is not None:  # it is on the log, and perhaps written again
                setattr(command, command.document, None)

    # the log

    def write(self, command: Command, document: Document) -> None:
        """Add a command to the records. Its document is written once in a turn."""
        field = command.document
        if field is not None:
            if document is NONE:
                setattr(command, field, b"")
            elif document is not self.last_document:
                text = document.text
                if len(text) > SMALL:
                    kind = type(command).__name__.removesuffix("Command")
                    check_document(f"The {field} of {kind}", text, self.services.limits)
                    self.bytes += len(text)
                setattr(command, field, text)
                self.last_document = document
        self.records.append(command)

    def hold(self, *texts: str | bytes | None) -> None:
        """Count the texts of a command other than its document."""
        for text in texts:
            if text is not None:
                self.bytes += len(text)

    def encode(self) -> bytes:
        """The turn, encoded for the log."""
        return _encode((self.execution_id, self.timestamp, self.now, self.records))

    def send(self, execution_id: str, command: Command, document: Document = NONE) -> None:
        """Send a command to another execution. It is in the same batch: neither turn exists without the other."""
        self.outbox.append((execution_id, command, document))
        self.bytes += len(document.text)

    # storage

    def put(self, key: str, source: Context | RowSource) -> None:
        """Write a row: ``source`` is a context, or returns one from ``row()`` at the end of the turn."""
        self.changes[key] = source

    def create(self, key: str, source: Context | RowSource) -> None:
        """Write a row that storage does not have yet."""
        if key not in self.changes:
            self._created.add(key)
        self.changes[key] = source

    def drop(self, key: str, deletion: Deletion) -> None:
        """Remove a row: ``deletion`` is its negative tag and the fields of its key."""
        if key in self._created:
            self._created.discard(key)
            self.changes.pop(key, None)
        else:
            self.changes[key] = deletion

    def rows(self) -> list[Context | Deletion]:
        """The rows to write, as contexts, and to remove, as tuples."""
        return [source if isinstance(source, _ROWS) else source.row() for source in self.changes.values()]
