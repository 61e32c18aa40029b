"""What is asked of an execution that is followed while it runs, one look after the other.

Who waits between the looks is the handle on it: in a thread, or on an event loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from stepwell.engine.status import OVER
from stepwell.errors import ExecutionFailed

from .history import Event
from .queries import Queries

FIRST_SECONDS = 0.01
_PAGE = 256


def look_times(longest: float) -> Iterator[float]:
    """How long to wait for a signal before the next look: what was under way before one listened gives none."""
    pause = FIRST_SECONDS
    while pause < longest:
        yield pause
        pause *= 2
    yield from itertools.repeat(longest)


class StateLook:
    """Whether an execution is in a state. Raises ``InvalidInput`` where its definition has no such state."""

    def __init__(self, queries: Queries, id: str, state: str) -> None:
        queries.check_state(id, state)
        self._queries, self._id, self._state = queries, id, state

    def is_there(self) -> bool:
        """Whether it is in the state, with an open task, if that is a Task state. Raises ``ExecutionFailed``."""
        context = self._queries.context(self._id)
        if self._queries.is_in(self._id, self._state):
            return True
        if context.status in OVER:
            cause = f"execution {self._id} ended without being seen in state {self._state!r}"
            raise ExecutionFailed(
                context.status, context.error, f"{cause}: {context.cause}" if context.cause else cause
            )
        return False


class HistoryLook:
    """The events of an execution's history, page by page, after the event of the number ``after``."""

    def __init__(self, queries: Queries, id: str, after: int) -> None:
        self._queries, self._id, self._after = queries, id, after
        self.is_over = False
        """Whether there will be no more."""

    def next_events(self) -> list[Event]:
        """The next events, as far as there are any. Raises ``ExecutionNotFound`` once it was deleted."""
        has_ended = self._queries.context(self._id).status in OVER  # before the look: what follows has the last event
        events = self._queries.history(self._id, _PAGE, after=self._after)
        if events:
            self._after = events[-1]["id"]
        else:
            self.is_over = has_ended
        return events
