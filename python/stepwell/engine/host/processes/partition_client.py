"""What a program needs of a partition that is elsewhere: in a process of its own, or led by a node of a cluster."""

from __future__ import annotations

from typing import Any, Protocol

from stepwell.engine.host.promises import Promise
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import Command

from . import messages as m


class PartitionClient(Protocol):
    """One partition. Every method may be called from any thread."""

    @property
    def pid(self) -> int:
        """The process that runs it; 0 where that is not known."""
        ...

    @property
    def unanswered(self) -> int:
        """How many requests have no reply yet."""
        ...

    @property
    def tasks(self) -> int:
        """How many of its tasks handlers have here."""
        ...

    def submit(self, command: Command, document: Document, answer: Promise) -> None:
        """Put a command into the partition's inbox. Raises ``Busy``."""
        ...

    def read(self, answer: Promise, operation: str, *arguments: Any, **options: Any) -> None:
        """Call a reading method of the partition's store."""
        ...

    def watch(self, id: str) -> None:
        """Have the end of an execution reported; if it has ended, at once."""
        ...

    def answer(self, results: list[m.TaskResult]) -> None:
        """Send results of handlers."""
        ...

    def keep_alive(self, task_id: str) -> None:
        """A handler reports that its work continues."""
        ...

    def set_handlers(self, windows: list[tuple[str, int]]) -> None:
        """The program has another handler, or another limit."""
        ...

    def free(self, limit: str) -> None:
        """A task is not counted for its limit any longer."""
        ...

    def observe(self, names: list[str]) -> None:
        """Send the events of these names, from now on."""
        ...
