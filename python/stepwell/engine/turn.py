"""One execution's walk from a command to rest: what it writes, changes and asks of the world.

A turn is written to the log and applied whole or not at all. Rows that appear and go within a turn
never reach storage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from stepwell._core import json_depth
from stepwell.errors import StepwellError

from .contexts import Context
from .documents import NONE, Document
from .inbox import Limits
from .live import Execution
from .records import Command, Event
from .state import PartitionState

Item = tuple[Command, Document, int]
"""A command to process, its document, and its position if it stands on the log already."""

Effect = tuple[Any, ...]
"""``(function, argument, …)``: called once the turn is durable."""

_encode = msgspec.msgpack.Encoder().encode
_ROWS = (tuple, Context)

SMALL = 256
"""A document of so many bytes is never refused."""


class LimitExceeded(StepwellError):
    """An execution asks for more than one may have: it fails with the ASL error ``name``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def check_document(what: str, text: bytes, limits: Limits) -> None:
    """Raise ``LimitExceeded`` for a document that is larger, or nested more deeply, than one may be."""
    if len(text) > limits.document_bytes:
        text_of_limit = f"has {len(text)} bytes; {limits.document_bytes} is the most that there may be."
        raise LimitExceeded("States.DataLimitExceeded", f"{what} {text_of_limit}")
    most = limits.document_depth
    if most is not None and (depth := json_depth(text)) > most:
        raise LimitExceeded("States.Runtime", f"{what} is nested {depth} deep; {most} is the most that it may be.")


class Unfinished(NamedTuple):
    """What a turn left for the next batch, all of it on the log, after ``walked`` records without a rest."""

    items: deque[Item]
    replies: dict[int, Callable[..., None]]
    walked: int


class Turn:
    """What one execution did in one batch."""

    __slots__ = (
        "_created",
        "bytes",
        "changes",
        "effects",
        "execution",
        "first_event",
        "high_water",
        "last_document",
        "last_task",
        "now",
        "outbox",
        "position",
        "queue",
        "records",
        "replies",
        "scope",
        "services",
        "state",
        "subject",
        "timestamp",
        "walked",
    )

    def __init__(
        self,
        scope: str,
        execution: Execution | None,
        state: PartitionState,
        services: Any,
        timestamp: int,
        now: int,
        position: int,
    ) -> None:
        self.scope, self.execution, self.state, self.services = scope, execution, state, services
        self.timestamp, self.now, self.position = timestamp, now, position
        self.high_water = timestamp
        """The last timestamp that it gave out, if it reserved any."""
        self.records: list[Command | Event] = []
        self.queue: deque[Item] = deque()
        self.changes: dict[str, Any] = {}
        self.effects: list[Effect] = []
        self.outbox: list[tuple[str, Command, Document]] = []
        """Commands for other executions, by their scope: processed, or logged, in the same batch."""
        self.replies: dict[int, Callable[..., None]] = {}
        self.walked = 0
        self.bytes = 0
        """About what its large documents and texts take, written or still to be written."""
        self.last_task = 0
        """How many task numbers were given out by the last task that it creates; 0: it creates none."""
        self.subject: Any = None
        """What the command under way is about, as its ``accept`` found it."""
        self.first_event = execution.context.last_event + 1 if execution is not None else 1
        self._created: set[str] = set()
        self.last_document: Document | None = None
        """The last document that was written: a command that has the same one does not write it again."""

    @property
    def last_event(self) -> int:
        """The number of the execution's last history event."""
        return self.execution.context.last_event if self.execution is not None else 0

    # the log

    def write(self, command: Command, document: Document) -> None:
        """Put a command on the log. Its document is written once in a turn."""
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
        """Count what a command has beside its document."""
        for text in texts:
            if text is not None:
                self.bytes += len(text)

    def encode(self) -> bytes:
        """The turn as it stands on the log."""
        return _encode((self.scope, self.timestamp, self.now, self.records))

    def send(self, scope: str, command: Command, document: Document = NONE) -> None:
        """Give another execution a command; it stands in the same batch, so neither is there without the other."""
        self.outbox.append((scope, command, document))
        self.bytes += len(document.text)

    # storage

    def put(self, key: str, source: Any) -> None:
        """Keep a row: ``source`` is a context, or has one as its ``row()`` at the end of the turn."""
        self.changes[key] = source

    def create(self, key: str, source: Any) -> None:
        """Keep a row that storage does not have yet."""
        if key not in self.changes:
            self._created.add(key)
        self.changes[key] = source

    def drop(self, key: str, deletion: tuple[Any, ...]) -> None:
        """Remove a row: ``deletion`` is its negative tag and what names it."""
        if key in self._created:
            self._created.discard(key)
            self.changes.pop(key, None)
        else:
            self.changes[key] = deletion

    def rows(self) -> list[Any]:
        """The rows to put, as contexts, and to delete, as tuples."""
        return [source if isinstance(source, _ROWS) else source.row() for source in self.changes.values()]
