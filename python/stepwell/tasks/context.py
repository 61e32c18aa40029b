"""What a handler can know about its task."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from stepwell.errors import TaskCancelled

from .traces import span_of, trace_of, traceparent, xray_header

if TYPE_CHECKING:
    from .calls import Call

current_call: ContextVar[Call | None] = ContextVar("stepwell_call", default=None)
"""The call of the handler that runs here: lines of the log tell its execution and its state."""


class HandlerContext:
    """The second argument of a handler that takes two.

    A handler runs at least once an attempt. ``task_id`` is the same when it runs again after a crash, so that it
    can detect work that was done already.

    A task can end while its handler runs: it times out, its execution is stopped or fails, or another branch of its
    Parallel state fails. The handler's result is ignored then. A coroutine is cancelled. A function that runs for long
    checks ``cancelled``, or calls ``raise_if_cancelled`` or ``heartbeat``.
    """

    __slots__ = (
        "_heartbeat",
        "_is_over",
        "_trace",
        "attempt",
        "execution_arn",
        "execution_id",
        "resource",
        "state_machine_arn",
        "state_name",
        "task_id",
        "task_token",
    )

    def __init__(
        self,
        task_id: str,
        execution_id: str,
        state_name: str,
        resource: str,
        attempt: int,
        task_token: str | None,
        heartbeat: Callable[[str], None],
        execution_arn: str = "",
        state_machine_arn: str = "",
        is_over: Callable[[], bool] = lambda: False,
        started_at: int = 0,
        trace_header: str | None = None,
    ) -> None:
        self.execution_arn, self.state_machine_arn = execution_arn, state_machine_arn
        self.task_id, self.execution_id, self.state_name = task_id, execution_id, state_name
        self.resource, self.attempt, self.task_token = resource, attempt, task_token
        self._heartbeat, self._is_over = heartbeat, is_over
        self._trace = (execution_id, started_at, trace_header)

    @property
    def traceparent(self) -> str:
        """The header of a request that belongs to the task (W3C Trace Context), the same when the task runs again."""
        return traceparent(trace_of(*self._trace), span_of(self.task_id))

    @property
    def trace_header(self) -> str:
        """The same as ``X-Amzn-Trace-Id``, for AWS's services and other executions."""
        return xray_header(trace_of(*self._trace), span_of(self.task_id))

    @property
    def is_traced(self) -> bool:
        """Whether the execution was started with a trace header."""
        return self._trace[2] is not None

    @property
    def cancelled(self) -> bool:
        """Whether the task has ended without this handler's result."""
        return self._is_over()

    def raise_if_cancelled(self) -> None:
        """Raise ``TaskCancelled`` if the task has ended."""
        if self._is_over():
            raise TaskCancelled(f"task {self.task_id} has ended: the result of its handler is ignored")

    def heartbeat(self) -> None:
        """Report that the work continues, if the state has HeartbeatSeconds. Raises ``TaskCancelled``."""
        self.raise_if_cancelled()
        self._heartbeat(self.task_id)

    def __repr__(self) -> str:
        return f"<HandlerContext {self.task_id} of {self.resource!r}, attempt {self.attempt}>"
