"""What the rooms of an engine need of whoever runs its partitions: this process, or one process each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .documents import NONE, Document
from .records import Command
from .waiting import Answer, Deliver, Waiters

if TYPE_CHECKING:
    from stepwell import _core
    from stepwell.tasks.dispatch import HandlerPool
    from stepwell.tasks.handlers import Handlers

    from .storage import Storage
    from .workflows import Workflows


class Readable(Protocol):
    """Storage that can be read."""

    @property
    def storage(self) -> Storage:
        """The rows."""
        ...

    @property
    def workflows(self) -> Workflows:
        """The definitions that were deployed."""
        ...

    def check(self) -> None:
        """Raise what keeps it from working."""
        ...


class Hosting(Readable, Protocol):
    """Partitions at work. Every method may be called from any thread."""

    tenant: str
    namespace: str
    handlers: Handlers
    pool: HandlerPool
    queues: Waiters
    reads_wait: bool
    """Whether reads wait for another process, so that an event loop has better things to do."""

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        ...

    def submit(self, command: Command, document: Document, deliver: Deliver) -> None:
        """Put a command into an inbox; ``deliver`` gets what it came to, once that is durable. Raises ``Busy``."""
        ...

    def ask(self, command: Command, document: Document = NONE) -> object:
        """Put a command into an inbox, and wait until what it did is durable."""
        ...

    def watch(self, id: str, deliver: Deliver) -> Answer:
        """Tell ``deliver`` the row of an execution that has ended, or None if it was deleted.

        That there is no such execution is raised here, or delivered: ``ExecutionNotFound``.
        """
        ...

    def unwatch(self, id: str, answer: Answer) -> None:
        """Watch no longer."""
        ...

    def take_in(self, answers: list[tuple[Command, Document]]) -> None:
        """Put answers of tasks into their inboxes."""
        ...

    def close(self) -> None:
        """Let running handlers end, put everything on disk and let the folder go."""
        ...
