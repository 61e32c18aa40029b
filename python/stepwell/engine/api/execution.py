"""A program's handle on one execution."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.engine.client.arguments import optional_wait_seconds
from stepwell.engine.client.commands import stop
from stepwell.engine.host.promises import Latch
from stepwell.engine.status import ENDED, OVER
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.errors import ExecutionNotFound, WaitTimeout

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client
    from stepwell.engine.client.queries import Queries


class ExecutionView:
    """The state of an execution. It is read from storage at each access, until the execution has ended."""

    __slots__ = ("_ended", "_queries", "id")

    def __init__(self, queries: Queries, id: str) -> None:
        self._queries = queries
        self._ended: ExecutionContext | None = None
        self.id = id

    def context(self) -> ExecutionContext:
        """Its row. Raises ``ExecutionNotFound`` once it was deleted."""
        if self._ended is not None:
            return self._ended
        context = self._queries.context(self.id)
        if context.status in ENDED:
            self._ended = context
        return context

    @property
    def status(self) -> str:
        """Pending, Running, Completing, Succeeded, Failed, Canceling, Canceled or Deleting.

        Deleting: it has ended, and its rows are being removed.
        """
        return self.context().status

    @property
    def name(self) -> str:
        """The name that was given at the start, or one made from the id."""
        return self.context().name

    @property
    def workflow(self) -> str:
        """The name of its workflow."""
        return self.context().workflow_id.rpartition(":")[0]

    @property
    def input(self) -> Any:
        """The input, as a value."""
        return loads(self.context().input)

    @property
    def output(self) -> Any:
        """The output, as a value; None until it has succeeded."""
        output = self.context().output
        return loads(output) if output else None

    @property
    def error(self) -> str | None:
        """The error's name, if it failed or was stopped."""
        return self.context().error

    @property
    def cause(self) -> str | None:
        """The error's text for people."""
        return self.context().cause

    def _end_as(self, context: ExecutionContext | None) -> None:
        """It has ended, with this row. None: storage has the row, or it was deleted."""
        if context is not None:
            self._ended = context
            return
        with suppress(ExecutionNotFound):
            self.context()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExecutionView) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


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
        if self._ended is None:
            latch = Latch()
            host = self._client.host
            answer = host.watch(self.id, latch.deliver)
            try:
                self._end_as(latch.wait(seconds))
            except WaitTimeout:
                if self.context().status not in OVER:
                    raise WaitTimeout(f"execution {self.id} has not ended within {timeout} s") from None
            finally:
                host.unwatch(self.id, answer)
        return self

    def history(
        self, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> list[dict[str, Any]]:
        """Its events in AWS's shape, as ``Executor.history`` gives them."""
        return self._queries.history(self.id, limit, reverse=reverse, after=after, include_data=include_data)

    def stop(self, error: str | None = None, cause: str | None = None) -> Execution:
        """Cancel it; if it has ended, it stays as it is."""
        if self.context().status not in ENDED:
            self._client.ask(stop(self.id, error, cause))
        return self
