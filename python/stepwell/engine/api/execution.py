"""A program's handle on one execution."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepwell.engine.client.arguments import optional_wait_seconds
from stepwell.engine.client.commands import stop
from stepwell.engine.client.live import HistoryLook, StateLook
from stepwell.engine.host.promises import Latch
from stepwell.engine.status import OVER, SUCCEEDED
from stepwell.errors import Closed, ExecutionNotFound, WaitTimeout

from .execution_view import ExecutionView
from .following import following

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client


class Execution(ExecutionView):
    """One execution of an ``Executor``. Threads may share it."""

    __slots__ = ("_client",)

    def __init__(self, client: Client, id: str) -> None:
        super().__init__(client.queries, id)
        self._client = client

    def wait(self, timeout: float | None = None) -> Execution:
        """Wait until it has ended, however it ends; return itself.

        Raises ``WaitTimeout`` if that takes longer than ``timeout`` seconds; the execution goes on.
        """
        seconds = optional_wait_seconds("timeout", timeout)
        if self._ended is not None and self._ended.status == SUCCEEDED:
            return self
        latch = Latch()
        host = self._client.host
        try:
            answer = host.watch(self.id, latch.deliver)
        except (ExecutionNotFound, Closed):
            if self._ended is None:
                raise
            return self
        try:
            self._end_as(latch.wait(seconds))
        except ExecutionNotFound:
            if self._ended is None:
                raise
        except WaitTimeout:
            if self._context().status not in OVER:
                raise WaitTimeout(f"execution {self.id} has not ended within {timeout} s") from None
        finally:
            host.unwatch(self.id, answer)
        return self

    def wait_for(self, state: str, timeout: float | None = None) -> Execution:
        """Wait until it is in the state of this name, with an open task, if that is a Task state; return itself.

        A state that is left at once may not be seen. Raises ``WaitTimeout`` after ``timeout`` seconds,
        ``ExecutionFailed`` where it ends, or has ended, without being seen there (``status`` says how, also
        ``Succeeded``), ``InvalidInput`` where its definition has no such state.
        """
        seconds = optional_wait_seconds("timeout", timeout)
        look = StateLook(self._queries, self.id, state)
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        with following(self._client.host, self.id) as wait:
            while not look.is_there():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WaitTimeout(f"execution {self.id} is not in state {state!r} within {timeout} s")
                wait(left)
        return self

    def complete(self, state: str, output: Any) -> None:
        """Answer the open task of a state: ``output`` is its result, any JSON value. Durable when it returns.

        The task may be an activity's, one that waits for its token, or a handler's, whose own answer is dropped then.
        Raises ``TaskDoesNotExist`` where no task of that state is open, and ``InvalidInput`` where several are, in
        iterations or branches (``open_tasks`` gives their tokens), or where there is no such state.
        """
        self._client.ask(self._client.complete_request(self.id, state, output))

    def fail(self, state: str, error: str | None = None, cause: str | None = None) -> None:
        """Answer the open task of a state with an error, for Retry and Catch to match; ``complete`` says the rest."""
        self._client.ask(self._client.fail_request(self.id, state, error, cause))

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Its events in AWS's shape, those that are there and those that come, until it has ended.

        ``after`` is the number of the last event that is known already (0: none), to go on after a restart.
        Raises ``ExecutionNotFound`` where it is deleted meanwhile.
        """
        look = HistoryLook(self._queries, self.id, after)
        with following(self._client.host, self.id) as wait:
            while not look.is_over:
                events = look.next_events()
                yield from events
                if not events and not look.is_over:
                    wait(math.inf)

    def history(
        self, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> list[dict[str, Any]]:
        """Its events in AWS's shape, as ``Executor.history`` gives them."""
        with self._queries.shown():
            return self._queries.history(self.id, limit, reverse=reverse, after=after, include_data=include_data)

    def stop(self, error: str | None = None, cause: str | None = None) -> Execution:
        """Cancel it; if it has ended, it stays as it is."""
        if self._context().status not in OVER:
            self._client.ask(stop(self.id, error, cause))
        return self
