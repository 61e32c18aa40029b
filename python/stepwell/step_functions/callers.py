"""Who waits for the answer of a request: a caller may go away before it has the answer."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol


class Caller(Protocol):
    """The client of a request. Whoever brings a request sets it in ``caller``, if it can know."""

    def has_left(self) -> bool:
        """Whether it has closed its connection, so that an answer would reach nobody."""
        ...

    def when_left(self, function: Callable[[], None]) -> Callable[[], None]:
        """Call ``function`` if it goes away before it is answered; what is returned revokes that."""
        ...

    def unless_read(self, undo: Callable[[], None]) -> None:
        """Call ``undo`` if it has closed its connection without having read the answer that is given next."""
        ...


caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""The caller of the operation that runs; None: it cannot leave, or nobody can know."""
